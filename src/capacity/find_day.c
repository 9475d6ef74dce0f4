// SPDX-License-Identifier: Apache-2.0
#include "capacity/find_day.h"

#include <math.h>

#include "capacity/day.h"
#include "capacity/plan.h"
#include "base/mem.h"
#include "results/report/capacity_rows.h"

// Servers that serve some services over the day of one plan: one service, or all of them where the
// fleet is the one that stands.
struct pool {
    struct capacity_context *context;
    size_t plan; // of capacity_result_plan_at()
    uint32_t scheduler, service, n_services;
    bool given;
    struct fleet_variant *fleets; // [interval]
    uint32_t *n_servers;          // [interval][type]
    double *weights;              // [type]
    double *rates_qps;            // [interval][service]; NULL: the services' own processes
};

static bool is_given(const struct capacity_context *context)
{
    return context->study->capacity.find == FIND_DAY;
}

// ---- a pool -------------------------------------------------------------------------------------

static void make_fleet(struct pool *pool, uint32_t interval)
{
    const struct capacity_context *context = pool->context;
    const struct capacity_result *answer = context->answer;
    uint32_t n_types = answer->n_types, *n_servers = pool->n_servers + (size_t)interval * n_types;
    size_t first = (pool->plan * answer->n_intervals + interval) * n_types;
    for (uint32_t h = 0; h < n_types; h++)
        n_servers[h] = pool->given
                           ? answer->n_on[first + h]
                           : answer->n_assigned[(first + h) * answer->n_services + pool->service];
    pool->fleets[interval] =
        (struct fleet_variant){.study = context->study,
                               .n_servers = n_servers,
                               .weights = pool->given ? NULL : pool->weights,
                               .choices = capacity_context_choices(context, pool->scheduler),
                               .services = pool->given ? NULL : &pool->service,
                               .n_services = pool->n_services,
                               .n_cells = (uint32_t)context->study->cells};
}

static void open_pool(struct pool *pool)
{
    const struct capacity_result *answer = pool->context->answer;
    const struct service_config *services = pool->context->study->services + pool->service;
    uint32_t n = answer->n_intervals;
    bool replays = false;
    pool->fleets = mem_calloc(n, sizeof *pool->fleets);
    pool->n_servers = mem_calloc((size_t)n * answer->n_types, sizeof *pool->n_servers);
    pool->weights = mem_calloc(answer->n_types, sizeof *pool->weights);
    for (uint32_t h = 0; h < answer->n_types; h++) {
        size_t type = (size_t)pool->scheduler * answer->n_types + h;
        double qps = answer->tuples[type * answer->n_services + pool->service].qps;
        pool->weights[h] = qps > 0 ? qps : 1; // those that hold nothing are in no pool
    }
    for (uint32_t i = 0; i < n; i++)
        make_fleet(pool, i);
    for (uint32_t s = 0; s < pool->n_services; s++)
        replays |= arrival_types[services[s].traffic.arrivals.process] == &arrival_replay;
    if (!replays)
        return;
    pool->rates_qps = mem_calloc((size_t)n * pool->n_services, sizeof *pool->rates_qps);
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t s = 0; s < pool->n_services; s++)
            pool->rates_qps[(size_t)i * pool->n_services + s] =
                answer->demand[(size_t)i * answer->n_services + pool->service + s].mean_qps;
}

// Of the first plan that is simulated; where lengths are chosen, they differ from pool to pool.
static void put_sample(struct capacity_sample *sum, const struct capacity_sample *pool)
{
    if (sum->n_windows == 0) {
        *sum = *pool;
        return;
    }
    sum->window_s = fmin(sum->window_s, pool->window_s);
    sum->window_most_s = fmax(sum->window_most_s, pool->window_most_s);
    sum->warmup_s = fmin(sum->warmup_s, pool->warmup_s);
    sum->warmup_most_s = fmax(sum->warmup_most_s, pool->warmup_most_s);
    sum->n_queries += pool->n_queries;
    sum->of_queries += pool->of_queries;
}

// Its rows go straight into the answer; `first`: so does what was sampled.
static int run_pool(struct pool *pool, bool first, struct err *err)
{
    struct capacity_result *answer = pool->context->answer;
    uint32_t n = answer->n_intervals, n_services = answer->n_services;
    struct capacity_step *steps = answer->steps + pool->plan * n;
    struct day_result found = {
        .rows = {.trials = answer->trials + pool->plan * n * n_services + pool->service,
                 .stride = n_services,
                 .days = answer->days + pool->plan * n_services + pool->service}};
    open_pool(pool);
    // Of plans it is asked whether targets are met, and there are many; not how long the tail is to
    // a few percent.
    const struct day_plan plan = {
        .fleets = pool->fleets,
        .rates_qps = pool->rates_qps,
        .accuracy_frac = pool->given ? pool->context->study->capacity.accuracy_frac : 0,
        .number = pool->service};
    int rc = day_run(pool->context->bench, &plan, &found, err);
    mem_free(pool->fleets);
    mem_free(pool->n_servers);
    mem_free(pool->weights);
    mem_free(pool->rates_qps);
    if (rc < 0)
        return -1;
    for (uint32_t i = 0; i < n; i++) {
        const struct measurement *trials = found.rows.trials + (size_t)i * n_services;
        steps[i].simulated_w += trials[0].power_w;
        for (uint32_t s = 0; s < pool->n_services; s++)
            capacity_result_count(&answer->totals[pool->plan], trials[s].sla);
    }
    if (first)
        put_sample(&answer->sample, &found.sample);
    pool->context->n_queries += found.n_simulated;
    return 0;
}

