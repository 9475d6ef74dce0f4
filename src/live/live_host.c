// SPDX-License-Identifier: Apache-2.0
#include "live/live_host.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "live/live_clock.h"

static int open_engines(struct live_host *host, struct err *err)
{
    const struct live_plan *plan = host->plan;
    const struct group_config *group = &plan->fleet->groups[0];
    host->engines = mem_calloc(plan->n_services, sizeof(struct engine *));
    for (uint32_t i = 0; i < plan->n_services; i++) {
        const struct service_config *service = &plan->fleet->services[i];
        if (service->traffic.has_history && !host->engine->reads_history)
            return err_set(err, ERR_STUDY,
                           "service %s: its queries have histories, which engine %s does not read",
                           service->name, host->engine->name);
        struct engine_setup setup = *host->setup;
        setup.cost = group->costs[i];
        setup.model = cost_model_of(group->costs[i]);
        setup.seed = plan->fleet->seed;
        host->engines[i] = engine_open(host->engine, &setup, err);
        if (!host->engines[i])
            return err_prefix(err, "service %s", plan->fleet->services[i].name);
    }
    const struct engine_facts *facts = engine_facts_of(host->engines[0]);
    snprintf(host->kernels, sizeof host->kernels, "%s", facts->kernels);
    host->table_frac = facts->table_frac;
    return 0;
}

int live_host_open(struct live_host *host, struct err *err)
{
    const struct live_plan *plan = host->plan;
    if (open_engines(host, err) < 0)
        return -1;
    worker_gate_init(&host->gate, plan->n_workers);
    host->workers = mem_calloc(plan->n_workers, sizeof *host->workers);
    for (uint32_t i = 0; i < plan->n_workers; i++) {
        host->workers[i] = (struct worker){.server = host->server,
                                           .plan = plan,
                                           .engines = host->engines,
                                           .gate = &host->gate,
                                           .number = i,
                                           .cpus = host->cpus + (size_t)i * plan->cores_per_worker,
                                           .rests = host->rests,
                                           .fail_after = i == 0 ? (uint64_t)host->fail_after : 0};
        if (worker_start(&host->workers[i], err) < 0)
            break;
        host->n_started++;
    }
    for (uint32_t i = host->n_started + 1; i < plan->n_workers; i++)
        host->gate.n_broken++; // those that were not tried
    return worker_gate_wait(&host->gate, err);
}

void live_host_begin(struct live_host *host)
{
    host->begun = true;
    worker_gate_open(&host->gate);
}

void live_host_end(struct live_host *host, int64_t until_ns, int64_t grace_ns)
{
    int64_t left_ns = live_clock_ns() + grace_ns;
    live_server_close(host->server, until_ns);
    while (!live_server_is_done(host->server) && live_clock_ns() < left_ns)
        live_clock_wait(live_clock_ns() + SIMTIME_MS, 0);
    live_server_abandon(host->server);
}

static void join_workers(struct live_host *host)
{
    if (host->n_started > 0 && !host->begun) {
        live_server_abandon(host->server);
        worker_gate_open(&host->gate);
    }
    for (uint32_t i = 0; i < host->n_started; i++) {
        struct worker *worker = &host->workers[i];
        worker_join(worker);
        host->n_pinned += worker->pinned;
        host->n_failed += worker->failed;
        interference_merge(&host->interference, &worker->interference);
    }
    if (host->workers)
        worker_gate_release(&host->gate);
}

void live_host_close(struct live_host *host)
{
    join_workers(host);
    for (uint32_t i = 0; host->engines && i < host->plan->n_services; i++)
        engine_close(host->engines[i]);
    mem_free(host->engines);
    mem_free(host->workers);
    host->engines = NULL;
    host->workers = NULL;
    host->n_started = 0;
}
