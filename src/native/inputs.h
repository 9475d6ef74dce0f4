// SPDX-License-Identifier: Apache-2.0
// inputs: what requests of a network bring, drawn ahead.
//
// A ring of items, each with its dense features and the rows that it looks up. Request `number` of
// n items takes n of them that follow one another, from place number * n on, so that one request
// does not find the rows of those before it in a cache: the ring's rows are several times what a
// cache holds. Which item is at a place depends on the network, its tables and the seed alone;
// every worker that draws a ring has the same. Features are read in order and need no such number,
// so their ring is shorter.
//
// Lookups are uniform over a table: the hardest case for caches.
//
// What a request brings besides is in rings of the same kind: the items of its history, and what is
// looked up once for it.
#ifndef NATIVE_INPUTS_H
#define NATIVE_INPUTS_H

#include <stdint.h>

#include "native/network.h"
#include "native/tables.h"

struct inputs {
    uint32_t *rows;  // [n_items + most_items][lookups_per_item], as numbers of all tables' rows
    float *features; // [n_featured + most_items][features]
    uint32_t lookups_per_item, n_features;
    uint64_t n_items, n_featured; // in the two rings
};

void inputs_create(struct inputs *inputs, const struct network *network,
                   const struct tables *tables, uint32_t most_items, uint64_t seed);
// The same of the items of histories, or of requests, of which there are no features.
void inputs_create_of(struct inputs *inputs, enum network_who who, const struct network *network,
                      const struct tables *tables, uint32_t most_items, uint64_t seed);
void inputs_release(struct inputs *inputs); // NULL: no effect

// Those of the first item of request `number` of `items` items; the others' follow.
static inline const uint32_t *inputs_rows(const struct inputs *inputs, uint64_t number,
                                          uint32_t items)
{
    return inputs->rows + number * items % inputs->n_items * inputs->lookups_per_item;
}

static inline const float *inputs_features(const struct inputs *inputs, uint64_t number,
                                           uint32_t items)
{
    return inputs->features + number * items % inputs->n_featured * inputs->n_features;
}

#endif
