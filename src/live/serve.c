// SPDX-License-Identifier: Apache-2.0
#include "live/serve.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "live/live_clock.h"
#include "live/live_host.h"
#include "live/live_load.h"
#include "live/live_server.h"
#include "live/topology.h"

#define LEAD_NS (20 * SIMTIME_MS) // from the start's being named until it
#define LOOK_NS (20 * SIMTIME_MS)

const char *const serve_sender_names[] = {"auto", "thread", "workers", NULL};

// All of one run.
struct serving {
    const struct live_plan *plan;
    const struct serve_config *config;
    struct serve_result *result;
    struct topology topology;
    struct live_server *server;
    int *cpus;       // [n_cores] of the topology, the workers' first, or of n_workers: -1
    uint32_t n_used; // by workers
    struct live_host host;
    struct live_load load;
    pthread_t sender;
    bool has_sender;
    atomic_bool sender_stops;
};

// Workers have cores of their own where there are as many; the sender has the next one. Where each
// has one, they may also share what there is.
static int share_cores(struct serving *serving, struct err *err)
{
    const struct topology *topology = &serving->topology;
    uint32_t n_workers = serving->plan->n_workers, each = serving->plan->cores_per_worker;
    size_t n_teams = 0;
    serving->n_used = n_workers * each;
    serving->cpus = mem_calloc(serving->n_used + topology->n_cores, sizeof *serving->cpus);
    if (each <= topology->n_cores)
        n_teams = topology_teams(topology, each, serving->cpus);
    if (n_teams >= n_workers)
        return 0;
    if (each > 1)
        return err_set(err, ERR_STUDY,
                       "%u worker%s of %u cores each (cores, cores_per_worker): expected at most "
                       "%zu cores together, those that this process may use",
                       n_workers, n_workers == 1 ? "" : "s", each, topology->n_cores);
    for (uint32_t i = 0; i < n_workers; i++)
        serving->cpus[i] = -1;
    return 0;
}

static int open_host(struct serving *serving, struct err *err)
{
    const struct serve_config *config = serving->config;
    if (share_cores(serving, err) < 0)
        return -1;
    serving->host = (struct live_host){.server = serving->server,
                                       .plan = serving->plan,
                                       .engine = config->engine,
                                       .setup = &config->setup,
                                       .cpus = serving->cpus,
                                       .rests = config->rests,
                                       .fail_after = config->fail_after};
    return live_host_open(&serving->host, err);
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
    bool spare = serving->topology.n_cores > serving->n_used;
    serving->load = (struct live_load){.server = serving->server,
                                       .plan = serving->plan,
                                       .cpu = spare ? serving->cpus[serving->n_used] : -1,
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
        result->end_ns = !result->stopped ? duration_ns : now_ns > 0 ? now_ns : 0;
        if (result->stopped || now_ns >= duration_ns)
            return;
        int64_t left_ns = duration_ns - now_ns;
        live_clock_wait(live_clock_ns() + (left_ns < LOOK_NS ? left_ns : LOOK_NS), 0);
    }
}

static void end(struct serving *serving)
{
    atomic_store_explicit(&serving->sender_stops, true, memory_order_relaxed);
    if (serving->has_sender)
        pthread_join(serving->sender, NULL);
    live_host_end(&serving->host, serving->result->end_ns, serving->config->grace_ns);
}

static int run(struct serving *serving, struct err *err)
{
    struct live_host *host = &serving->host;
    struct serve_result *result = serving->result;
    int rc = open_host(serving, err);
    if (rc == 0) {
        live_server_start(serving->server, live_clock_ns() + LEAD_NS);
        rc = start_sender(serving, err);
        live_host_begin(host);
        if (rc == 0)
            watch(serving);
        end(serving);
    }
    live_host_close(host);
    result->n_pinned = host->n_pinned;
    result->n_failed = host->n_failed;
    result->interference = host->interference;
    result->table_frac = host->table_frac;
    snprintf(result->kernels, sizeof result->kernels, "%s", host->kernels);
    return rc;
}

int serve_run(const struct live_plan *plan, const struct serve_config *config,
              struct serve_result *result, struct err *err)
{
    struct serving serving = {.plan = plan, .config = config, .result = result};
    *result = (struct serve_result){
        .n_servers = 1, .n_workers = plan->n_workers, .cores_per_worker = plan->cores_per_worker};
    topology_read(&serving.topology);
    result->log = live_log_create(plan);
    result->n_cores = (uint32_t)serving.topology.n_cores;
    result->sender_has_core =
        serving.topology.n_cores > (size_t)plan->n_workers * plan->cores_per_worker;
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
    mem_free(serving.cpus);
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
