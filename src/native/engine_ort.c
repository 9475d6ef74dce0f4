// SPDX-License-Identifier: Apache-2.0
// ort: any ONNX file of the user's, run by ONNX Runtime.
//
// The first dimension of an input that the file leaves open counts the items; every dimension of
// its name does. Numbers are uniform in [0, 1). Integers are taken for rows of tables, whose sizes
// the library does not tell: they are found when the engine is opened, by looking at which numbers
// a run fails. Those that no run fails at are below FREE_BOUND.
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/wallclock.h"
#include "native/engine.h"
#include "native/onnxruntime.h"

#define MOST_RANK 8
#define MOST_ELEMENTS 1e9 // of an input of one item
#define FREE_BOUND 1000
#define MOST_BOUND (1 << 27) // rows of a table beyond it are not looked up
#define MOST_COLUMNS 256     // integers of an item whose bounds are found one by one
#define PROBE_S 0.2          // an integer that makes runs longer is no row
#define RING_BYTES 16e6
#define RING_LEAST 2048
#define RING_MOST 131072

struct input {
    char *name;
    int type;
    size_t rank, item_bytes; // of one element
    int64_t dims[MOST_RANK]; // 0: the items
    bool grows;              // with the items
    uint64_t n_per_item;     // elements; of all, where it does not grow
    uint32_t *bounds;        // [n_bounds] integers are below it: of each per item, or of all
    size_t n_bounds;
    bool is_free; // nothing bounded them
};

struct ort {
    struct onnxruntime *library;
    void *session;
    const char *path;
    uint64_t seed;
    size_t n_inputs, n_outputs;
    struct input *inputs;
    const char **input_names;
    char **output_names;
    char items_name[256];
    bool *is_float;    // [n_outputs]
    size_t result;     // of the outputs, the one that is looked at; n_outputs: none
    uint32_t n_result; // its numbers per item
};

// Of one thread.
struct ort_worker {
    void **rings; // [n_inputs] elements of n_ring + most_items items
    uint64_t *n_ring;
    const void **values; // [n_inputs], of the library
    void **outputs;      // [n_outputs], likewise; of the last run
    float none;          // the result where there is no output of floats
};

// ---- what the model takes -----------------------------------------------------------------------

static int fail(const struct ort *ort, void *status, struct err *err)
{
    return onnxruntime_fail(ort->library, status, ort->path, err);
}

static int set_type(const struct ort *ort, struct input *input, struct err *err)
{
    switch (input->type) {
    case ONNXRUNTIME_FLOAT:
    case ONNXRUNTIME_INT32:
        input->item_bytes = 4;
        return 0;
    case ONNXRUNTIME_DOUBLE:
    case ONNXRUNTIME_INT64:
        input->item_bytes = 8;
        return 0;
    default:
        return err_set(err, ERR_STUDY,
                       "%s: input %s: expected float, double, int32 or int64, got ONNX type %d",
                       ort->path, input->name, input->type);
    }
}

static bool is_integer(const struct input *input)
{
    return input->type == ONNXRUNTIME_INT32 || input->type == ONNXRUNTIME_INT64;
}

// Which dimensions count the items; the library says -1 for those that are open.
static int set_dims(struct ort *ort, struct input *input, const char *const *names, struct err *err)
{
    double n = 1;
    if (input->rank > 0 && input->dims[0] < 0 && !*ort->items_name)
        snprintf(ort->items_name, sizeof ort->items_name, "%s", *names[0] ? names[0] : "?");
    for (size_t i = 0; i < input->rank; i++) {
        if (input->dims[i] >= 0) {
            n *= (double)input->dims[i];
            continue;
        }
        bool named = strcmp(names[i], ort->items_name) == 0 || (i == 0 && !*names[i]);
        if (!named || input->grows)
            return err_set(err, ERR_STUDY,
                           "%s: input %s: dimension %zu is open (\"%s\"): expected a number; only "
                           "\"%s\" counts the items, once",
                           ort->path, input->name, i + 1, names[i], ort->items_name);
        input->dims[i] = 0;
        input->grows = true;
    }
    if (n < 1 || n > MOST_ELEMENTS)
        return err_set(err, ERR_STUDY, "%s: input %s: expected 1 to %g numbers per item, got %g",
                       ort->path, input->name, MOST_ELEMENTS, n);
    input->n_per_item = (uint64_t)n;
    return 0;
}

