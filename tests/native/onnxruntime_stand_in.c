// SPDX-License-Identifier: Apache-2.0
// A stand-in for ONNX Runtime: a library with its one function by name and its table, in which the
// functions that are called have the places that the real one gives them. The name of a model's
// file says what its model is like; all are lookups.onnx, computed here by hand, but for one thing.
//
// With it the tests hold what the program does with the library, failures included. What the
// library does is not in it; RECFLEET_ONNXRUNTIME names a real one for the same tests.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef STAND_IN_IS_OLD
#define STAND_IN_API 7
#define STAND_IN_VERSION "1.7.0"
#else
#define STAND_IN_API 13
#define STAND_IN_VERSION "1.13.1"
#endif

enum { FLOAT = 1, STRING = 8, INT64 = 7, DIMS_MOST = 2 };
enum { N_FEATURES = 3, N_IDS = 2, N_OUT = 8 };

struct session {
    char name[32]; // of the file, without its folder
};

struct tensor {
    int type;
    size_t rank;
    int64_t dims[9];
    const char *names[9];
    void *at;
    bool owned;
};

static bool is(const struct session *session, const char *name)
{
    return strcmp(session->name, name) == 0;
}

static void *status_of(const char *text)
{
    return strdup(text);
}

static const char *error_text(const void *status)
{
    return status;
}

static void *make_thing(void **thing)
{
    *thing = malloc(1);
    return NULL;
}

static void *create_env(int level, const char *name, void **env)
{
    (void)level;
    (void)name;
    return make_thing(env);
}

static void *create_session(const void *env, const char *path, const void *options, void **to)
{
    const char *slash = strrchr(path, '/');
    struct session *session = calloc(1, sizeof *session);
    (void)env;
    (void)options;
    snprintf(session->name, sizeof session->name, "%.31s", slash ? slash + 1 : path);
    if (is(session, "refused.onnx")) {
        free(session);
        return status_of("it is damaged\nat byte 7");
    }
    *to = session;
    return NULL;
}

static void *set_threads(void *options, int n)
{
    (void)options;
    return n == 1 ? NULL : status_of("expected one thread");
}

static void *input_count(const void *session, size_t *n)
{
    (void)session;
    *n = 2;
    return NULL;
}

static void *output_count(const void *session, size_t *n)
{
    (void)session;
    *n = 1;
    return NULL;
}

static void *input_name(const void *session, size_t i, void *allocator, char **name)
{
    (void)session;
    (void)allocator;
    *name = strdup(i == 0 ? "x" : "ids");
    return NULL;
}

static void *output_name(const void *session, size_t i, void *allocator, char **name)
{
    (void)session;
    (void)i;
    (void)allocator;
    *name = strdup("out");
    return NULL;
}

static void *input_type(const void *of, size_t i, void **type)
{
    const struct session *session = of;
    struct tensor *tensor = calloc(1, sizeof *tensor);
    bool fixed = is(session, "fixed.onnx");
    *tensor = (struct tensor){.type = i == 0 ? FLOAT : INT64,
                              .rank = 2,
                              .dims = {fixed ? 4 : -1, i == 0 ? N_FEATURES : N_IDS},
                              .names = {fixed ? "" : "batch", ""}};
    if (is(session, "strings.onnx") && i == 1)
        tensor->type = STRING;
    if (is(session, "deep.onnx"))
        tensor->rank = 9;
    if (is(session, "empty.onnx"))
        tensor->dims[1] = 0;
    if (is(session, "open.onnx") && i == 1) {
        tensor->dims[1] = -1;
        tensor->names[1] = "length";
    }
    *type = tensor;
    return NULL;
}

static void *output_type(const void *session, size_t i, void **type)
{
    struct tensor *tensor = calloc(1, sizeof *tensor);
    (void)session;
    (void)i;
    tensor->type = FLOAT;
    *type = tensor;
    return NULL;
}

static void *as_tensor(const void *type, const void **info)
{
    *info = type;
    return NULL;
}

static void *element_type(const void *info, int *type)
{
    *type = ((const struct tensor *)info)->type;
    return NULL;
}

static void *n_dims(const void *info, size_t *rank)
{
    *rank = ((const struct tensor *)info)->rank;
    return NULL;
}

static void *get_dims(const void *info, int64_t *dims, size_t rank)
{
    memcpy(dims, ((const struct tensor *)info)->dims, rank * sizeof *dims);
    return NULL;
}

static void *get_names(const void *info, const char **names, size_t rank)
{
    memcpy(names, ((const struct tensor *)info)->names, rank * sizeof *names);
    return NULL;
}

static void *n_elements(const void *info, size_t *n)
{
    const struct tensor *tensor = info;
    *n = 1;
    for (size_t i = 0; i < tensor->rank; i++)
        *n *= (size_t)tensor->dims[i];
    return NULL;
}

static void *shape_of(const void *value, void **info)
{
    struct tensor *copy = calloc(1, sizeof *copy);
    *copy = *(const struct tensor *)value;
    copy->owned = false;
    *info = copy;
    return NULL;
}

