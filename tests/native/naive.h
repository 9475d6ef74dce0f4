// SPDX-License-Identifier: Apache-2.0
// naive: a model of the catalogue computed the plainest way, for one item at a time, in double.
//
// It walks the model as docs/models.md and native/network.h describe it and knows nothing of
// buffers, blocks or vectors. What it has in common with the engine are the numbers: the order in
// which layers have their parameters, the rows of the tables, what the requests bring. Adding in
// double, it is off by nothing that a test would see.
//
#ifndef TESTS_NATIVE_NAIVE_H
#define TESTS_NATIVE_NAIVE_H

#include <stdint.h>

#include "models/catalogue.h"
#include "native/network.h"
#include "native/tables.h"

struct naive {
    const struct model *model;
    const struct network *network; // for the parameters' places alone
    const float *parameters;
    const struct tables *tables;
    uint64_t seed;
};

// The results of the item at a place of the inputs' rings (inputs.h): `place` of the ring of rows,
// `featured` of that of features. Returns how many there are; at most `most`.
uint32_t naive_run(const struct naive *naive, uint64_t place, uint64_t featured, double *results,
                   uint32_t most);

#endif