static int read_dims(struct ort *ort, struct input *input, const void *info, struct err *err)
{
    const struct onnxruntime_calls *calls = &ort->library->calls;
    const char *names[MOST_RANK] = {NULL};
    void *status = calls->GetTensorElementType(info, &input->type);
    if (!status)
        status = calls->GetDimensionsCount(info, &input->rank);
    if (!status && input->rank > MOST_RANK)
        return err_set(err, ERR_STUDY, "%s: input %s: expected at most %d dimensions, got %zu",
                       ort->path, input->name, MOST_RANK, input->rank);
    if (!status)
        status = calls->GetDimensions(info, input->dims, input->rank);
    if (!status)
        status = calls->GetSymbolicDimensions(info, names, input->rank);
    if (status)
        return fail(ort, status, err);
    return set_type(ort, input, err) < 0 ? -1 : set_dims(ort, input, names, err);
}

static int read_input(struct ort *ort, size_t i, struct err *err)
{
    const struct onnxruntime_calls *calls = &ort->library->calls;
    struct input *input = &ort->inputs[i];
    void *type = NULL;
    const void *info = NULL;
    void *status =
        calls->SessionGetInputName(ort->session, i, ort->library->allocator, &input->name);
    ort->input_names[i] = input->name;
    if (!status)
        status = calls->SessionGetInputTypeInfo(ort->session, i, &type);
    if (!status)
        status = calls->CastTypeInfoToTensorInfo(type, &info);
    int rc =
        status  ? fail(ort, status, err)
        : !info ? err_set(err, ERR_STUDY, "%s: input %s: expected a tensor", ort->path, input->name)
                : read_dims(ort, input, info, err);
    if (type)
        calls->ReleaseTypeInfo(type);
    return rc;
}

static int read_output(struct ort *ort, size_t i, struct err *err)
{
    const struct onnxruntime_calls *calls = &ort->library->calls;
    void *type = NULL;
    const void *info = NULL;
    int element = 0;
    void *status = calls->SessionGetOutputName(ort->session, i, ort->library->allocator,
                                               &ort->output_names[i]);
    if (!status)
        status = calls->SessionGetOutputTypeInfo(ort->session, i, &type);
    if (!status)
        status = calls->CastTypeInfoToTensorInfo(type, &info);
    if (!status && info)
        status = calls->GetTensorElementType(info, &element);
    ort->is_float[i] = element == ONNXRUNTIME_FLOAT;
    if (type)
        calls->ReleaseTypeInfo(type);
    return status ? fail(ort, status, err) : 0;
}

static int read_model(struct ort *ort, struct err *err)
{
    const struct onnxruntime_calls *calls = &ort->library->calls;
    size_t n_inputs = 0, n_outputs = 0;
    void *status = calls->SessionGetInputCount(ort->session, &n_inputs);
    if (!status)
        status = calls->SessionGetOutputCount(ort->session, &n_outputs);
    if (status)
        return fail(ort, status, err);
    ort->inputs = mem_calloc(n_inputs, sizeof *ort->inputs);
    ort->input_names = mem_calloc(n_inputs, sizeof *ort->input_names);
    ort->output_names = mem_calloc(n_outputs, sizeof *ort->output_names);
    ort->is_float = mem_calloc(n_outputs, sizeof *ort->is_float);
    ort->n_inputs = n_inputs;
    ort->n_outputs = n_outputs;
    for (size_t i = 0; i < n_inputs; i++)
        if (read_input(ort, i, err) < 0)
            return -1;
    for (size_t i = 0; i < n_outputs; i++)
        if (read_output(ort, i, err) < 0)
            return -1;
    if (!*ort->items_name)
        return err_set(err, ERR_STUDY,
                       "%s: no input has an open first dimension, which would count the items",
                       ort->path);
    return 0;
}

// ---- a run --------------------------------------------------------------------------------------

static void *make_value(const struct ort *ort, size_t i, void *at, uint32_t items,
                        const void **value)
{
    const struct input *input = &ort->inputs[i];
    int64_t dims[MOST_RANK] = {0};
    void *made = NULL;
    uint64_t n = input->n_per_item * (input->grows ? items : 1);
    for (size_t d = 0; d < input->rank; d++)
        dims[d] = input->dims[d] > 0 ? input->dims[d] : items;
    void *status = ort->library->calls.CreateTensorWithDataAsOrtValue(
        ort->library->memory, at, n * input->item_bytes, dims, input->rank, input->type, &made);
    *value = made;
    return status;
}

