// SPDX-License-Identifier: Apache-2.0
// tables: the embedding tables of a network, filled, in one piece of memory.
//
// Rows of all tables follow one another, so that a row is known by one number, and stand in huge
// pages where the system gives them: a lookup then costs no page walk. A number of a row depends on
// the seed, its table and its place in it alone, not on how many rows are held.
//
//     struct tables tables;
//     if (tables_create(&tables, &network, FORMAT_FP32, 2e9, seed, err) == 0) // 2 GB at most
//         const float *row = tables_row(&tables, tables.first_row[t] + i);
//
// Rows of bf16 and int8 (native/narrow.h) are those of fp32 made narrow.
//
// Values are uniform, of a size by which a sum of as many rows as the model sums has variance 1.
#ifndef NATIVE_TABLES_H
#define NATIVE_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "native/network.h"

struct tables {
    void *values;        // [sum of n_rows][row_bytes]
    uint32_t *first_row; // of each table, and the end of the last
    uint32_t n_tables, dim;
    enum model_format format;
    size_t row_bytes; // narrow_row_bytes()
    double bytes;
    double frac;     // rows held, in parts of the model's
    bool huge_pages; // is half of it in huge pages, or more?
};

// Tables beyond most_bytes (0: all fit) have fewer rows, all by the same factor, one at least.
// Refused are those that the machine's memory does not hold.
int tables_create(struct tables *tables, const struct network *network, enum model_format format,
                  double most_bytes, uint64_t seed, struct err *err);
void tables_release(struct tables *tables); // NULL: no effect

static inline uint32_t tables_n_rows(const struct tables *tables, uint32_t table)
{
    return tables->first_row[table + 1] - tables->first_row[table];
}

// Its `dim` numbers, in the tables' format.
static inline const void *tables_row(const struct tables *tables, uint32_t row)
{
    return (const char *)tables->values + row * (uint64_t)tables->row_bytes;
}

#endif
