// SPDX-License-Identifier: Apache-2.0
#include "capacity/find_day.h"

#include <math.h>

#include "capacity/day.h"
#include "capacity/plan.h"
#include "base/mem.h"

// The fleet of every interval, which is the same.
struct given {
    struct fleet_variant *fleets; // [interval]
    uint32_t *n_servers;          // [type]
    double *rates_qps;            // [interval][service]; NULL: the services' own processes
};

static bool any_replays(const struct study *study)
{
    for (size_t s = 0; s < study->n_services; s++)
        if (arrival_types[study->services[s].traffic.arrivals.process] == &arrival_replay)
            return true;
    return false;
}

static struct given take_fleet(const struct capacity_context *context, uint32_t scheduler)
{
    const struct study *study = context->study;
    const struct capacity_result *answer = context->answer;
    size_t n_rows = (size_t)answer->n_intervals * answer->n_services;
    struct given given = {
        .fleets = mem_calloc(answer->n_intervals, sizeof *given.fleets),
        .n_servers = mem_calloc(answer->n_types, sizeof *given.n_servers),
        .rates_qps = any_replays(study) ? mem_calloc(n_rows, sizeof *given.rates_qps) : NULL};
    for (uint32_t h = 0; h < answer->n_types; h++)
        given.n_servers[h] = answer->available[h];
    for (uint32_t i = 0; i < answer->n_intervals; i++)
        given.fleets[i] =
            (struct fleet_variant){.study = study,
                                   .n_servers = given.n_servers,
                                   .choices = capacity_context_choices(context, scheduler),
                                   .n_services = answer->n_services,
                                   .n_cells = (uint32_t)study->cells};
    for (size_t i = 0; given.rates_qps && i < n_rows; i++)
        given.rates_qps[i] = answer->demand[i].mean_qps;
    return given;
}

static void drop_fleet(struct given *given)
{
    mem_free(given->fleets);
    mem_free(given->n_servers);
    mem_free(given->rates_qps);
}

static void put_step(const struct capacity_context *context, size_t plan, uint32_t i,
                     double power_w)
{
    struct capacity_result *answer = context->answer;
    const struct study_capacity *capacity = &context->study->capacity;
    size_t at = plan * answer->n_intervals + i;
    struct capacity_step *step = &answer->steps[at];
    double intensity =
        plan_carbon_g_per_kwh(capacity, i * capacity->interval_s, (i + 1) * capacity->interval_s);
    step->n_on = 0;
    for (uint32_t h = 0; h < answer->n_types; h++) {
        answer->n_on[at * answer->n_types + h] = answer->available[h];
        step->n_on += answer->available[h];
    }
    step->simulated_w = power_w;
    step->cost_usd_per_h = capacity_context_fleet_usd_per_h(context->study);
    step->carbon_g_per_h = power_w / 1000 * intensity;
}

static void put_total(struct capacity_result *answer, size_t plan)
{
    struct capacity_total *total = &answer->totals[plan];
    double hours = answer->interval_s / CAPACITY_S_PER_H;
    total->state = CAPACITY_FOUND;
    total->starting_h = 0;
    total->server_h = total->simulated_kwh = total->cost_usd = total->carbon_kg = 0;
    for (uint32_t i = 0; i < answer->n_intervals; i++) {
        size_t at = plan * answer->n_intervals + i;
        const struct capacity_step *step = &answer->steps[at];
        const struct measurement *trials = answer->trials + at * answer->n_services;
        total->peak_servers = step->n_on;
        total->server_h += step->n_on * hours;
        total->simulated_kwh += step->simulated_w * hours / 1000;
        total->cost_usd += step->cost_usd_per_h * hours;
        total->carbon_kg += step->carbon_g_per_h * hours / 1000;
        for (uint32_t s = 0; s < answer->n_services; s++)
            capacity_result_count(total, trials[s].sla);
    }
}

static void put_day(const struct capacity_context *context, size_t plan,
                    const struct day_result *found)
{
    struct capacity_result *answer = context->answer;
    uint32_t n_services = answer->n_services;
    for (uint32_t i = 0; i < answer->n_intervals; i++) {
        size_t row = (plan * answer->n_intervals + i) * n_services;
        for (uint32_t s = 0; s < n_services; s++)
            answer->trials[row + s] = found->trials[(size_t)i * n_services + s];
        put_step(context, plan, i, found->power_w[i]);
    }
    for (uint32_t s = 0; s < n_services; s++)
        answer->days[plan * n_services + s] = found->days[s];
    put_total(answer, plan);
    if (plan == 0)
        answer->sample = found->sample;
}

static int find_day(struct capacity_context *context, uint32_t scheduler, struct err *err)
{
    struct given given = take_fleet(context, scheduler);
    struct day_result found;
    const struct day_plan plan =
        day_plan_of(&context->study->capacity, given.fleets, given.rates_qps);
    int rc = day_run(context->bench, &plan, &found, err);
    if (rc == 0) {
        put_day(context, capacity_result_plan_at(context->answer, scheduler, 0, 0), &found);
        context->n_queries += found.n_simulated;
        day_release(&found);
    }
    drop_fleet(&given);
    return rc;
}

int find_day_run(struct capacity_context *context, struct err *err)
{
    uint32_t n = context->answer->n_schedulers;
    for (uint32_t d = 0; d < n; d++) {
        capacity_context_stage_of(context, "days", n - d);
        if (find_day(context, d, err) < 0 || capacity_context_done(context, 1, err) < 0)
            return -1;
    }
    return 0;
}