static void release_outputs(const struct ort *ort, struct ort_worker *worker)
{
    for (size_t i = 0; i < ort->n_outputs; i++) {
        if (worker->outputs[i])
            ort->library->calls.ReleaseValue(worker->outputs[i]);
        worker->outputs[i] = NULL;
    }
}

// NULL or what went wrong.
static void *run_request(const struct ort *ort, struct ort_worker *worker,
                         const struct engine_request *request)
{
    uint32_t items = request->items;
    const struct onnxruntime_calls *calls = &ort->library->calls;
    void *status = NULL;
    size_t n = 0;
    release_outputs(ort, worker);
    for (; n < ort->n_inputs && !status; n++) {
        const struct input *input = &ort->inputs[n];
        uint64_t whole = engine_request_whole(request), place = 0;
        if (input->grows)
            place = request->number * whole % worker->n_ring[n] + request->first;
        char *at = (char *)worker->rings[n] + place * input->n_per_item * input->item_bytes;
        status = make_value(ort, n, at, items, &worker->values[n]);
    }
    if (!status)
        status =
            calls->Run(ort->session, NULL, ort->input_names, worker->values, ort->n_inputs,
                       (const char *const *)ort->output_names, ort->n_outputs, worker->outputs);
    for (size_t i = 0; i < n; i++)
        if (worker->values[i])
            calls->ReleaseValue((void *)worker->values[i]);
    return status;
}

// On the first of each ring's items.
static void *run_first(const struct ort *ort, struct ort_worker *worker, uint32_t items)
{
    return run_request(ort, worker, &(struct engine_request){.items = items});
}

static int count_output(const struct ort *ort, void *value, size_t *n, struct err *err)
{
    const struct onnxruntime_calls *calls = &ort->library->calls;
    void *info = NULL;
    void *status = calls->GetTensorTypeAndShape(value, &info);
    if (!status)
        status = calls->GetTensorShapeElementCount(info, n);
    if (info)
        calls->ReleaseTensorTypeAndShapeInfo(info);
    return status ? fail(ort, status, err) : 0;
}

// Room for one or two items of each input, or for a ring.
static void make_worker(const struct ort *ort, struct ort_worker *worker, bool ring,
                        uint32_t most_items)
{
    worker->rings = mem_calloc(ort->n_inputs, sizeof *worker->rings);
    worker->n_ring = mem_calloc(ort->n_inputs, sizeof *worker->n_ring);
    worker->values = mem_calloc(ort->n_inputs, sizeof *worker->values);
    worker->outputs = mem_calloc(ort->n_outputs, sizeof *worker->outputs);
    for (size_t i = 0; i < ort->n_inputs; i++) {
        const struct input *input = &ort->inputs[i];
        size_t bytes = input->n_per_item * input->item_bytes;
        double n = RING_BYTES / (double)bytes;
        worker->n_ring[i] = !ring            ? 1
                            : n < RING_LEAST ? RING_LEAST
                            : n > RING_MOST  ? RING_MOST
                                             : (uint64_t)n;
        worker->rings[i] = mem_huge(bytes * (input->grows ? worker->n_ring[i] + most_items : 1));
    }
}

static void release_worker(const struct ort *ort, struct ort_worker *worker)
{
    release_outputs(ort, worker);
    for (size_t i = 0; i < ort->n_inputs; i++)
        mem_free(worker->rings[i]);
    mem_free(worker->rings);
    mem_free(worker->n_ring);
    mem_free(worker->values);
    mem_free(worker->outputs);
}

// ---- which rows there are -----------------------------------------------------------------------

static void put_integer(const struct input *input, void *at, uint64_t i, uint32_t value)
{
    if (input->type == ONNXRUNTIME_INT32)
        ((int32_t *)at)[i] = (int32_t)value;
    else
        ((int64_t *)at)[i] = value;
}

// One integer of an item, or all of them.
struct probe {
    const struct ort *ort;
    struct ort_worker *worker;
    size_t input, first, n;
    bool slow; // a run took long: they are no rows
};

// Does a run fail where they are `value`? They are 0 afterwards.
static bool fails_at(struct probe *probe, uint32_t value)
{
    const struct input *input = &probe->ort->inputs[probe->input];
    void *at = probe->worker->rings[probe->input];
    double begin_s = wallclock_s();
    for (size_t i = 0; i < probe->n; i++)
        put_integer(input, at, probe->first + i, value);
    void *status = run_first(probe->ort, probe->worker, 1);
    for (size_t i = 0; i < probe->n; i++)
        put_integer(input, at, probe->first + i, 0);
    if (wallclock_s() - begin_s > PROBE_S)
        probe->slow = true;
    if (!status)
        return false;
    probe->ort->library->calls.ReleaseStatus(status);
    return true;
}