static void *make_tensor(const void *memory, void *at, size_t n_bytes, const int64_t *dims,
                         size_t rank, int type, void **value)
{
    size_t n = 0, size = type == FLOAT ? 4 : 8;
    struct tensor *tensor = calloc(1, sizeof *tensor);
    (void)memory;
    *tensor = (struct tensor){.type = type, .rank = rank, .at = at};
    memcpy(tensor->dims, dims, rank * sizeof *dims);
    n_elements(tensor, &n);
    if (n * size != n_bytes) {
        free(tensor);
        return status_of("the size of a tensor is not that of its shape");
    }
    *value = tensor;
    return NULL;
}

static void *data_of(void *value, void **at)
{
    *at = ((struct tensor *)value)->at;
    return NULL;
}

static void release_tensor(void *value)
{
    struct tensor *tensor = value;
    if (tensor && tensor->owned)
        free(tensor->at);
    free(tensor);
}

static void compute(const float *x, const int64_t *ids, float *out)
{
    float r0 = 100 + (float)ids[0], r1 = 200 + (float)ids[1];
    memcpy(out, x, N_FEATURES * sizeof *out);
    out[3] = (float)ids[0];
    out[4] = (float)ids[1];
    out[5] = r0;
    out[6] = r1;
    out[7] = x[0] + 2 * x[1] + 4 * x[2] + 0.5F * r0 + 0.25F * r1;
}

static void *run(void *of, const void *options, const char *const *input_names,
                 const void *const *inputs, size_t n_inputs, const char *const *output_names,
                 size_t n_outputs, void **outputs)
{
    const struct session *session = of;
    const struct tensor *x = inputs[0], *ids = inputs[1];
    (void)options;
    if (n_inputs != 2 || n_outputs != 1 || strcmp(input_names[0], "x") != 0 ||
        strcmp(input_names[1], "ids") != 0 || strcmp(output_names[0], "out") != 0 ||
        x->dims[0] != ids->dims[0])
        return status_of("these are not its inputs");
    size_t items = (size_t)x->dims[0];
    const int64_t bounds[N_IDS] = {7, 11};
    if (is(session, "late.onnx") && (items == 3 || items > 4))
        return status_of("out of memory");
    for (size_t i = 0; i < N_IDS * items && !is(session, "free.onnx"); i++)
        if (((int64_t *)ids->at)[i] >= bounds[i % N_IDS])
            return status_of("indices element out of data bounds");
    struct tensor *out = calloc(1, sizeof *out);
    *out = (struct tensor){.type = FLOAT,
                           .rank = 2,
                           .dims = {is(session, "whole.onnx") ? 1 : x->dims[0], N_OUT},
                           .at = calloc(items, N_OUT * sizeof(float)),
                           .owned = true};
    for (size_t i = 0; i < items; i++)
        compute((float *)x->at + i * N_FEATURES, (int64_t *)ids->at + i * N_IDS,
                (float *)out->at + i * N_OUT);
    outputs[0] = out;
    return NULL;
}

static void *make_memory(int allocator, int memory, void **info)
{
    return allocator == 0 && memory == 0 ? make_thing(info) : status_of("expected plain memory");
}

static void *free_name(void *allocator, void *at)
{
    (void)allocator;
    free(at);
    return NULL;
}

static char allocator_name[] = "allocator";

static void *default_allocator(void **allocator)
{
    *allocator = allocator_name;
    return NULL;
}

typedef void (*any_fn)(void);

static const any_fn table[101] = {
    [2] = (any_fn)error_text,
    [3] = (any_fn)create_env,
    [7] = (any_fn)create_session,
    [9] = (any_fn)run,
    [10] = (any_fn)make_thing,
    [24] = (any_fn)set_threads,
    [25] = (any_fn)set_threads,
    [30] = (any_fn)input_count,
    [31] = (any_fn)output_count,
    [33] = (any_fn)input_type,
    [34] = (any_fn)output_type,
    [36] = (any_fn)input_name,
    [37] = (any_fn)output_name,
    [49] = (any_fn)make_tensor,
    [51] = (any_fn)data_of,
    [55] = (any_fn)as_tensor,
    [60] = (any_fn)element_type,
    [61] = (any_fn)n_dims,
    [62] = (any_fn)get_dims,
    [63] = (any_fn)get_names,
    [64] = (any_fn)n_elements,
    [65] = (any_fn)shape_of,
    [69] = (any_fn)make_memory,
    [76] = (any_fn)free_name,
    [78] = (any_fn)default_allocator,
    [92] = (any_fn)free,
    [93] = (any_fn)free,
    [94] = (any_fn)free,
    [95] = (any_fn)free,
    [96] = (any_fn)release_tensor,
    [98] = (any_fn)free,
    [99] = (any_fn)free,
    [100] = (any_fn)free,
};

static const void *get_table(uint32_t version)
{
    return version <= STAND_IN_API ? (const void *)table : NULL;
}

static const char *get_version(void)
{
    return STAND_IN_VERSION;
}

struct base {
    const void *(*table)(uint32_t version);
    const char *(*version)(void);
};

static const struct base the_base = {get_table, get_version};

const struct base *OrtGetApiBase(void);
const struct base *OrtGetApiBase(void)
{
    return &the_base;
}
