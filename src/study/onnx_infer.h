// SPDX-License-Identifier: Apache-2.0
// onnx_infer: what one operator of an ONNX graph gives and costs.
//
// The table of known operators. Each has a function that fills, from the sizes of its inputs, the
// sizes of its outputs, the integers in them where they are known (shapes are made of those), and
// what it computes and moves. Sizes are numbers: nothing is symbolic.
//
// Rules of counting, those of the catalogue (models/catalogue.h): a multiply-add is 2, a value of
// an elementwise operator 1, of a softmax 20, of a normalisation 5; nothing is fused, but
//
// - a Gather of rows of an initializer is a lookup, and a sum, mean or maximum over its lookups a
//   part of it: together they are one operator of the embedding class;
// - bags of one table, which PyTorch writes as a Loop (onnx_bag.h), are that, too;
// - reshaping moves nothing and is no operator.
//
//     step.type = onnx_infer_find(node);
//     if (step.type->infer(&step, err) < 0)
//         return -1;
//
// A new operator is a row of the table in onnx_infer.c, a function where none fits, and a test.
#ifndef STUDY_ONNX_INFER_H
#define STUDY_ONNX_INFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "models/catalogue.h"
#include "study/onnx_file.h"

// A value of the graph.
struct onnx_value {
    const char *name;
    bool is_there;   // it has been given: inputs, initializers, outputs of operators so far
    bool varies;     // with the numbers that a request brings
    bool is_param;   // made of numbers that the file brings
    bool is_counted; // among the parameters
    bool from_softmax;
    int type; // enum onnx_type, or another
    size_t rank;
    int64_t dims[ONNX_MAX_RANK];
    double width;          // bytes of one number, as it is stored
    int64_t *ints;         // owned; NULL: not known
    size_t n_ints;         // as many as there are values
    int initializer, node; // of which it is, under whatever name; which gave it; -1: none
    size_t n_uses;         // inputs of operators and outputs of the graph
};

// Work of one operator. None at all where is_work is false.
struct onnx_op {
    bool is_work;
    bool is_pairwise; // a product of two values that vary
    enum work_class class;
    double n_ops, n_parts; // operators; inputs that a concatenation joins
    double flop, written_bytes, read_bytes, weight_bytes;
    double lookups, rows; // rows read from the table; rows that come out, pooled where they are
    int table;            // the initializer that is looked up; -1: none
    int type;             // of the first output
    size_t rank;
    int64_t dims[ONNX_MAX_RANK]; // of the first output
};

struct onnx_operator;

// One operator on its way. Inputs and outputs that are left out are NULL, but for `out`, the first
// output. Before: out's varies and is_param are those of the inputs; *op is empty, its table -1.
struct onnx_step {
    const struct onnx_graph *graph;
    struct onnx_op *ops; // of all operators of the graph, those before this one filled
    const struct onnx_node *node;
    const struct onnx_operator *type;
    struct onnx_op *op;
    struct onnx_value **inputs, **outputs, *out;
};

struct onnx_operator {
    const char *name;
    int (*infer)(struct onnx_step *step, struct err *err);
    double flop;        // per value that is written, or read by a reduction
    bool is_view;       // moves nothing
    bool keeps_numbers; // what comes out of an initializer is that initializer
};

// The row of an operator, NULL when it is not known.
const struct onnx_operator *onnx_infer_find(const struct onnx_node *node);

// Fills err with 'operator Gemm "fc1": what'; returns -1.
int onnx_infer_fail(const struct onnx_step *step, struct err *err, const char *what);

// Sets a value that is known from the start.
void onnx_infer_set_tensor(struct onnx_value *value, const struct onnx_tensor *tensor);

// Are its values few enough to be counted?
bool onnx_infer_fits(const struct onnx_value *value);
// Bytes of all its values; of one value of a type, 0 where that has no fixed size.
double onnx_infer_bytes(const struct onnx_value *value);
double onnx_infer_width(int type);

#endif
