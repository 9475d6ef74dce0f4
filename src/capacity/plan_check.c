// SPDX-License-Identifier: Apache-2.0
#include "capacity/plan_check.h"

#include <math.h>
#include <string.h>

#include "capacity/day.h"
#include "base/mem.h"

// One service over a day under one plan: its pool of every interval.
struct pool_day {
    struct capacity_context *context;
    uint32_t scheduler, service;
    size_t plan;                  // of capacity_result_plan_at()
    struct fleet_variant *fleets; // [interval]
    uint32_t *n_servers;          // [interval][type]
    double *weights;              // [type]
    double *rates_qps;            // [interval]; NULL: the service's own process
};

// ---- pools --------------------------------------------------------------------------------------

static void make_fleet(struct pool_day *day, uint32_t interval)
{
    const struct capacity_context *context = day->context;
    const struct capacity_result *answer = context->answer;
    uint32_t n_types = answer->n_types, *n_servers = day->n_servers + (size_t)interval * n_types;
    size_t first = (day->plan * answer->n_intervals + interval) * n_types;
    for (uint32_t h = 0; h < n_types; h++)
        n_servers[h] = answer->n_assigned[(first + h) * answer->n_services + day->service];
    day->fleets[interval] =
        (struct fleet_variant){.study = context->study,
                               .n_servers = n_servers,
                               .weights = day->weights,
                               .choices = capacity_context_choices(context, day->scheduler),
                               .services = &day->service,
                               .n_services = 1,
                               .n_cells = (uint32_t)context->study->cells};
}

static void weigh_types(struct pool_day *day)
{
    const struct capacity_result *answer = day->context->answer;
    for (uint32_t h = 0; h < answer->n_types; h++) {
        size_t type = (size_t)day->scheduler * answer->n_types + h;
        double qps = answer->tuples[type * answer->n_services + day->service].qps;
        day->weights[h] = qps > 0 ? qps : 1; // those that hold nothing are in no pool
    }
}

static void open_day(struct pool_day *day)
{
    const struct capacity_result *answer = day->context->answer;
    const struct service_traffic *traffic = &day->context->study->services[day->service].traffic;
    uint32_t n = answer->n_intervals;
    day->fleets = mem_calloc(n, sizeof *day->fleets);
    day->n_servers = mem_calloc((size_t)n * answer->n_types, sizeof *day->n_servers);
    day->weights = mem_calloc(answer->n_types, sizeof *day->weights);
    weigh_types(day);
    for (uint32_t i = 0; i < n; i++)
        make_fleet(day, i);
    if (arrival_types[traffic->arrivals.process] != &arrival_replay)
        return;
    day->rates_qps = mem_calloc(n, sizeof *day->rates_qps);
    for (uint32_t i = 0; i < n; i++)
        day->rates_qps[i] = answer->demand[(size_t)i * answer->n_services + day->service].mean_qps;
}

static void close_day(struct pool_day *day)
{
    mem_free(day->fleets);
    mem_free(day->n_servers);
    mem_free(day->weights);
    mem_free(day->rates_qps);
}

// ---- into the answer ----------------------------------------------------------------------------

static void put_trials(const struct pool_day *day, const struct day_result *found)
{
    struct capacity_result *answer = day->context->answer;
    struct capacity_total *total = &answer->totals[day->plan];
    for (uint32_t i = 0; i < answer->n_intervals; i++) {
        size_t step = day->plan * answer->n_intervals + i;
        const struct measurement *trial = &found->trials[i];
        answer->trials[step * answer->n_services + day->service] = *trial;
        if (!isnan(found->power_w[i]))
            answer->steps[step].simulated_w += found->power_w[i];
        capacity_result_count(total, trial->sla);
    }
    answer->days[day->plan * answer->n_services + day->service] = found->days[0];
}

// Of the first plan that was simulated; where lengths are chosen, they differ from pool to pool.
static void put_sample(struct capacity_sample *sum, const struct capacity_sample *pool)
{
    if (sum->n_windows == 0) {
        *sum = *pool;
        return;
    }
    sum->window_s = sum->window_s == pool->window_s ? sum->window_s : (double)NAN;
    sum->warmup_s = sum->warmup_s == pool->warmup_s ? sum->warmup_s : (double)NAN;
    sum->n_queries += pool->n_queries;
    sum->of_queries += pool->of_queries;
}

// ---- one plan -----------------------------------------------------------------------------------

static int rehearse_pool(struct pool_day *day, bool first, struct err *err)
{
    struct day_result found;
    open_day(day);
    struct day_plan plan = day_plan_of(&day->context->study->capacity, day->fleets, day->rates_qps);
    plan.number = day->service;
    // Whether targets are met is asked here, of many plans; not how long the tail is to a few
    // percent.
    plan.accuracy_frac = 0;
    int rc = day_run(day->context->bench, &plan, &found, err);
    if (rc == 0) {
        put_trials(day, &found);
        if (first)
            put_sample(&day->context->answer->sample, &found.sample);
        day->context->n_queries += found.n_simulated;
        day_release(&found);
    }
    close_day(day);
    return rc;
}

// Watts of the servers that are on without a use.
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

// Before the pools are added.
static void begin_power(struct capacity_result *answer, uint32_t scheduler, size_t plan)
{
    for (uint32_t i = 0; i < answer->n_intervals; i++) {
        size_t step = plan * answer->n_intervals + i;
        answer->steps[step].simulated_w = spare_w(answer, scheduler, step);
    }
}

// Energy of the day: what starting takes is as planned.
static void end_power(struct capacity_result *answer, size_t plan)
{
    struct capacity_total *total = &answer->totals[plan];
    double hours = answer->interval_s / CAPACITY_S_PER_H;
    total->simulated_kwh = total->planned_kwh;
    for (uint32_t i = 0; i < answer->n_intervals; i++) {
        const struct capacity_step *step = &answer->steps[plan * answer->n_intervals + i];
        total->simulated_kwh += (step->simulated_w - step->planned_w) * hours / 1000;
    }
}

static int rehearse_plan(struct capacity_context *context, uint32_t scheduler, size_t plan,
                         bool first, struct err *err)
{
    struct capacity_result *answer = context->answer;
    begin_power(answer, scheduler, plan);
    for (uint32_t s = 0; s < answer->n_services; s++) {
        struct pool_day day = {
            .context = context, .scheduler = scheduler, .service = s, .plan = plan};
        if (rehearse_pool(&day, first, err) < 0 ||
            capacity_context_done(context, (s + 1.0) / answer->n_services, err) < 0)
            return -1;
    }
    end_power(answer, plan);
    return 0;
}

int plan_check_run(struct capacity_context *context, struct err *err)
{
    struct capacity_result *answer = context->answer;
    uint32_t per_scheduler = answer->n_allocations * answer->n_provisionings;
    uint32_t n = answer->n_schedulers * per_scheduler;
    bool first = true;
    for (uint32_t plan = 0; plan < n; plan++) {
        capacity_context_stage_of(context, "plans", n - plan);
        if (answer->totals[plan].state != CAPACITY_FOUND)
            continue;
        if (rehearse_plan(context, plan / per_scheduler, plan, first, err) < 0)
            return -1;
        first = false;
    }
    return 0;
}
