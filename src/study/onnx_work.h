// SPDX-License-Identifier: Apache-2.0
// onnx_work: what an ONNX graph costs, per item and per request, and as a model of the catalogue.
//
// Which dimension of the inputs counts the items is found in the file or named by the user. The
// graph is then passed at three numbers of items (onnx_pass.h): what grows with them is per item,
// what does not is once per request, and what grows in another way is an error that names the
// operator. So nothing has to be known of formulas, and a graph whose shapes are computed from
// other shapes is as good as one of constants.
//
//     struct onnx_work work;
//     if (onnx_work_make(&work, &graph, &options, &err) == 0) {
//         onnx_work_model(&work, "my-model", "m.onnx", &model, &err);
//         char *text = onnx_work_yaml(&model); // for a folder of --catalog
//         ...
//         onnx_work_release(&work);
//     }
//
// Units: bytes as the file has its numbers, floating-point operations with a multiply-add as 2.
#ifndef STUDY_ONNX_WORK_H
#define STUDY_ONNX_WORK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "models/catalogue.h"
#include "study/onnx_file.h"
#include "study/onnx_infer.h"

// item * items + once.
struct onnx_part {
    double item, once;
};

// Work of one operator; of those that are none, shape and class alone.
struct onnx_work_op {
    const struct onnx_node *node; // of the graph
    bool is_work;
    enum work_class class;
    double n_ops, n_parts, weight_bytes;
    struct onnx_part flop, written_bytes, read_bytes, lookups, rows, gathered_bytes;
    int table; // the initializer that is looked up; -1: none
    int type;  // of its output
    size_t rank;
    struct onnx_part dims[ONNX_MAX_RANK]; // of its output
};

struct onnx_work_options {
    const char *batch; // names of the dimension that counts the items, "n,batch"; NULL: found
    // "seq=50", "ids=30N": sizes of other dimensions that the file leaves open, N the items.
    const char *const *settings;
    size_t n_settings;
};

struct onnx_work {
    const struct onnx_graph *graph;              // borrowed until onnx_work_release()
    struct onnx_work_op *ops;                    // one for each operator of the graph
    struct onnx_part index_bytes, feature_bytes; // that a request brings
    char *batch; // what the items are called in the file, for people
};

// Fills *work from a graph. On error, which does not name the file, it is empty.
int onnx_work_make(struct onnx_work *work, const struct onnx_graph *graph,
                   const struct onnx_work_options *options, struct err *err);
void onnx_work_release(struct onnx_work *work);

// The model `name`, of the file `path`: interaction given, its sources said. *model need not be
// zeroed; the caller releases it. An error where it is no model (it would not pass model_check()).
int onnx_work_model(const struct onnx_work *work, const char *name, const char *path,
                    struct model *model, struct err *err);
// A model as a section `models` of YAML, that reads back to the same; caller mem_free()s.
char *onnx_work_yaml(const struct model *model);

// "N x 256": the dimensions of an operator's output; caller mem_free()s.
char *onnx_work_shape(const struct onnx_work_op *op);

#endif
