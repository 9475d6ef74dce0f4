// SPDX-License-Identifier: Apache-2.0
// onnx_pass: one walk over an ONNX graph, at one size of its inputs.
//
// In the order of the graph, which must be that of its computation, each operator fills what it
// gives and costs (onnx_infer.h). Seen from the whole graph:
//
// - what depends on no input of the graph, or on the shapes of inputs alone, is done before any
//   request and costs nothing;
// - a parameter is counted once, where it is first used;
// - a product of two values that both vary is attention where a softmax is next to it.
//
// What grows with the number of items is found by passing more than once (onnx_work.h).
#ifndef STUDY_ONNX_PASS_H
#define STUDY_ONNX_PASS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "study/onnx_file.h"
#include "study/onnx_infer.h"

// Dimensions of an input of the graph.
struct onnx_pass_input {
    int64_t dims[ONNX_MAX_RANK];
};

// Fills err with the operators that are not known and how many of each there are, in one line:
// "operators that are not known: Loop "scan" (2), com.microsoft.Attention (1)". A Loop is named, as
// some are known (onnx_bag.h). Returns how many kinds it names; 0: all are known, and err is left
// alone.
size_t onnx_pass_unknown(const struct onnx_graph *graph, struct err *err);

// Fills ops[graph->n_nodes] from the dimensions of inputs[graph->n_inputs]. All operators must be
// known. The error names the operator, not the file.
int onnx_pass_run(const struct onnx_graph *graph, const struct onnx_pass_input *inputs,
                  struct onnx_op *ops, struct err *err);

#endif
