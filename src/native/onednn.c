// SPDX-License-Identifier: Apache-2.0
#include "native/onednn.h"

#if RECFLEET_ONEDNN
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/memroom.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
#define LEAST_ROOM_BYTES 256e6 // beside its own code, which is loaded by then; some 150 MB do
#define SONAME "libdnnl.so." TEXT(DNNL_VERSION_MAJOR)
#define CALL_NAME(name) #name,

static int load_calls(struct onednn *dnn, struct err *err)
{
    static const char *const names[] = {ONEDNN_CALLS(CALL_NAME) NULL};
    for (size_t i = 0; names[i]; i++) {
        void *call = dlsym(dnn->handle, names[i]);
        if (!call)
            return err_set(err, ERR_FAIL, "%s: it has no %s", SONAME, names[i]);
        memcpy((char *)&dnn->calls + i * sizeof call, &call, sizeof call);
    }
    void *set_threads = dlsym(dnn->handle, "omp_set_num_threads");
    memcpy(&dnn->set_threads, &set_threads, sizeof set_threads);
    return 0;
}

static int load(struct onednn *dnn, struct err *err)
{
    dnn->handle = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
    if (!dnn->handle)
        return err_set(err, ERR_FAIL, "oneDNN is missing: expected %s (Debian: libdnnl%d)", SONAME,
                       DNNL_VERSION_MAJOR);
    if (load_calls(dnn, err) != 0)
        return -1;
    onednn_single_thread(dnn);
    if (dnn->calls.dnnl_engine_create(&dnn->engine, dnnl_cpu, 0) != dnnl_success)
        return err_set(err, ERR_FAIL, "%s: it does not know this processor", SONAME);
    const dnnl_version_t *version = dnn->calls.dnnl_version();
    snprintf(dnn->name, sizeof dnn->name, "oneDNN %d.%d.%d", version->major, version->minor,
             version->patch);
    return 0;
}

// It ends the program where it can have no memory for the code that it makes.
static int check_room(struct err *err)
{
    double room = memroom_address_bytes();
    if (room >= LEAST_ROOM_BYTES)
        return 0;
    return err_set(err, ERR_FAIL,
                   "%s: expected %.0f MB of addresses that are free, got %.3g MB (ulimit -v)",
                   SONAME, LEAST_ROOM_BYTES / 1e6, room / 1e6);
}

struct onednn *onednn_open(struct err *err)
{
    struct onednn *dnn = mem_calloc(1, sizeof *dnn);
    if (load(dnn, err) == 0 && check_room(err) == 0)
        return dnn;
    onednn_close(dnn);
    return NULL;
}

// The library itself stays loaded: it has threads and caches of its own, which would outlive it.
void onednn_close(struct onednn *dnn)
{
    if (!dnn)
        return;
    if (dnn->engine)
        dnn->calls.dnnl_engine_destroy(dnn->engine);
    mem_free(dnn);
}

void onednn_single_thread(const struct onednn *dnn)
{
    if (dnn->set_threads)
        dnn->set_threads(1);
}

bool onednn_has(const struct onednn *dnn, dnnl_data_type_t type)
{
    unsigned wanted = type == dnnl_bf16                    ? dnnl_cpu_isa_avx512_core_bf16
                      : type == dnnl_u8 || type == dnnl_s8 ? dnnl_cpu_isa_avx512_core_vnni
                                                           : 0;
    return ((unsigned)dnn->calls.dnnl_get_effective_cpu_isa() & wanted) == wanted;
}

struct dims {
    dnnl_dims_t v;
};

static struct dims dims_of(const size_t v[2])
{
    return (struct dims){{(dnnl_dim_t)v[0], (dnnl_dim_t)v[1]}};
}

#if DNNL_VERSION_MAJOR >= 3
#define RAW(desc) ((desc)->it)

int onednn_matrix(const struct onednn *dnn, struct onednn_desc *desc, dnnl_data_type_t type,
                  const size_t shape[2], const size_t strides[2])
{
    struct dims dims = dims_of(shape), steps = dims_of(strides);
    return dnn->calls.dnnl_memory_desc_create_with_strides(&desc->it, 2, dims.v, type, steps.v) ? -1
                                                                                                : 0;
}

int onednn_any_matrix(const struct onednn *dnn, struct onednn_desc *desc, dnnl_data_type_t type,
                      const size_t shape[2])
{
    struct dims dims = dims_of(shape);
    return dnn->calls.dnnl_memory_desc_create_with_tag(&desc->it, 2, dims.v, type,
                                                       dnnl_format_tag_any)
               ? -1
               : 0;
}

