// SPDX-License-Identifier: Apache-2.0
#include "live/worker.h"

#include <string.h>

#include "base/simtime.h"
#include "live/live_clock.h"

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
    const struct team_config team = {.cpus = worker->cpus,
                                     .n_members = plan->cores_per_worker,
                                     .most = {plan->most_items, plan->most_history_items},
                                     .idle = LIVE_CLOCK_SLEEP};
    const char *why;
    worker->team = team_open(&team, err);
    if (!worker->team)
        return -1;
    for (uint32_t i = 0; i < plan->n_services; i++)
        if (team_add(worker->team, worker->engines[i], err) < 0)
            return err_prefix(err, "service %s", plan->fleet->services[i].name);
    worker->pinned = team_pinned(worker->team, &why);
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
            const struct engine_request request = {.number = UINT64_MAX - n,
                                                   .items = items,
                                                   .history_items =
                                                       worker->plan->most_history_items};
            team_run(worker->team, i, &request, &n_outputs);
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
        const struct engine_request request = {.number = job->number,
                                               .items = job->request.n_items,
                                               .history_items = job->request.history_items};
        bool fails = worker->fail_after > 0 && worker->n_requests == worker->fail_after;
        const float *outputs =
            fails ? NULL : team_run(worker->team, job->request.service, &request, &n_outputs);
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
    double steal_s = team_steal_s(worker->team);
    team_idle(worker->team, worker->rests ? LIVE_CLOCK_SLEEP : LIVE_CLOCK_SPIN);
    team_take_interference(worker->team, NULL);
    interference_mark(&mark);
    worker->failed = !run_requests(worker, &job);
    if (worker->failed)
        live_server_fail(worker->server, &job);
    if (!worker->rests)
        interference_add(&worker->interference, &mark);
    team_take_interference(worker->team, &worker->interference);
    worker->interference.steal_s = team_steal_s(worker->team) - steal_s;
}

static void *main_of(void *user)
{
    struct worker *worker = user;
    struct err err = {0};
    live_clock_sharpen();
    int rc = open_engines(worker, &err);
    if (rc == 0)
        warm_up(worker);
    if (pass_gate(worker->gate, rc < 0 ? &err : NULL))
        run(worker);
    team_close(worker->team);
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
