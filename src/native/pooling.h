// SPDX-License-Identifier: Apache-2.0
// pooling: sums of table rows, for a block of items.
//
// The rows of an item follow one another in one list, whatever their tables (inputs.h). They are
// summed item by item, or table by table, so that what translates addresses and the caches see one
// table at a time; and asked for a fixed number of rows ahead, across bags, tables and items.
// Kernels for AVX-512, AVX2 and plain C are one body. Rows of bf16 and int8 are made wide on the
// way; sums are fp32.
//
//     const struct pooling_kernel *kernel = pooling_best();
//     kernel->run(&job);
//
// Units are DIN's attention, with a first layer of one output: for unit u with the sum of rows e
// and for the ad a, out = sum over u of relu(w2 * relu(w_e e + (w_a a + bias)) + b2). The first
// layer reads e, e + a and a side by side; its weights for the three are added up ahead.
#ifndef NATIVE_POOLING_H
#define NATIVE_POOLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/catalogue.h"

struct pooling_bag {
    uint32_t n_rows;
    bool adds;     // to what is there
    float *out;    // of the block's first item
    size_t stride; // numbers from one item to the next
};

struct pooling_units {
    uint32_t n_units, rows_per_unit;                 // 0: none
    const float *w_behaviour, *w_ad, *w_out, *b_out; // [dim] each
    float bias;
    const float *ad; // of the block's first item; a bag's
    float *out;
    size_t ad_stride, out_stride;
};

struct pooling_job {
    const void *values;       // of all tables
    enum model_format format; // of them; 0: fp32
    uint32_t dim;             // numbers in a row
    uint32_t n_bags, n_items;
    const struct pooling_bag *bags;
    const struct pooling_units *units;
    const uint32_t *rows; // of all bags and units of the first item, then the second ...
    uint32_t rows_per_item;
    bool by_table; // worth it where bags are large; not with units
};

struct pooling_kernel {
    const char *name;
    bool (*supported)(void);
    void (*run)(const struct pooling_job *job);
};

extern const struct pooling_kernel pooling_portable, pooling_avx2, pooling_avx512;
extern const struct pooling_kernel *const pooling_kernels[]; // widest first, NULL-terminated

const struct pooling_kernel *pooling_best(void); // the first that this processor has

#endif
