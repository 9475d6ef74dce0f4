// SPDX-License-Identifier: Apache-2.0
// attention: tokens that look at a history.
//
// What a token asks for, its query, is compared with the keys of all tokens that it sees, head by
// head; what comes out is the sum of their values, each weighed by how well its key fits. Keys and
// values are computed once per token and kept by a memory; queries come in blocks of rows:
//
//     attention_clear(memory);
//     for (...)                                       // the history, some tokens at a time
//         attention_keep(memory, rows, n);
//         attention_run(memory, &job);                // job.causal: of the tokens just kept
//     attention_run(memory, &job);                    // candidates: each sees all, and itself
//
// A row is heads * key_dim numbers of the query, as many of the key, heads * value_dim of the
// value; what is behind them is left alone. Weights of the n tokens that are seen are
//
//     softmax over them of     query * key / sqrt(key_dim)
//     gated: share * SiLU(     query * key / sqrt(key_dim) )
//
// Keys are kept sixteen tokens side by side, values row by row in widths of sixteen, and both are
// multiplied by eight rows at once, in vectors of sixteen numbers: rows behind the last one of a
// block, up to a multiple of eight, are read as well, and mean nothing.
#ifndef NATIVE_ATTENTION_H
#define NATIVE_ATTENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "native/vectors.h"

enum { ATTENTION_ROWS = 8, ATTENTION_LANES = 16 };

struct attention_shape {
    uint32_t heads, key_dim, value_dim;
    bool gated;
};

struct attention; // one thread's

struct attention_job {
    struct vectors_rows in, out; // of out, heads * value_dim numbers a row
    uint32_t n_rows;
    bool causal; // they are the last that were kept, and see those before them and themselves
    float share; // gated
};

struct attention *attention_create(const struct attention_shape *shape, uint32_t most_tokens);
void attention_destroy(struct attention *memory); // NULL: no effect
double attention_bytes(const struct attention *memory);

void attention_clear(struct attention *memory);
// Keeps n tokens more; at most most_tokens in all.
void attention_keep(struct attention *memory, struct vectors_rows in, uint32_t n);
void attention_run(struct attention *memory, const struct attention_job *job);

#endif
