// SPDX-License-Identifier: Apache-2.0
#include "live/worker.h"

#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "live/live_clock.h"
#include "live/topology.h"

#define WARM_REQUESTS 8
#define WARM_LONGEST_NS (200 * SIMTIME_MS)

// ---- the gate -----------------------------------------------------------------------------------

void worker_gate_init(struct worker_gate *gate, uint32_t n_workers)
{
    *gate = (struct worker_gate){.n_workers = n_workers};
    pthread_mutex_init(&gate->lock, NULL);
    pthread_cond_init(&gate->changed, NULL);
}

void worker_gate_release(struct worker_gate *gate)
{
    pthread_cond_destroy(&gate->changed);
    pthread_mutex_destroy(&gate->lock);
}

int worker_gate_wait(struct worker_gate *gate, struct err *err)
{
    pthread_mutex_lock(&gate->lock);
    while (gate->n_ready + gate->n_broken < gate->n_workers)
        pthread_cond_wait(&gate->changed, &gate->lock);
    bool broken = gate->n_broken > 0;
    if (broken && err)
        *err = gate->err;
    gate->given_up = broken;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
    return broken ? -1 : 0;
}

void worker_gate_open(struct worker_gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->open = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

// True: it may begin. An error in *err: it cannot.
static bool pass_gate(struct worker_gate *gate, const struct err *err)
{
    pthread_mutex_lock(&gate->lock);
    if (err && gate->n_broken++ == 0)
        gate->err = *err;
    gate->n_ready += err ? 0 : 1;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->open && !gate->given_up)
        pthread_cond_wait(&gate->changed, &gate->lock);
    bool open = gate->open;
    pthread_mutex_unlock(&gate->lock);
    return open && !err;
}

// ---- the thread ---------------------------------------------------------------------------------

static int open_engines(struct worker *worker, struct err *err)
{
    const struct live_plan *plan = worker->plan;
    const struct engine_limits most = {plan->most_items, plan->most_history_items};
    for (uint32_t i = 0; i < worker->plan->n_services; i++) {
        worker->opened[i] = engine_worker_open(worker->engines[i], &most, err);
        if (!worker->opened[i])
            return err_prefix(err, "service %s", worker->plan->fleet->services[i].name);
    }
    return 0;
}

// Memory and caches that are new to it, and the code itself.
static void warm_up(struct worker *worker)
{
    int64_t until_ns = live_clock_ns() + WARM_LONGEST_NS;
    uint32_t n_outputs;
    for (uint32_t i = 0; i < worker->plan->n_services; i++)
        for (uint64_t n = 0; n < WARM_REQUESTS && live_clock_ns() < until_ns; n++) {
            const struct batcher_rule *rule = &worker->plan->rules[i][PLACE_CORES];
            uint32_t most = worker->plan->most_items;
            uint32_t items = rule->most_items < most ? rule->most_items : most;
            uint32_t history = worker->plan->most_history_items;
            engine_worker_run(worker->opened[i],
                              &(struct engine_request){UINT64_MAX - n, items, history}, &n_outputs);
        }
}

// Until there are no more requests, or one fails: then the job still has it.
static bool run_requests(struct worker *worker, struct live_job *job)
{
    struct live_server *server = worker->server;
    struct interference_mark mark;
    uint32_t n_outputs;
    while (live_server_next(server, job)) {
        if (worker->rests)
            interference_mark(&mark);
        job->request.begin_ns = live_server_now_ns(server);
        const float *outputs =
            worker->fail_after > 0 && worker->n_requests == worker->fail_after
                ? NULL
                : engine_worker_run(worker->opened[job->request.service],
                                    &(struct engine_request){job->number, job->request.n_items,
                                                             job->request.history_items},
                                    &n_outputs);
        job->request.end_ns = live_server_now_ns(server);
        if (worker->rests)
            interference_add(&worker->interference, &mark);
        if (!outputs)
            return false;
        worker->n_requests++;
    }
    return true;
}

static void run(struct worker *worker)
{
    struct live_job job = {.worker = worker->number};
    struct interference_mark mark;
    double steal_s = worker->cpu >= 0 ? interference_steal_s(worker->cpu) : 0;
    interference_mark(&mark);
    worker->failed = !run_requests(worker, &job);
    if (worker->failed)
        live_server_fail(worker->server, &job);
    if (!worker->rests)
        interference_add(&worker->interference, &mark);
    if (worker->cpu >= 0)
        worker->interference.steal_s = interference_steal_s(worker->cpu) - steal_s;
}

static void *main_of(void *user)
{
    struct worker *worker = user;
    struct err err = {0};
    worker->pinned = worker->cpu >= 0 && topology_pin(worker->cpu, NULL) == 0;
    live_clock_sharpen();
    worker->opened = mem_calloc(worker->plan->n_services, sizeof(struct engine_worker *));
    int rc = open_engines(worker, &err);
    if (rc == 0)
        warm_up(worker);
    if (pass_gate(worker->gate, rc < 0 ? &err : NULL))
        run(worker);
    for (uint32_t i = 0; i < worker->plan->n_services; i++)
        engine_worker_close(worker->opened[i]);
    mem_free(worker->opened);
    return NULL;
}

int worker_start(struct worker *worker, struct err *err)
{
    int why = pthread_create(&worker->thread, NULL, main_of, worker);
    if (why == 0)
        return 0;
    err_set(err, ERR_FAIL, "worker %u: no thread: %s", worker->number, strerror(why));
    pthread_mutex_lock(&worker->gate->lock);
    if (worker->gate->n_broken++ == 0)
        worker->gate->err = *err;
    pthread_mutex_unlock(&worker->gate->lock);
    return -1;
}

void worker_join(struct worker *worker)
{
    pthread_join(worker->thread, NULL);
}