// The least number that a run fails at; 0: none does. At 0 none did.
static uint32_t find_bound(struct probe *probe)
{
    uint32_t good = 0, bad = 1;
    while (!fails_at(probe, bad)) {
        good = bad;
        bad *= 2;
        if (probe->slow || bad > MOST_BOUND)
            return 0;
    }
    while (bad - good > 1) {
        uint32_t middle = good + (bad - good) / 2;
        if (fails_at(probe, middle))
            bad = middle;
        else
            good = middle;
    }
    return bad;
}

// All of an item's integers at once have the least bound; each by itself may have its own.
static void find_bounds(const struct ort *ort, struct ort_worker *worker, size_t i)
{
    struct input *input = &ort->inputs[i];
    struct probe probe = {ort, worker, i, 0, input->n_per_item, false};
    uint32_t least = find_bound(&probe);
    bool by_column = least > 0 && input->grows && input->dims[0] == 0 && input->n_per_item > 1 &&
                     input->n_per_item <= MOST_COLUMNS;
    input->is_free = least == 0;
    input->n_bounds = by_column ? input->n_per_item : 1;
    input->bounds = mem_calloc(input->n_bounds, sizeof *input->bounds);
    input->bounds[0] = least > 0 ? least : FREE_BOUND;
    probe.n = 1;
    for (size_t column = 0; by_column && column < input->n_per_item; column++) {
        probe.first = column;
        uint32_t bound = fails_at(&probe, least) ? least : find_bound(&probe);
        input->bounds[column] = bound > 0 ? bound : FREE_BOUND;
    }
}

// The first output of floats of which two items have twice as many as one.
static int find_result(struct ort *ort, struct ort_worker *worker, struct err *err)
{
    size_t *n = mem_calloc(ort->n_outputs, sizeof *n);
    int rc = 0;
    ort->result = ort->n_outputs;
    for (uint32_t items = 1; items <= 2 && rc == 0; items++) {
        void *status = run_first(ort, worker, items);
        rc = status ? fail(ort, status, err) : 0;
        for (size_t i = ort->n_outputs; i-- > 0 && rc == 0;) {
            size_t now = 0;
            if (ort->is_float[i])
                rc = count_output(ort, worker->outputs[i], &now, err);
            if (rc == 0 && items == 2 && now > 0 && now == 2 * n[i]) {
                ort->result = i;
                ort->n_result = (uint32_t)n[i];
            }
            n[i] = now;
        }
    }
    mem_free(n);
    return rc;
}

static int explore(struct ort *ort, struct err *err)
{
    struct ort_worker worker = {0};
    make_worker(ort, &worker, false, 2);
    int rc = find_result(ort, &worker, err);
    for (size_t i = 0; i < ort->n_inputs && rc == 0; i++)
        if (is_integer(&ort->inputs[i]))
            find_bounds(ort, &worker, i);
    release_worker(ort, &worker);
    return rc;
}

// ---- the engine ---------------------------------------------------------------------------------

static void ort_close(void *state)
{
    struct ort *ort = state;
    if (!ort->library)
        return;
    const struct onnxruntime_calls *calls = &ort->library->calls;
    for (size_t i = 0; i < ort->n_inputs; i++) {
        if (ort->inputs[i].name)
            calls->AllocatorFree(ort->library->allocator, ort->inputs[i].name);
        mem_free(ort->inputs[i].bounds);
    }
    for (size_t i = 0; i < ort->n_outputs; i++)
        if (ort->output_names[i])
            calls->AllocatorFree(ort->library->allocator, ort->output_names[i]);
    mem_free(ort->inputs);
    mem_free(ort->input_names);
    mem_free(ort->output_names);
    mem_free(ort->is_float);
    if (ort->session)
        calls->ReleaseSession(ort->session);
    onnxruntime_close(ort->library);
}

