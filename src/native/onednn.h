// SPDX-License-Identifier: Apache-2.0
// onednn: oneDNN, loaded when it is first needed, in either version of its interface.
//
// It is loaded and not linked because it takes longer to load than most runs of the program last,
// and because the program is then usable without it. What is called of it is a member of `calls`
// under its own name; what differs between versions 2 and 3 has a function here.
//
//     struct onednn *dnn = onednn_open(err);
//     onednn_single_thread(dnn);                  // on each thread
//     dnn->calls.dnnl_stream_create(...)
//     onednn_close(dnn);
//
// Threads: the library may be called from any; what is made by it belongs to whoever made it, and
// may be read by all. It is built with OpenMP, which would start threads of its own.
//
// Only where the program was built with oneDNN's header (RECFLEET_ONEDNN).
#ifndef NATIVE_ONEDNN_H
#define NATIVE_ONEDNN_H

#if RECFLEET_ONEDNN
#include <dnnl.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

// What is called of it: of one version, and of both.
// clang-format off
#if DNNL_VERSION_MAJOR >= 3
#define ONEDNN_CALLS_OF_VERSION(X)                                                                 \
    X(dnnl_memory_desc_create_with_strides) X(dnnl_memory_desc_create_with_tag)                    \
    X(dnnl_memory_desc_clone) X(dnnl_memory_desc_destroy) X(dnnl_matmul_primitive_desc_create)
#else
#define ONEDNN_CALLS_OF_VERSION(X)                                                                 \
    X(dnnl_memory_desc_init_by_strides) X(dnnl_memory_desc_init_by_tag) X(dnnl_matmul_desc_init)   \
    X(dnnl_primitive_desc_create)
#endif
#define ONEDNN_CALLS(X)                                                                            \
    ONEDNN_CALLS_OF_VERSION(X)                                                                     \
    X(dnnl_version) X(dnnl_get_effective_cpu_isa) X(dnnl_engine_create) X(dnnl_engine_destroy) X(dnnl_stream_create)             \
    X(dnnl_stream_destroy) X(dnnl_memory_create) X(dnnl_memory_destroy)                            \
    X(dnnl_memory_set_data_handle) X(dnnl_memory_desc_get_size) X(dnnl_primitive_attr_create)      \
    X(dnnl_primitive_attr_destroy) X(dnnl_primitive_attr_set_post_ops)                             \
    X(dnnl_primitive_attr_set_scratchpad_mode) X(dnnl_post_ops_create) X(dnnl_post_ops_destroy)    \
    X(dnnl_post_ops_append_eltwise) X(dnnl_post_ops_append_sum) X(dnnl_primitive_desc_query)       \
    X(dnnl_primitive_desc_query_md) X(dnnl_primitive_desc_destroy) X(dnnl_primitive_create)        \
    X(dnnl_primitive_execute) X(dnnl_primitive_destroy) X(dnnl_reorder_primitive_desc_create)
// clang-format on

#define ONEDNN_MEMBER(name) __typeof__(name) *name;

struct onednn {
    struct {
        ONEDNN_CALLS(ONEDNN_MEMBER)
    } calls;
    void *handle;
    void (*set_threads)(int n); // OpenMP's; NULL: it was built without
    dnnl_engine_t engine;
    char name[32]; // "oneDNN 2.6.3"
};

// How numbers are laid out in memory; released by onednn_desc_release().
struct onednn_desc {
    dnnl_memory_desc_t it;
};

struct onednn *onednn_open(struct err *err); // NULL: the text says what is missing
void onednn_close(struct onednn *dnn);       // NULL: no effect

// From now on this thread alone computes what it asks oneDNN for.
void onednn_single_thread(const struct onednn *dnn);

// Does it use the instructions for products in this type, on this processor?
bool onednn_has(const struct onednn *dnn, dnnl_data_type_t type);

// Those that follow return 0, or -1 where oneDNN refuses.

// A matrix with these steps from row to row and column to column.
int onednn_matrix(const struct onednn *dnn, struct onednn_desc *desc, dnnl_data_type_t type,
                  const size_t shape[2], const size_t strides[2]);
// One in whatever order a kernel likes best.
int onednn_any_matrix(const struct onednn *dnn, struct onednn_desc *desc, dnnl_data_type_t type,
                      const size_t shape[2]);
// The order of weights that a kernel likes best.
int onednn_chosen(const struct onednn *dnn, const_dnnl_primitive_desc_t from,
                  struct onednn_desc *weights);
void onednn_desc_release(const struct onednn *dnn, struct onednn_desc *desc);
size_t onednn_bytes(const struct onednn *dnn, const struct onednn_desc *desc);

// Memory of such a layout, at an address; NULL: it gets one later.
int onednn_memory(const struct onednn *dnn, dnnl_memory_t *memory, const struct onednn_desc *desc,
                  void *at);

// out = in * weights + biases, of which there is one row; NULL: none.
struct onednn_product {
    const struct onednn_desc *in, *weights, *biases, *out;
    const_dnnl_primitive_attr_t attr;
};
int onednn_product_desc(const struct onednn *dnn, const struct onednn_product *product,
                        dnnl_primitive_desc_t *desc);

// From one layout to another.
int onednn_reorder_desc(const struct onednn *dnn, const struct onednn_desc *from,
                        const struct onednn_desc *to, dnnl_primitive_desc_t *desc);

// Behind a product: an operation on each number, with its first parameter, and before it, perhaps,
// the addition of what was there.
int onednn_append(const struct onednn *dnn, dnnl_post_ops_t ops, dnnl_alg_kind_t kind, float alpha);
int onednn_append_sum(const struct onednn *dnn, dnnl_post_ops_t ops);

#endif
#endif
