// SPDX-License-Identifier: Apache-2.0
#include "app/rehearse.h"

#include <math.h>
#include <string.h>

#include "app/day.h"
#include "base/mem.h"

// One service over a day under one plan: its pool of every interval.
struct pool_day {
    struct ask *ask;
    uint32_t scheduler, service;
    size_t plan;                // of staffing_plan_at()
    struct slice_fleet *fleets; // [interval]
    uint32_t *n_servers;        // [interval][type]
    double *weights;            // [type]
    double *rates_qps;          // [interval]; NULL: the service's own process
};

// ---- pools --------------------------------------------------------------------------------------

static void make_fleet(struct pool_day *day, uint32_t interval)
{
    const struct ask *ask = day->ask;
    const struct staffing *staffing = ask->staffing;
    uint32_t n_types = staffing->n_types, *n_servers = day->n_servers + (size_t)interval * n_types;
    size_t first = (day->plan * staffing->n_intervals + interval) * n_types;
    for (uint32_t h = 0; h < n_types; h++)
        n_servers[h] = staffing->n_assigned[(first + h) * staffing->n_services + day->service];
    day->fleets[interval] = (struct slice_fleet){.study = ask->study,
                                                 .n_servers = n_servers,
                                                 .weights = day->weights,
                                                 .choices = ask_choices(ask, day->scheduler),
                                                 .services = &day->service,
                                                 .n_services = 1,
                                                 .n_cells = (uint32_t)ask->study->cells};
}

static void weigh_types(struct pool_day *day)
{
    const struct staffing *staffing = day->ask->staffing;
    for (uint32_t h = 0; h < staffing->n_types; h++) {
        size_t type = (size_t)day->scheduler * staffing->n_types + h;
        double qps = staffing->tuples[type * staffing->n_services + day->service].qps;
        day->weights[h] = qps > 0 ? qps : 1; // those that hold nothing are in no pool
    }
}

static void open_day(struct pool_day *day)
{
    const struct staffing *staffing = day->ask->staffing;
    const struct service_traffic *traffic = &day->ask->study->services[day->service].traffic;
    uint32_t n = staffing->n_intervals;
    day->fleets = mem_calloc(n, sizeof *day->fleets);
    day->n_servers = mem_calloc((size_t)n * staffing->n_types, sizeof *day->n_servers);
    day->weights = mem_calloc(staffing->n_types, sizeof *day->weights);
    weigh_types(day);
    for (uint32_t i = 0; i < n; i++)
        make_fleet(day, i);
    if (arrival_types[traffic->arrivals.process] != &arrival_replay)
        return;
    day->rates_qps = mem_calloc(n, sizeof *day->rates_qps);
    for (uint32_t i = 0; i < n; i++)
        day->rates_qps[i] =
            staffing->demand[(size_t)i * staffing->n_services + day->service].mean_qps;
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
    struct staffing *staffing = day->ask->staffing;
    struct staffing_total *total = &staffing->totals[day->plan];
    for (uint32_t i = 0; i < staffing->n_intervals; i++) {
        size_t step = day->plan * staffing->n_intervals + i;
        const struct staffing_trial *trial = &found->trials[i];
        staffing->trials[step * staffing->n_services + day->service] = *trial;
        if (!isnan(found->power_w[i]))
            staffing->steps[step].simulated_w += found->power_w[i];
        staffing_count(total, trial->sla);
    }
    staffing->days[day->plan * staffing->n_services + day->service] = found->days[0];
}

// Of the first plan that was simulated; where lengths are chosen, they differ from pool to pool.
static void put_sample(struct staffing_sample *sum, const struct staffing_sample *pool)
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
    struct day_plan plan = day_plan_of(&day->ask->study->capacity, day->fleets, day->rates_qps);
    plan.number = day->service;
    // Whether targets are met is asked here, of many plans; not how long the tail is to a few
    // percent.
    plan.accuracy_frac = 0;
    int rc = day_run(day->ask->bench, &plan, &found, err);
    if (rc == 0) {
        put_trials(day, &found);
        if (first)
            put_sample(&day->ask->staffing->sample, &found.sample);
        day->ask->n_queries += found.n_simulated;
        day_release(&found);
    }
    close_day(day);
    return rc;
}

// Watts of the servers that are on without a use.
static double spare_w(const struct staffing *staffing, uint32_t scheduler, size_t step)
{
    double sum = 0;
    for (uint32_t h = 0; h < staffing->n_types; h++) {
        size_t pair = ((size_t)scheduler * staffing->n_types + h) * staffing->n_services;
        const uint32_t *assigned =
            staffing->n_assigned + (step * staffing->n_types + h) * staffing->n_services;
        uint32_t spare = staffing->n_on[step * staffing->n_types + h];
        for (uint32_t m = 0; m < staffing->n_services; m++)
            spare -= assigned[m];
        sum += spare * staffing->tuples[pair].idle_w;
    }
    return sum;
}

// Before the pools are added.
static void begin_power(struct staffing *staffing, uint32_t scheduler, size_t plan)
{
    for (uint32_t i = 0; i < staffing->n_intervals; i++) {
        size_t step = plan * staffing->n_intervals + i;
        staffing->steps[step].simulated_w = spare_w(staffing, scheduler, step);
    }
}

// Energy of the day: what starting takes is as planned.
static void end_power(struct staffing *staffing, size_t plan)
{
    struct staffing_total *total = &staffing->totals[plan];
    double hours = staffing->interval_s / STAFFING_S_PER_H;
    total->simulated_kwh = total->planned_kwh;
    for (uint32_t i = 0; i < staffing->n_intervals; i++) {
        const struct staffing_step *step = &staffing->steps[plan * staffing->n_intervals + i];
        total->simulated_kwh += (step->simulated_w - step->planned_w) * hours / 1000;
    }
}

static int rehearse_plan(struct ask *ask, uint32_t scheduler, size_t plan, bool first,
                         struct err *err)
{
    struct staffing *staffing = ask->staffing;
    begin_power(staffing, scheduler, plan);
    for (uint32_t s = 0; s < staffing->n_services; s++) {
        struct pool_day day = {.ask = ask, .scheduler = scheduler, .service = s, .plan = plan};
        if (rehearse_pool(&day, first, err) < 0 ||
            ask_done(ask, (s + 1.0) / staffing->n_services, err) < 0)
            return -1;
    }
    end_power(staffing, plan);
    return 0;
}

int rehearse_plans(struct ask *ask, struct err *err)
{
    struct staffing *staffing = ask->staffing;
    uint32_t per_scheduler = staffing->n_allocations * staffing->n_provisionings;
    uint32_t n = staffing->n_schedulers * per_scheduler;
    bool first = true;
    for (uint32_t plan = 0; plan < n; plan++) {
        ask_stage_of(ask, "plans", n - plan);
        if (staffing->totals[plan].state != STAFFING_FOUND)
            continue;
        if (rehearse_plan(ask, plan / per_scheduler, plan, first, err) < 0)
            return -1;
        first = false;
    }
    return 0;
}
