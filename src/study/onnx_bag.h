// SPDX-License-Identifier: Apache-2.0
// onnx_bag: nn.EmbeddingBag of PyTorch, found again in what its exporter makes of it.
//
// ONNX has no such operator. The exporter writes a Loop over the bags, whose body takes the indices
// from one offset to the next, looks their rows up in an initializer of the graph, and sums them:
//
//     starts = Concat(offsets, number of indices)     or, with include_last_offset, the offsets
//     ends   = starts without the first
//     bags   = Loop(number of ends, true):
//         some  = Slice(indices, starts[i], ends[i])
//         rows  = Gather(table, some)
//         bag   = ReduceSum(rows), ReduceMean or ReduceMax; per_sample_weights are a Mul before
//
// Each such Loop becomes one operator EmbeddingBag of the domain "recfleet" with the inputs table,
// indices, offsets and, where there are any, weights, and the attribute include_last_offset; what
// only fed the Loop goes. A Loop that does anything else, or does not hold all indices for certain,
// stays as it is.
//
//     if (onnx_file_read(&graph, "m.onnx", &err) == 0)
//         n_bags = onnx_bag_fold(&graph);
//
// Inputs of the graph that are such indices, weights or offsets are marked (struct onnx_input): how
// many there are follows from the number of bags, or is the user's to say.
#ifndef STUDY_ONNX_BAG_H
#define STUDY_ONNX_BAG_H

#include <stdbool.h>
#include <stddef.h>

#include "study/onnx_file.h"

#define ONNX_BAG_DOMAIN "recfleet"
#define ONNX_BAG_OP "EmbeddingBag"
#define ONNX_BAG_HAS_END "include_last_offset" // the attribute: offsets hold their end, too

// Replaces every Loop of that form; returns how many there were.
size_t onnx_bag_fold(struct onnx_graph *graph);

// Is it such an operator?
bool onnx_bag_is(const struct onnx_node *node);

#endif
