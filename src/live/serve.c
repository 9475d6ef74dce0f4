// SPDX-License-Identifier: Apache-2.0
#include "live/serve.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "live/live_clock.h"
#include "live/live_load.h"
#include "live/live_server.h"
#include "live/topology.h"
#include "live/worker.h"

#define LEAD_NS (20 * SIMTIME_MS) // from the start's being named until it
#define LOOK_NS (20 * SIMTIME_MS)

const char *const serve_sender_names[] = {"auto", "thread", "workers", NULL};

// All of one run.
struct serving {
    const struct live_plan *plan;
    const struct serve_config *config;
    struct serve_result *result;
    struct topology topology;
    struct engine **engines; // [n_services]
    struct live_server *server;
    struct worker *workers; // [n_workers]
    uint32_t n_started;
    struct worker_gate gate;
    struct live_load load;
    pthread_t sender;
    bool has_sender;
    atomic_bool sender_stops;
};

static int open_engines(struct serving *serving, struct err *err)
{
    const struct live_plan *plan = serving->plan;
    const struct group_config *group = &plan->fleet->groups[0];
    serving->engines = mem_calloc(plan->n_services, sizeof(struct engine *));
    for (uint32_t i = 0; i < plan->n_services; i++) {
        struct engine_setup setup = serving->config->setup;
        setup.cost = group->costs[i];
        setup.model = cost_model_of(group->costs[i]);
        setup.seed = plan->fleet->seed;
        serving->engines[i] = engine_open(serving->config->engine, &setup, err);
        if (!serving->engines[i])
            return err_prefix(err, "service %s", plan->fleet->services[i].name);
    }
    const struct engine_facts *facts = engine_facts_of(serving->engines[0]);
    snprintf(serving->result->kernels, sizeof serving->result->kernels, "%s", facts->kernels);
    serving->result->table_frac = facts->table_frac;
    return 0;
}

// Workers have a core each where there are as many; the sender has the next one.
static int start_workers(struct serving *serving, struct err *err)
{
    const struct live_plan *plan = serving->plan;
    bool fits = plan->n_workers <= serving->topology.n_cores;
    worker_gate_init(&serving->gate, plan->n_workers);
    serving->workers = mem_calloc(plan->n_workers, sizeof *serving->workers);
    for (uint32_t i = 0; i < plan->n_workers; i++) {
        serving->workers[i] =
            (struct worker){.server = serving->server,
                            .plan = plan,
                            .engines = serving->engines,
                            .gate = &serving->gate,
                            .number = i,
                            .cpu = fits ? serving->topology.cores[i].cpu : -1,
                            .rests = serving->config->rests,
                            .fail_after = i == 0 ? (uint64_t)serving->config->fail_after : 0};
        if (worker_start(&serving->workers[i], err) < 0)
            break;
        serving->n_started++;
    }
    for (uint32_t i = serving->n_started + 1; i < plan->n_workers; i++)
        serving->gate.n_broken++; // those that were not tried
    return worker_gate_wait(&serving->gate, err);
}

static bool sender_stops(void *user)
{
    return atomic_load_explicit(&((struct serving *)user)->sender_stops, memory_order_relaxed);
}

static void *send_all(void *user)
{
    live_load_send(&((struct serving *)user)->load);
    return NULL;
}

static int start_sender(struct serving *serving, struct err *err)
{
    uint32_t n_workers = serving->plan->n_workers;
    bool spare = serving->topology.n_cores > n_workers;
    serving->load = (struct live_load){.server = serving->server,
                                       .plan = serving->plan,
                                       .cpu = spare ? serving->topology.cores[n_workers].cpu : -1,
                                       .stops = sender_stops,
                                       .user = serving};
    if (!serving->result->sent_by_thread)
        return 0;
    int why = pthread_create(&serving->sender, NULL, send_all, serving);
    if (why != 0)
        return err_set(err, ERR_FAIL, "no thread to send queries: %s", strerror(why));
    serving->has_sender = true;
    return 0;
}

