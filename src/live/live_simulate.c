// SPDX-License-Identifier: Apache-2.0
#include "live/live_simulate.h"

#include <stdlib.h>

#include "base/mem.h"
#include "cluster/run.h"
#include "live/live_trace.h"
#include "models/cost_table.h"
#include "study/study_traffic.h"

// Costs of a group that were changed, and what they are made of; owned.
struct costs {
    uint32_t n;
    struct cost **costs;
    struct cost_config *configs;
    struct cost_table *tables;
};

bool live_simulate_has(const struct live_plan *plan, enum live_term term)
{
    const struct group_config *group = &plan->fleet->groups[0];
    bool any = term == LIVE_ALL_TERMS || (term == LIVE_NO_NOISE && group->noise.spread != 0);
    for (uint32_t i = 0; i < plan->n_services; i++)
        any = any || (term == LIVE_NO_COLD && cost_has_cold(group->costs[i])) ||
              (term == LIVE_ONE_CORE && cost_depends_on_busy(group->costs[i]));
    return any;
}

static struct reals one_value(double value)
{
    double *v = mem_calloc(1, sizeof *v);
    *v = value;
    return (struct reals){1, v};
}

// Every size that can be asked for, measured with one core busy: a table that knows no more.
static void flatten(const struct cost *cost, uint32_t most_items, struct cost_table *table)
{
    double *batches = mem_calloc(most_items, sizeof *batches);
    double *seconds = mem_calloc(most_items, sizeof *seconds), *busy = mem_calloc(1, sizeof *busy);
    const struct cost_history of = cost_history(cost, COST_CPU, 1);
    for (uint32_t n = 1; n <= most_items; n++) {
        batches[n - 1] = n;
        seconds[n - 1] = cost_bare_s(cost, COST_CPU, n, 1);
    }
    *busy = 1;
    *table = (struct cost_table){.batches_items = {most_items, batches},
                                 .busy_cores = {1, busy},
                                 .seconds_s = {most_items, seconds},
                                 .per_history_s = one_value(of.item_s),
                                 .per_history_square_s = one_value(of.square_s),
                                 .per_item_history_s = one_value(of.item_history_s)};
}

static int change(const struct live_plan *plan, enum live_term term, double slower,
                  struct costs *to, struct err *err)
{
    const struct group_config *group = &plan->fleet->groups[0];
    *to = (struct costs){.n = plan->n_services};
    to->costs = mem_calloc(to->n, sizeof(struct cost *));
    to->configs = mem_calloc(to->n, sizeof *to->configs);
    to->tables = mem_calloc(to->n, sizeof *to->tables);
    for (uint32_t i = 0; i < to->n; i++) {
        const struct cost *cost = group->costs[i];
        double mean, square;
        struct cost_config *config = &to->configs[i];
        *config = *cost_config_of(cost);
        if (term == LIVE_NO_COLD)
            config->cold_factor = 1;
        if (term == LIVE_ONE_CORE) {
            flatten(cost, plan->tabs[i]->cpu_items, &to->tables[i]);
            config->kind = cost_type_find("table");
            config->measured = &to->tables[i];
            config->cpu_scale = 1; // it is in the times
        }
        config->cpu_scale = slower * (config->cpu_scale > 0 ? config->cpu_scale : 1); // 0: none
        to->costs[i] = cost_create(config, cost_model_of(cost), cost_platform_of(cost), err);
        if (!to->costs[i])
            return -1;
        study_traffic_history(&plan->fleet->services[i].traffic, &mean, &square);
        if (cost_has_history(to->costs[i]))
            cost_set_history(to->costs[i], mean, square);
    }
    return 0;
}

static void release(struct costs *costs)
{
    for (uint32_t i = 0; costs->costs && i < costs->n; i++) {
        cost_destroy(costs->costs[i]);
        mem_free(costs->tables[i].batches_items.v);
        mem_free(costs->tables[i].busy_cores.v);
        mem_free(costs->tables[i].seconds_s.v);
        mem_free(costs->tables[i].per_history_s.v);
        mem_free(costs->tables[i].per_history_square_s.v);
        mem_free(costs->tables[i].per_item_history_s.v);
    }
    mem_free(costs->costs);
    mem_free(costs->configs);
    mem_free(costs->tables);
}

// A service of which nothing arrived gets a record behind the end, which nobody reads.
static struct trace *trace_of(const struct live_log *log, uint32_t service)
{
    struct trace *trace = live_trace_of(log, service);
    if (!trace) {
        trace = trace_create(true);
        trace_append(trace, log->plan->fleet->duration_ns, 1);
    }
    return trace;
}

static int simulate(MPI_Comm comm, const struct live_log *log, const struct group_config *group,
                    struct record *record, struct err *err)
{
    uint32_t n = log->plan->n_services;
    struct fleet_config fleet = *log->plan->fleet;
    struct service_config *services = mem_calloc(n, sizeof *services);
    struct trace **traces = mem_calloc(n, sizeof(struct trace *));
    const struct run_options options = {.layout = LAYOUT_AUTO};
    struct run_cost cost = {0};
    for (uint32_t i = 0; i < n; i++) {
        traces[i] = trace_of(log, i);
        services[i] = fleet.services[i];
        services[i].traffic.arrivals =
            (struct arrival_config){.process = arrival_find("replay"), .trace = traces[i]};
    }
    fleet.services = services;
    fleet.groups = group;
    fleet.duration_ns = record->shape.end_ns;
    int rc = run_fleet(comm, &fleet, &options, record, &cost, err);
    for (uint32_t i = 0; i < n; i++)
        trace_destroy(traces[i]);
    mem_free(traces);
    mem_free(services);
    return rc;
}

int live_simulate(MPI_Comm comm, const struct live_log *log, enum live_term term, double slower,
                  struct record *record, struct err *err)
{
    struct group_config group = log->plan->fleet->groups[0];
    struct costs costs = {0};
    int rc = 0;
    if (term == LIVE_NO_NOISE)
        group.noise = (struct noise_config){.spread = SPREAD_NONE};
    if (term == LIVE_NO_COLD || term == LIVE_ONE_CORE || slower != 1) {
        rc = change(log->plan, term, slower, &costs, err);
        group.costs = (const struct cost *const *)costs.costs;
    }
    if (rc == 0)
        rc = simulate(comm, log, &group, record, err);
    release(&costs);
    return rc;
}
