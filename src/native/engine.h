// SPDX-License-Identifier: Apache-2.0
// engine: a model that runs for real, on the processor at hand.
//
// What the rest of the program simulates, an engine does: tables are looked up, layers multiplied,
// with random weights and random inputs. Kinds are const descriptors in engine_types[]; a new one
// is one file engine_x.c, one line in ENGINES and one test.
//
// An engine holds what is read only: tables and weights, one copy for all. Who computes is a
// worker, one thread's, with inputs and activations of its own; a worker moves to no other thread
// once it has run. Inputs are drawn when a worker is opened, many sets of them, so that no request
// finds the rows of the one before in a cache; running draws nothing and allocates nothing.
//
//     struct engine *engine = engine_open(&engine_spin, &setup, &err);
//     struct engine_limits most = {.items = 1024};
//     struct engine_worker *worker = engine_worker_open(engine, &most, &err);   // on its thread
//     struct engine_request request = {.number = 7, .items = 64};
//     results = engine_worker_run(worker, &request, &n_outputs);
//     engine_worker_close(worker);
//     engine_close(engine);
//
// What is computed is a function of (model, seed, request), whichever the worker; how long
// it takes is the machine's affair. Slices have the results that their items have in the whole,
// to the last bit where the kernels do not depend on how many items there are: of `own`, for slices
// of two items and more; else within what rounding explains (tests/live/test_team.c).
#ifndef NATIVE_ENGINE_H
#define NATIVE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "models/catalogue.h"
#include "models/cost.h"

struct engine_setup {
    const struct model *model; // borrowed until engine_close(); NULL: only a cost is known
    const struct cost *cost;   // what `spin` takes as long as; borrowed likewise, NULL: none
    double most_table_bytes;   // tables beyond this have fewer rows, all by the same factor; 0: all
    enum model_format format;  // that is computed in; 0: fp32
    uint64_t seed;             // of weights and inputs
    const char *library;       // a library loaded at run time, for kinds that need one; NULL: none
    const char *file;          // a model file, likewise
};

// What was set up, for people and for the files that are written of it.
struct engine_facts {
    double table_bytes, weight_bytes; // held
    double table_frac;                // rows held, in parts of the model's
    enum model_format format;         // of both
    bool huge_pages;                  // are the tables in huge pages?
    char kernels[160];                // whose they are, and for which instruction set
};

// A request, or a slice of one that several workers compute: items first .. first + items - 1 of
// whole_items. Its inputs are those that these items have in the whole.
struct engine_request {
    uint64_t number; // says which of the inputs it brings
    uint32_t items;
    uint32_t history_items;      // 0: none
    uint32_t first, whole_items; // 0: it is no slice
};

// The largest request that a worker can run, number by number.
struct engine_limits {
    uint32_t items, history_items;
};

static inline uint32_t engine_request_whole(const struct engine_request *request)
{
    return request->whole_items > 0 ? request->whole_items : request->items;
}

struct engine;
struct engine_worker;

struct engine_type {
    const char *name, *help;
    bool narrows;       // does it compute in other formats than fp32?
    bool reads_file;    // the model is setup->file, whatever its name
    bool reads_history; // may requests have histories?
    size_t state_size;  // of zeroed bytes for the engine, and for each worker
    size_t worker_size;
    // Fills the state; on failure it has released what it took.
    int (*open)(void *state, const struct engine_setup *setup, struct engine_facts *facts,
                struct err *err);
    void (*close)(void *state);
    int (*worker_open)(const void *state, void *worker, const struct engine_limits *most,
                       struct err *err);
    void (*worker_close)(const void *state, void *worker);
    // A request; its results, one row of *n_outputs numbers per item, are valid until the next.
    // NULL: it failed.
    const float *(*run)(const void *state, void *worker, const struct engine_request *request,
                        uint32_t *n_outputs);
};

// All of them, in the order of engine_types[].
#define ENGINES(X) X(spin) X(own) X(ort)

#define ENGINE_EXTERN(name) extern const struct engine_type engine_##name;
ENGINES(ENGINE_EXTERN)
extern const struct engine_type *const engine_types[];   // NULL-terminated
const struct engine_type *engine_find(const char *name); // NULL when unknown

// NULL on failure; the text names what is missing.
struct engine *engine_open(const struct engine_type *type, const struct engine_setup *setup,
                           struct err *err);
void engine_close(struct engine *engine); // NULL: no effect; no worker is open any more
const struct engine_facts *engine_facts_of(const struct engine *engine);

// For requests of 1 to most->items items, and slices of these. To be called on the worker's own
// thread, so that its memory is near it. NULL on failure.
struct engine_worker *engine_worker_open(const struct engine *engine,
                                         const struct engine_limits *most, struct err *err);
void engine_worker_close(struct engine_worker *worker); // NULL: no effect
const float *engine_worker_run(struct engine_worker *worker, const struct engine_request *request,
                               uint32_t *n_outputs);

#endif