// Until the duration is over, or it is to stop.
static void watch(struct serving *serving)
{
    const struct serve_config *config = serving->config;
    int64_t duration_ns = serving->plan->fleet->duration_ns;
    struct serve_result *result = serving->result;
    for (;;) {
        int64_t now_ns = live_server_now_ns(serving->server);
        bool stops = (config->stops && config->stops(config->user)) ||
                     live_server_n_alive(serving->server) == 0;
        if (config->progress)
            config->progress(config->user, now_ns < duration_ns ? now_ns : duration_ns);
        result->stopped = stops && now_ns < duration_ns;
        result->end_ns = result->stopped ? now_ns : duration_ns;
        if (result->stopped || now_ns >= duration_ns)
            return;
        int64_t left_ns = duration_ns - now_ns;
        live_clock_wait(live_clock_ns() + (left_ns < LOOK_NS ? left_ns : LOOK_NS), 0);
    }
}

static void end(struct serving *serving)
{
    int64_t left_ns = live_clock_ns() + serving->config->grace_ns;
    atomic_store_explicit(&serving->sender_stops, true, memory_order_relaxed);
    if (serving->has_sender)
        pthread_join(serving->sender, NULL);
    live_server_close(serving->server, serving->result->end_ns);
    while (!live_server_is_done(serving->server) && live_clock_ns() < left_ns)
        live_clock_wait(live_clock_ns() + SIMTIME_MS, 0);
    live_server_abandon(serving->server);
}

static void join_workers(struct serving *serving)
{
    struct serve_result *result = serving->result;
    for (uint32_t i = 0; i < serving->n_started; i++) {
        struct worker *worker = &serving->workers[i];
        worker_join(worker);
        result->n_pinned += worker->pinned;
        result->n_failed += worker->failed;
        interference_merge(&result->interference, &worker->interference);
    }
}

static int run(struct serving *serving, struct err *err)
{
    int rc = open_engines(serving, err);
    if (rc == 0) {
        rc = start_workers(serving, err);
        if (rc == 0) {
            live_server_start(serving->server, live_clock_ns() + LEAD_NS);
            rc = start_sender(serving, err);
            worker_gate_open(&serving->gate);
            if (rc == 0)
                watch(serving);
            end(serving);
        }
        join_workers(serving);
        worker_gate_release(&serving->gate);
    }
    return rc;
}

int serve_run(const struct live_plan *plan, const struct serve_config *config,
              struct serve_result *result, struct err *err)
{
    struct serving serving = {.plan = plan, .config = config, .result = result};
    *result = (struct serve_result){.n_workers = plan->n_workers};
    topology_read(&serving.topology);
    result->log = live_log_create(plan);
    result->n_cores = (uint32_t)serving.topology.n_cores;
    result->sender_has_core = serving.topology.n_cores > plan->n_workers;
    result->sent_by_thread = config->sender == SERVE_SENDER_THREAD ||
                             (config->sender == SERVE_SENDER_AUTO && result->sender_has_core);
    snprintf(result->processor, sizeof result->processor, "%s", serving.topology.processor);
    const struct live_server_config server = {.log = result->log,
                                              .most_waiting = (uint32_t)config->most_waiting,
                                              .takes_arrivals = !result->sent_by_thread,
                                              .idle_sleeps = config->rests};
    serving.server = live_server_create(&server);
    int rc = run(&serving, err);
    result->counts = live_log_count(result->log);
    live_server_destroy(serving.server);
    for (uint32_t i = 0; serving.engines && i < plan->n_services; i++)
        engine_close(serving.engines[i]);
    mem_free(serving.engines);
    mem_free(serving.workers);
    topology_release(&serving.topology);
    if (rc < 0)
        serve_release(result);
    return rc;
}

void serve_release(struct serve_result *result)
{
    live_log_destroy(result->log);
    result->log = NULL;
}