int onednn_chosen(const struct onednn *dnn, const_dnnl_primitive_desc_t from,
                  struct onednn_desc *weights)
{
    const_dnnl_memory_desc_t chosen =
        dnn->calls.dnnl_primitive_desc_query_md(from, dnnl_query_weights_md, 0);
    return dnn->calls.dnnl_memory_desc_clone(&weights->it, chosen) ? -1 : 0;
}

void onednn_desc_release(const struct onednn *dnn, struct onednn_desc *desc)
{
    if (desc->it)
        dnn->calls.dnnl_memory_desc_destroy(desc->it);
    desc->it = NULL;
}

int onednn_product_desc(const struct onednn *dnn, const struct onednn_product *product,
                        dnnl_primitive_desc_t *desc)
{
    const_dnnl_memory_desc_t biases = product->biases ? RAW(product->biases) : NULL;
    return dnn->calls.dnnl_matmul_primitive_desc_create(desc, dnn->engine, RAW(product->in),
                                                        RAW(product->weights), biases,
                                                        RAW(product->out), product->attr)
               ? -1
               : 0;
}

int onednn_append(const struct onednn *dnn, dnnl_post_ops_t ops, dnnl_alg_kind_t kind, float alpha)
{
    return dnn->calls.dnnl_post_ops_append_eltwise(ops, kind, alpha, 0) ? -1 : 0;
}

int onednn_append_sum(const struct onednn *dnn, dnnl_post_ops_t ops)
{
    return dnn->calls.dnnl_post_ops_append_sum(ops, 1, 0, dnnl_data_type_undef) ? -1 : 0;
}
#else
#define RAW(desc) (&(desc)->it)

int onednn_matrix(const struct onednn *dnn, struct onednn_desc *desc, dnnl_data_type_t type,
                  const size_t shape[2], const size_t strides[2])
{
    struct dims dims = dims_of(shape), steps = dims_of(strides);
    return dnn->calls.dnnl_memory_desc_init_by_strides(&desc->it, 2, dims.v, type, steps.v) ? -1
                                                                                            : 0;
}

int onednn_any_matrix(const struct onednn *dnn, struct onednn_desc *desc, dnnl_data_type_t type,
                      const size_t shape[2])
{
    struct dims dims = dims_of(shape);
    return dnn->calls.dnnl_memory_desc_init_by_tag(&desc->it, 2, dims.v, type, dnnl_format_tag_any)
               ? -1
               : 0;
}

int onednn_chosen(const struct onednn *dnn, const_dnnl_primitive_desc_t from,
                  struct onednn_desc *weights)
{
    weights->it = *dnn->calls.dnnl_primitive_desc_query_md(from, dnnl_query_weights_md, 0);
    return 0;
}

void onednn_desc_release(const struct onednn *dnn, struct onednn_desc *desc)
{
    (void)dnn;
    (void)desc;
}

int onednn_product_desc(const struct onednn *dnn, const struct onednn_product *product,
                        dnnl_primitive_desc_t *desc)
{
    dnnl_matmul_desc_t matmul;
    const dnnl_memory_desc_t *biases = product->biases ? RAW(product->biases) : NULL;
    if (dnn->calls.dnnl_matmul_desc_init(&matmul, RAW(product->in), RAW(product->weights), biases,
                                         RAW(product->out)) != dnnl_success)
        return -1;
    return dnn->calls.dnnl_primitive_desc_create(desc, &matmul, product->attr, dnn->engine, NULL)
               ? -1
               : 0;
}

int onednn_append(const struct onednn *dnn, dnnl_post_ops_t ops, dnnl_alg_kind_t kind, float alpha)
{
    return dnn->calls.dnnl_post_ops_append_eltwise(ops, 1, kind, alpha, 0) ? -1 : 0;
}

int onednn_append_sum(const struct onednn *dnn, dnnl_post_ops_t ops)
{
    return dnn->calls.dnnl_post_ops_append_sum(ops, 1) ? -1 : 0;
}
#endif

size_t onednn_bytes(const struct onednn *dnn, const struct onednn_desc *desc)
{
    return dnn->calls.dnnl_memory_desc_get_size(RAW(desc));
}

int onednn_memory(const struct onednn *dnn, dnnl_memory_t *memory, const struct onednn_desc *desc,
                  void *at)
{
    return dnn->calls.dnnl_memory_create(memory, RAW(desc), dnn->engine, at ? at : DNNL_MEMORY_NONE)
               ? -1
               : 0;
}

int onednn_reorder_desc(const struct onednn *dnn, const struct onednn_desc *from,
                        const struct onednn_desc *to, dnnl_primitive_desc_t *desc)
{
    return dnn->calls.dnnl_reorder_primitive_desc_create(desc, RAW(from), dnn->engine, RAW(to),
                                                         dnn->engine, NULL)
               ? -1
               : 0;
}
#endif
