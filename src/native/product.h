// SPDX-License-Identifier: Apache-2.0
// product: fully connected layers, computed by oneDNN.
//
// A product is out = activation(in * weights + biases), over a block of rows. Its weights are
// brought into the order that oneDNN's kernel wants once, when it is made. Kernels are made then
// too, one for each number of rows on a ladder of sizes, so that running makes none: a block has
// room for product_rows() of its items, and rows behind them are computed as well and mean nothing.
// A product is read only and serves all threads.
//
// A binding is what one thread needs to run a product.
//
//     struct product_maker *maker = product_maker_open(err);
//     struct product *product = product_create(maker, &config, err);
//     struct product_binding *binding = product_bind(product);     // on its thread
//     product_run(binding, product_rows(n), in, out);
//
// In bf16 and int8 (native/narrow.h) weights are held narrow and a block's input is made narrow
// when it is run; what is added up is fp32 and s32, and what comes out is fp32. A processor or a
// library that has no instructions for it makes no product and says so.
//
// One thread computes: OpenMP, which oneDNN is built with, is set to one thread on each thread that
// makes or binds products. A program built without oneDNN makes none and says so.
#ifndef NATIVE_PRODUCT_H
#define NATIVE_PRODUCT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "native/network.h"

struct product_maker;
struct product;
struct product_binding;

struct product_config {
    uint32_t in, out;             // numbers per row
    size_t in_stride, out_stride; // from one row to the next
    const float *weights;         // [out][in], read when it is made
    const float *biases;          // [out], borrowed until the end
    enum model_format format;     // of weights and of what they are multiplied by
    enum network_activation activation;
    bool adds;          // to what is there, before the activation
    uint32_t parts;     // as many times the rows of a block
    uint32_t most_rows; // of a block
};

struct product_maker *product_maker_open(struct err *err); // NULL: the text says what is missing
void product_maker_close(struct product_maker *maker);     // NULL: no effect; no product is left
const char *product_maker_name(const struct product_maker *maker); // "oneDNN 2.6.3"

// 0, or -1 where the processor, or the library on it, has no instructions for products in a format.
int product_can(const struct product_maker *maker, enum model_format format, struct err *err);

// How many rows are computed where n are asked for: the next step of the ladder.
uint32_t product_rows(uint32_t n);

struct product *product_create(const struct product_maker *maker,
                               const struct product_config *config, struct err *err);
void product_destroy(struct product *product); // NULL: no effect

// Of the weights and biases, as they are held.
double product_bytes(const struct product *product);

// Which kernel of oneDNN's it is: "brg:avx512_core".
const char *product_kernel(const struct product *product);

struct product_binding *product_bind(const struct product *product);
void product_unbind(struct product_binding *binding); // NULL: no effect

// rows: of a block, a step of the ladder; in and out hold `parts` times as many.
void product_run(struct product_binding *binding, uint32_t rows, const float *in, float *out);

#endif