// ---- the fleet that stands ----------------------------------------------------------------------

static void switch_on(const struct capacity_context *context, size_t plan)
{
    struct capacity_result *answer = context->answer;
    for (uint32_t i = 0; i < answer->n_intervals; i++) {
        size_t at = plan * answer->n_intervals + i;
        struct capacity_step *step = &answer->steps[at];
        step->simulated_w = 0; // the pool adds its own
        step->cost_usd_per_h = capacity_context_fleet_usd_per_h(context->study);
        for (uint32_t h = 0; h < answer->n_types; h++) {
            answer->n_on[at * answer->n_types + h] = answer->available[h];
            step->n_on += answer->available[h];
            step->embodied_g_per_h +=
                answer->available[h] * plan_embodied_g_per_h(&context->study->groups[h]);
        }
    }
}

static void sum_up(const struct capacity_context *context, size_t plan)
{
    struct capacity_result *answer = context->answer;
    struct capacity_total *total = &answer->totals[plan];
    double hours = answer->interval_s / CAPACITY_S_PER_H;
    total->server_h = total->starting_h = 0;
    total->simulated_kwh = total->cost_usd = total->carbon_kg = total->embodied_kg = 0;
    for (uint32_t i = 0; i < answer->n_intervals; i++) {
        struct capacity_step *step = &answer->steps[plan * answer->n_intervals + i];
        step->carbon_g_per_h =
            step->simulated_w / 1000 * plan_carbon_g_per_kwh(&context->study->capacity, i);
        total->peak_servers = step->n_on;
        total->server_h += step->n_on * hours;
        total->simulated_kwh += step->simulated_w * hours / 1000;
        total->cost_usd += step->cost_usd_per_h * hours;
        total->carbon_kg += step->carbon_g_per_h * hours / 1000;
        total->embodied_kg += step->embodied_g_per_h * hours / 1000;
    }
}

// ---- plans --------------------------------------------------------------------------------------

// Pools are simulated without them. Watts of the servers that are on without a use.
static double spare_w(const struct capacity_result *answer, uint32_t scheduler, size_t step)
{
    double sum = 0;
    for (uint32_t h = 0; h < answer->n_types; h++) {
        size_t pair = ((size_t)scheduler * answer->n_types + h) * answer->n_services;
        const uint32_t *assigned =
            answer->n_assigned + (step * answer->n_types + h) * answer->n_services;
        uint32_t spare = answer->n_on[step * answer->n_types + h];
        for (uint32_t m = 0; m < answer->n_services; m++)
            spare -= assigned[m];
        sum += spare * answer->tuples[pair].idle_w;
    }
    return sum;
}

static int run_plan(struct capacity_context *context, uint32_t scheduler, size_t plan, bool first,
                    struct err *err)
{
    struct capacity_result *answer = context->answer;
    struct capacity_step *steps = answer->steps + plan * answer->n_intervals;
    struct capacity_total *total = &answer->totals[plan];
    bool given = is_given(context);
    uint32_t n_pools = given ? 1 : answer->n_services;
    if (given)
        switch_on(context, plan);
    for (uint32_t i = 0; !given && i < answer->n_intervals; i++)
        steps[i].simulated_w = spare_w(answer, scheduler, plan * answer->n_intervals + i);
    for (uint32_t p = 0; p < n_pools; p++) {
        struct pool pool = {.context = context,
                            .plan = plan,
                            .scheduler = scheduler,
                            .service = p,
                            .n_services = answer->n_services / n_pools,
                            .given = given};
        capacity_context_part(context, (double)p / n_pools, (p + 1.0) / n_pools);
        if (run_pool(&pool, first, err) < 0 ||
            capacity_context_done(context, (p + 1.0) / n_pools, err) < 0)
            return -1;
    }
    if (given) {
        sum_up(context, plan);
        return 0;
    }
    double hours = answer->interval_s / CAPACITY_S_PER_H;
    total->simulated_kwh = total->planned_kwh; // what starting takes is as planned
    for (uint32_t i = 0; i < answer->n_intervals; i++)
        total->simulated_kwh += (steps[i].simulated_w - steps[i].planned_w) * hours / 1000;
    return 0;
}

// "deeprecsched, optimal, follow"; of the fleet as it is the scheduler alone.
static void name_row(struct capacity_context *context, uint32_t plan)
{
    const struct capacity_plan row = capacity_rows_plan(context->answer, plan);
    if (is_given(context))
        capacity_context_label(context, "%s", row.scheduler);
    else
        capacity_context_label(context, "%s, %s, %s", row.scheduler, row.allocation,
                               row.provisioning);
}

int find_day_run(struct capacity_context *context, struct err *err)
{
    struct capacity_result *answer = context->answer;
    uint32_t per_scheduler = answer->n_allocations * answer->n_provisionings;
    uint32_t n = answer->n_schedulers * per_scheduler;
    bool first = true; // plans before it may have been impossible
    for (uint32_t plan = 0; plan < n; plan++) {
        capacity_context_row(context, is_given(context) ? "day" : "plan", plan, n);
        if (answer->totals[plan].state != CAPACITY_FOUND)
            continue;
        name_row(context, plan);
        if (run_plan(context, plan / per_scheduler, plan, first, err) < 0)
            return -1;
        context->n_rows = plan + 1;
        first = false;
    }
    return 0;
}
