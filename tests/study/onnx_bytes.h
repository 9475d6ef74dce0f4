// SPDX-License-Identifier: Apache-2.0
// onnx_bytes: small ONNX files for tests, written field by field as the format says.
//
//     struct onnx_bytes graph = {0};
//     onnx_bytes_input(&graph, "x", ONNX_FLOAT, 2, (int64_t[]){ONNX_OPEN, 3});
//     onnx_bytes_weights(&graph, "w", 2, (int64_t[]){3, 2});
//     onnx_bytes_node(&graph, "MatMul", "x w", "y");
//     struct onnx_bytes file = onnx_bytes_file(&graph); // graph is released
//
// An independent writer: it shares nothing with what reads the files.
#ifndef TESTS_STUDY_ONNX_BYTES_H
#define TESTS_STUDY_ONNX_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "study/onnx_file.h"

#define ONNX_OPEN -1 // the dimension is called "n"

struct onnx_bytes {
    uint8_t *at; // owned
    size_t n;
};

// Fields of a message: a number, and bytes or another message.
void onnx_bytes_number(struct onnx_bytes *to, unsigned field, int64_t value);
void onnx_bytes_text(struct onnx_bytes *to, unsigned field, const char *text);
void onnx_bytes_message(struct onnx_bytes *to, unsigned field, struct onnx_bytes *message);

// Of a graph. Names of inputs and outputs have blanks between, "-" is one that is left out.
void onnx_bytes_input(struct onnx_bytes *graph, const char *name, int type, size_t rank,
                      const int64_t *dims);
void onnx_bytes_output(struct onnx_bytes *graph, const char *name);
void onnx_bytes_weights(struct onnx_bytes *graph, const char *name, size_t rank,
                        const int64_t *dims); // external: nothing but dimensions
void onnx_bytes_ints(struct onnx_bytes *graph, const char *name, size_t n, const int64_t *ints);
void onnx_bytes_node(struct onnx_bytes *graph, const char *op, const char *inputs,
                     const char *outputs);
// The same with one attribute: an integer, or a list.
void onnx_bytes_node_with(struct onnx_bytes *graph, const char *op, const char *inputs,
                          const char *outputs, const char *attribute, int64_t value);
void onnx_bytes_node_list(struct onnx_bytes *graph, const char *op, const char *inputs,
                          const char *outputs, const char *attribute, size_t n,
                          const int64_t *values);

// A Loop over bags as PyTorch's exporter writes it. Inputs are names: the table, the indices, the
// offsets, and weights where there are any; what comes out is called `output`, and so begin the
// names of all that is between. What differs from that form is said in `odd`, a name of a case, or
// NULL.
struct onnx_bytes_bag {
    const char *table, *indices, *offsets, *weights, *output, *pool; // weights NULL: none
    int has_end;
    const char *odd;
};
void onnx_bytes_bag(struct onnx_bytes *graph, const struct onnx_bytes_bag *bag);

// The file of a graph, which is released.
struct onnx_bytes onnx_bytes_file(struct onnx_bytes *graph);
// The same, read; a file that cannot be read fails the test.
struct onnx_graph onnx_bytes_graph(struct onnx_bytes *graph);
void onnx_bytes_release(struct onnx_bytes *bytes);

// The catalogue's rmc1-repo as a graph: a dense stack, eight tables of 80 pooled lookups side by
// side, a top stack.
struct onnx_bytes onnx_bytes_rmc1(void);

#endif
