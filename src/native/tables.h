// SPDX-License-Identifier: Apache-2.0
// tables: the embedding tables of a network, filled, in one piece of memory.
//
// Rows of all tables follow one another, so that a row is known by one number, and stand in huge
// pages where the system gives them: a lookup then costs no page walk. A number of a row depends on
// the seed, its table and its place in it alone, not on how many rows are held.
//
//     struct tables tables;
//     if (tables_create(&tables, &network, 2e9, seed, err) == 0)    // 2 GB at most
//         const float *row = tables_row(&tables, tables.first_row[t] + i);
//
// Values are uniform, of a size by which a sum of as many rows as the model sums has variance 1.
#ifndef NATIVE_TABLES_H
#define NATIVE_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "native/network.h"

struct tables {
    float *values;       // [sum of n_rows][dim]
    uint32_t *first_row; // of each table, and the end of the last
    uint32_t n_tables, dim;
    double bytes;
    double frac;     // rows held, in parts of the model's
    bool huge_pages; // is half of it in huge pages, or more?
};

// Tables beyond most_bytes (0: all fit) have fewer rows, all by the same factor, one at least.
// Refused are those that the machine's memory does not hold.
int tables_create(struct tables *tables, const struct network *network, double most_bytes,
                  uint64_t seed, struct err *err);
void tables_release(struct tables *tables); // NULL: no effect

static inline uint32_t tables_n_rows(const struct tables *tables, uint32_t table)
{
    return tables->first_row[table + 1] - tables->first_row[table];
}

static inline const float *tables_row(const struct tables *tables, uint32_t row)
{
    return tables->values + (uint64_t)row * tables->dim;
}

#endif
