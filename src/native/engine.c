// SPDX-License-Identifier: Apache-2.0
#include "native/engine.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

struct engine {
    const struct engine_type *type;
    struct engine_facts facts;
    void *state;
};

struct engine_worker {
    const struct engine *engine;
    struct engine_limits most;
    void *state;
};

#define ENGINE_ENTRY(name) &engine_##name,
const struct engine_type *const engine_types[] = {ENGINES(ENGINE_ENTRY) NULL};

const struct engine_type *engine_find(const char *name)
{
    for (size_t i = 0; engine_types[i]; i++)
        if (strcmp(engine_types[i]->name, name) == 0)
            return engine_types[i];
    return NULL;
}

struct engine *engine_open(const struct engine_type *type, const struct engine_setup *setup,
                           struct err *err)
{
    if (setup->format != FORMAT_FP32 && !type->narrows) {
        err_set(err, ERR_STUDY, "engine %s: expected the number format fp32, got %s", type->name,
                model_format_names[setup->format]);
        return NULL;
    }
    struct engine *engine = mem_calloc(1, sizeof *engine);
    engine->type = type;
    engine->facts.table_frac = 1;
    engine->facts.format = setup->format;
    engine->state = mem_aligned(64, type->state_size);
    if (type->open(engine->state, setup, &engine->facts, err) == 0)
        return engine;
    mem_free(engine->state);
    mem_free(engine);
    return NULL;
}

void engine_close(struct engine *engine)
{
    if (!engine)
        return;
    engine->type->close(engine->state);
    mem_free(engine->state);
    mem_free(engine);
}

const struct engine_facts *engine_facts_of(const struct engine *engine)
{
    return &engine->facts;
}

struct engine_worker *engine_worker_open(const struct engine *engine,
                                         const struct engine_limits *most, struct err *err)
{
    struct engine_worker *worker = mem_calloc(1, sizeof *worker);
    worker->engine = engine;
    worker->most = *most;
    worker->state = mem_aligned(64, engine->type->worker_size);
    if (engine->type->worker_open(engine->state, worker->state, most, err) == 0)
        return worker;
    mem_free(worker->state);
    mem_free(worker);
    return NULL;
}

void engine_worker_close(struct engine_worker *worker)
{
    if (!worker)
        return;
    worker->engine->type->worker_close(worker->engine->state, worker->state);
    mem_free(worker->state);
    mem_free(worker);
}

const float *engine_worker_run(struct engine_worker *worker, const struct engine_request *request,
                               uint32_t *n_outputs)
{
    const struct engine *engine = worker->engine;
    assert(request->items >= 1 && engine_request_whole(request) <= worker->most.items);
    assert(request->first + request->items <= engine_request_whole(request));
    assert(request->history_items <= worker->most.history_items);
    return engine->type->run(engine->state, worker->state, request, n_outputs);
}
