// SPDX-License-Identifier: Apache-2.0
// vectors: what a network does between its products, over rows of numbers.
//
// Plain loops over one row after another, which the compiler makes vectors of. Exponentials are a
// polynomial: relative error below 1e-6.
//
// Matrices are given by their first number and the step from a row to the next.
#ifndef NATIVE_VECTORS_H
#define NATIVE_VECTORS_H

#include <stddef.h>
#include <stdint.h>

#include "native/network.h"

struct vectors_rows {
    float *first;
    size_t stride;
};

void vectors_copy(struct vectors_rows out, struct vectors_rows in, size_t n_rows, size_t width);

// out = in, in + with, with: three times `width`. Row r of `in` meets row r % n_with of `with`.
void vectors_pairs(struct vectors_rows out, struct vectors_rows in, struct vectors_rows with,
                   size_t n_rows, size_t n_with, size_t width);

// out = the sum of n_parts rows of `in`, each n_rows rows behind the one before.
void vectors_fold(struct vectors_rows out, struct vectors_rows in, size_t n_rows, size_t n_parts,
                  size_t width);

// A row of biases is added, and the hyperbolic tangent taken, in place.
void vectors_tanh(struct vectors_rows rows, const float *biases, size_t n_rows, size_t width);

// What follows a layer, in place.
void vectors_activate(float *row, size_t width, enum network_activation activation);

// A step of a GRU (Cho et al., 2014, with the reset behind the product, as libraries have it):
// `inputs` and `before` hold reset, update and new gate side by side, each of `width` numbers, of
// the input and of the state before with its biases; `state` becomes `next`.
struct vectors_gru {
    struct vectors_rows inputs, before, state, next;
};
void vectors_gru_step(const struct vectors_gru *gru, size_t n_rows, size_t width);

// out = in + softmax(with), each row by itself.
void vectors_weigh(struct vectors_rows out, struct vectors_rows in, struct vectors_rows with,
                   size_t n_rows, size_t width);

// out = the dot products of all pairs among n vectors of `dim` numbers side by side: of the 2nd
// with the 1st, of the 3rd with the 1st, the 2nd ...
void vectors_dots(struct vectors_rows out, struct vectors_rows in, size_t n_rows, size_t n,
                  size_t dim);

// out = in + with, out = in * with, and out = out * with + in. Where `with` is one row for all, its
// stride is 0. Of sums, `out` may be `in`.
void vectors_sum(struct vectors_rows out, struct vectors_rows in, struct vectors_rows with,
                 size_t n_rows, size_t width);
void vectors_product(struct vectors_rows out, struct vectors_rows in, struct vectors_rows with,
                     size_t n_rows, size_t width);
void vectors_cross(struct vectors_rows out, struct vectors_rows in, struct vectors_rows with,
                   size_t n_rows, size_t width);

// out = ReLU(in, shifted and scaled to mean 0 and variance 1), each row by itself; and without
// ReLU.
void vectors_norm(struct vectors_rows out, struct vectors_rows in, size_t n_rows, size_t width);
void vectors_standard(struct vectors_rows out, struct vectors_rows in, size_t n_rows, size_t width);

// A row in place: every number times `by`, and softmax(row), of which there is one number at least.
void vectors_scale(float *row, size_t width, float by);
void vectors_softmax(float *row, size_t width);

// A dot product, and out = out + by * in, of rows.
float vectors_dot(const float *a, const float *b, size_t width);
void vectors_add_scaled(float *out, const float *in, size_t width, float by);

#endif
