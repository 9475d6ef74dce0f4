// SPDX-License-Identifier: Apache-2.0
// spin: computes nothing and takes as long as a cost says, on one busy core. What it shows is
// everything but the model: queues, threads, clocks, files. The cost is of a request, so each slice
// of one takes as long as the whole.
#include "base/mem.h"
#include "base/wallclock.h"
#include "native/engine.h"

struct spin {
    const struct cost *cost;
};

struct spin_worker {
    float *outputs; // [most->items]
};

static int spin_open(void *state, const struct engine_setup *setup, struct engine_facts *facts,
                     struct err *err)
{
    struct spin *spin = state;
    (void)facts;
    if (!setup->cost)
        return err_set(err, ERR_STUDY, "engine spin: expected a study, whose costs it takes");
    spin->cost = setup->cost;
    return 0;
}

static void spin_close(void *state)
{
    (void)state;
}

static int spin_worker_open(const void *state, void *worker, const struct engine_limits *most,
                            struct err *err)
{
    (void)state;
    (void)err;
    ((struct spin_worker *)worker)->outputs = mem_calloc(most->items, sizeof(float));
    return 0;
}

static void spin_worker_close(const void *state, void *worker)
{
    (void)state;
    mem_free(((struct spin_worker *)worker)->outputs);
}

static const float *spin_run(const void *state, void *worker, const struct engine_request *request,
                             uint32_t *n_outputs)
{
    const struct cost *cost = ((const struct spin *)state)->cost;
    const struct cost_history of = cost_history(cost, COST_CPU, 1);
    uint32_t items = engine_request_whole(request);
    double begin_s = wallclock_s(), h = request->history_items;
    double end_s = begin_s + cost_bare_s(cost, COST_CPU, items, 1) +
                   h * (of.item_s + of.square_s * h + of.item_history_s * items);
    while (wallclock_s() < end_s)
        ;
    *n_outputs = 1;
    return ((struct spin_worker *)worker)->outputs;
}

const struct engine_type engine_spin = {
    .name = "spin",
    .help = "computes nothing, takes as long as the study's costs say",
    .reads_history = true,
    .state_size = sizeof(struct spin),
    .worker_size = sizeof(struct spin_worker),
    .open = spin_open,
    .close = spin_close,
    .worker_open = spin_worker_open,
    .worker_close = spin_worker_close,
    .run = spin_run,
};
