// SPDX-License-Identifier: Apache-2.0
// onnx_file: an ONNX graph, read into plain structs.
//
// What is kept of the file is what its cost depends on: operators with their attributes, the sizes
// of inputs and initializers, and the values of small integer tensors, of which shapes are made.
// Weights are looked at by their dimensions alone, so that they may as well be in files of their
// own (external data) or missing. Of graphs inside the graph, the bodies of its Loops are kept, and
// none inside those.
//
//     struct onnx_graph graph;
//     if (onnx_file_read(&graph, "m.onnx", &err) == 0) {
//         ...
//         onnx_file_release(&graph);
//     }
//
// A file is hostile until it was read: it may be cut off, nest without an end, promise sizes that
// no memory holds or say nothing of what it should. All of that is one line in err. Texts are as
// the file has them; whoever prints them goes through err or puts blanks for control characters.
//
// The only file here that sees protobuf-c. Where the program was built without it, or without
// ONNX's onnx.proto, reading says in one line what is missing.
#ifndef STUDY_ONNX_FILE_H
#define STUDY_ONNX_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define ONNX_MAX_RANK 8
#define ONNX_MAX_INTS 4096   // values of one tensor that are kept
#define ONNX_MAX_SIZE 1e12   // of one dimension
#define ONNX_MAX_VALUES 1e15 // of one tensor

// Types of values that are told apart, by ONNX's own numbers.
enum onnx_type {
    ONNX_FLOAT = 1,
    ONNX_UINT8 = 2,
    ONNX_INT8 = 3,
    ONNX_INT32 = 6,
    ONNX_INT64 = 7,
    ONNX_STRING = 8,
    ONNX_BOOL = 9,
    ONNX_FLOAT16 = 10,
    ONNX_DOUBLE = 11,
    ONNX_BFLOAT16 = 16
};

struct onnx_tensor {
    char *name;
    int type; // enum onnx_type, or another
    size_t rank;
    int64_t dims[ONNX_MAX_RANK];
    int64_t *ints; // n_ints values of a small integer tensor; NULL: not known
    size_t n_ints;
};

struct onnx_attribute {
    char *name, *text; // text: "" without one
    bool has_i, has_ints, has_f, has_tensor;
    int64_t i;
    int64_t *ints;
    size_t n_ints, n_floats;
    struct onnx_tensor tensor;
};

struct onnx_node {
    char *op, *domain, *name; // domain "": ONNX's own operators
    char **inputs, **outputs; // names of values; "": left out
    size_t n_inputs, n_outputs;
    struct onnx_attribute *attributes;
    size_t n_attributes;
    struct onnx_graph
        *body; // of a Loop: its nodes, initializers, names of inputs and outputs; or NULL
};

// What an input is to operators that onnx_bag_fold() made.
enum onnx_role {
    ONNX_PLAIN,
    ONNX_OF_BAGS,         // indices or weights of all bags, one after the other
    ONNX_OFFSETS_WITH_END // one more than there are bags
};

// An input of the graph. A dimension without a size has a name, or neither.
struct onnx_input {
    char *name;
    enum onnx_role role;
    int type;
    size_t rank;
    int64_t sizes[ONNX_MAX_RANK]; // -1: open
    char *names[ONNX_MAX_RANK];   // "": none
};

struct onnx_graph {
    char *producer; // the program that wrote the file, with its version; "": not known
    int64_t opset;  // of ONNX's own operators
    struct onnx_node *nodes;
    struct onnx_tensor *initializers;
    struct onnx_input *inputs; // without those that are initializers
    char **outputs;
    size_t n_nodes, n_initializers, n_inputs, n_outputs;
};

// Can this program read such files?
bool onnx_file_is_built(void);

// Fills *graph (zeroed or not) from a file, or from n bytes that are called `name` in messages. On
// error it is empty.
int onnx_file_read(struct onnx_graph *graph, const char *path, struct err *err);
int onnx_file_parse(struct onnx_graph *graph, const char *name, const uint8_t *data, size_t n,
                    struct err *err);
void onnx_file_release(struct onnx_graph *graph); // zeroed: no effect
void onnx_file_release_node(struct onnx_node *node);

// The attribute of that name, NULL when there is none; its value, or `other`.
const struct onnx_attribute *onnx_file_attribute(const struct onnx_node *node, const char *name);
int64_t onnx_file_int(const struct onnx_node *node, const char *name, int64_t other);

#endif