// The least and the largest bound, and how many integers of an item have none.
static void tell(const struct ort *ort, struct engine_facts *facts)
{
    uint32_t least = UINT32_MAX, most = 0, n_free = 0;
    for (size_t i = 0; i < ort->n_inputs; i++) {
        const struct input *input = &ort->inputs[i];
        n_free += input->is_free;
        for (size_t b = 0; b < input->n_bounds && !input->is_free; b++) {
            least = input->bounds[b] < least ? input->bounds[b] : least;
            most = input->bounds[b] > most ? input->bounds[b] : most;
        }
    }
    int n = snprintf(facts->kernels, sizeof facts->kernels, "%s", ort->library->name);
    if (most > 0)
        n += snprintf(facts->kernels + n, sizeof facts->kernels - (size_t)n,
                      ", lookups in tables of %u to %u rows", least, most);
    if (n_free > 0)
        snprintf(facts->kernels + n, sizeof facts->kernels - (size_t)n,
                 ", %u inputs of integers that no table bounds (below %d)", n_free, FREE_BOUND);
}

static int ort_open(void *state, const struct engine_setup *setup, struct engine_facts *facts,
                    struct err *err)
{
    struct ort *ort = state;
    if (!setup->file)
        return err_set(err, ERR_STUDY, "engine ort: expected --file, an ONNX model");
    *ort = (struct ort){.path = setup->file, .seed = setup->seed};
    ort->library = onnxruntime_open(setup->library, err);
    if (ort->library && (ort->session = onnxruntime_session(ort->library, setup->file, err)) &&
        read_model(ort, err) == 0 && explore(ort, err) == 0) {
        tell(ort, facts);
        return 0;
    }
    ort_close(ort);
    return -1;
}

// Element i of an input, from one word.
static void put(const struct input *input, void *at, uint64_t i, uint64_t word)
{
    uint32_t bound = is_integer(input) ? input->bounds[i % input->n_bounds] : 0;
    if (input->type == ONNXRUNTIME_FLOAT)
        ((float *)at)[i] = (float)(word >> 40) * 0x1.0p-24F;
    else if (input->type == ONNXRUNTIME_DOUBLE)
        ((double *)at)[i] = (double)(word >> 11) * 0x1.0p-53;
    else
        put_integer(input, at, i, rng_below((uint32_t)(word >> 32), bound));
}

// What follows the end of a ring is what follows its beginning.
static void draw(const struct ort *ort, struct ort_worker *worker, size_t i, uint32_t most_items)
{
    const struct input *input = &ort->inputs[i];
    struct rng_stream stream = rng_stream(ort->seed, RNG_INPUTS, 1 + (uint64_t)i);
    uint64_t n_ring = input->grows ? worker->n_ring[i] : 1, words[2];
    size_t bytes = input->n_per_item * input->item_bytes;
    char *ring = worker->rings[i];
    for (uint64_t e = 0; e < n_ring * input->n_per_item; e++) {
        if (e % 2 == 0)
            rng_block(&stream, e / 2, words);
        put(input, ring, e, words[e % 2]);
    }
    for (uint64_t at = 0; at < most_items && input->grows; at++)
        memcpy(ring + (n_ring + at) * bytes, ring + at % n_ring * bytes, bytes);
}

static void ort_worker_close(const void *state, void *worker)
{
    release_worker(state, worker);
}

// Requests of the least and the largest size are tried, since a run has nobody to tell what the
// library says.
static int ort_worker_open(const void *state, void *worker_state, const struct engine_limits *most,
                           struct err *err)
{
    const struct ort *ort = state;
    struct ort_worker *worker = worker_state;
    make_worker(ort, worker, true, most->items);
    for (size_t i = 0; i < ort->n_inputs; i++)
        draw(ort, worker, i, most->items);
    void *status = run_first(ort, worker, 1);
    if (!status)
        status = run_first(ort, worker, most->items);
    if (!status)
        return 0;
    fail(ort, status, err);
    release_worker(ort, worker);
    return -1;
}

static const float *ort_run(const void *state, void *worker_state,
                            const struct engine_request *request, uint32_t *n_outputs)
{
    const struct ort *ort = state;
    struct ort_worker *worker = worker_state;
    void *at = &worker->none;
    void *status = run_request(ort, worker, request);
    if (!status && ort->result < ort->n_outputs)
        status = ort->library->calls.GetTensorMutableData(worker->outputs[ort->result], &at);
    *n_outputs = ort->n_result;
    if (!status)
        return at;
    ort->library->calls.ReleaseStatus(status);
    return NULL;
}

const struct engine_type engine_ort = {
    .name = "ort",
    .help = "an ONNX file (--file), by ONNX Runtime (--library)",
    .reads_file = true,
    .state_size = sizeof(struct ort),
    .worker_size = sizeof(struct ort_worker),
    .open = ort_open,
    .close = ort_close,
    .worker_open = ort_worker_open,
    .worker_close = ort_worker_close,
    .run = ort_run,
};
