// SPDX-License-Identifier: Apache-2.0
#include "app/fleetday.h"

#include <math.h>

#include "app/day.h"
#include "app/plan.h"
#include "base/mem.h"

#define S_PER_H 3600.0

// The fleet of every interval, which is the same.
struct given {
    struct slice_fleet *fleets; // [interval]
    uint32_t *n_servers;        // [type]
    double *rates_qps;          // [interval][service]; NULL: the services' own processes
};

static bool any_replays(const struct study *study)
{
    for (size_t s = 0; s < study->n_services; s++)
        if (arrival_types[study->services[s].traffic.arrivals.process] == &arrival_replay)
            return true;
    return false;
}

static struct given take_fleet(const struct ask *ask, uint32_t scheduler)
{
    const struct study *study = ask->study;
    const struct staffing *staffing = ask->staffing;
    size_t n_rows = (size_t)staffing->n_intervals * staffing->n_services;
    struct given given = {
        .fleets = mem_calloc(staffing->n_intervals, sizeof *given.fleets),
        .n_servers = mem_calloc(staffing->n_types, sizeof *given.n_servers),
        .rates_qps = any_replays(study) ? mem_calloc(n_rows, sizeof *given.rates_qps) : NULL};
    for (uint32_t h = 0; h < staffing->n_types; h++)
        given.n_servers[h] = staffing->available[h];
    for (uint32_t i = 0; i < staffing->n_intervals; i++)
        given.fleets[i] = (struct slice_fleet){.study = study,
                                               .n_servers = given.n_servers,
                                               .choices = ask_choices(ask, scheduler),
                                               .n_services = staffing->n_services,
                                               .n_cells = (uint32_t)study->cells};
    for (size_t i = 0; given.rates_qps && i < n_rows; i++)
        given.rates_qps[i] = staffing->demand[i].mean_qps;
    return given;
}

static void drop_fleet(struct given *given)
{
    mem_free(given->fleets);
    mem_free(given->n_servers);
    mem_free(given->rates_qps);
}

// Of all servers; NaN unless every type has a price.
static double price_usd_per_h(const struct staffing *staffing)
{
    double sum = 0;
    for (uint32_t h = 0; h < staffing->n_types; h++)
        sum += staffing->available[h] * staffing->price_usd_per_h[h];
    return sum;
}

static void put_step(const struct ask *ask, size_t plan, uint32_t i, double power_w)
{
    struct staffing *staffing = ask->staffing;
    const struct study_capacity *capacity = &ask->study->capacity;
    size_t at = plan * staffing->n_intervals + i;
    struct staffing_step *step = &staffing->steps[at];
    double intensity =
        plan_carbon_g_per_kwh(capacity, i * capacity->interval_s, (i + 1) * capacity->interval_s);
    step->n_on = 0;
    for (uint32_t h = 0; h < staffing->n_types; h++) {
        staffing->n_on[at * staffing->n_types + h] = staffing->available[h];
        step->n_on += staffing->available[h];
    }
    step->simulated_w = power_w;
    step->cost_usd_per_h = price_usd_per_h(staffing);
    step->carbon_g_per_h = power_w / 1000 * intensity;
}

static void put_total(struct staffing *staffing, size_t plan)
{
    struct staffing_total *total = &staffing->totals[plan];
    double hours = staffing->interval_s / S_PER_H;
    total->state = STAFFING_FOUND;
    total->starting_h = 0;
    total->server_h = total->simulated_kwh = total->cost_usd = total->carbon_kg = 0;
    for (uint32_t i = 0; i < staffing->n_intervals; i++) {
        size_t at = plan * staffing->n_intervals + i;
        const struct staffing_step *step = &staffing->steps[at];
        const struct staffing_trial *trials = staffing->trials + at * staffing->n_services;
        total->peak_servers = step->n_on;
        total->server_h += step->n_on * hours;
        total->simulated_kwh += step->simulated_w * hours / 1000;
        total->cost_usd += step->cost_usd_per_h * hours;
        total->carbon_kg += step->carbon_g_per_h * hours / 1000;
        for (uint32_t s = 0; s < staffing->n_services; s++) {
            total->n_met += trials[s].sla == STAFFING_MET;
            total->n_unsure += trials[s].sla == STAFFING_UNSURE;
            total->n_missed += trials[s].sla == STAFFING_MISSED;
        }
    }
}

static void put_day(const struct ask *ask, size_t plan, const struct day_result *found)
{
    struct staffing *staffing = ask->staffing;
    uint32_t n_services = staffing->n_services;
    for (uint32_t i = 0; i < staffing->n_intervals; i++) {
        size_t row = (plan * staffing->n_intervals + i) * n_services;
        for (uint32_t s = 0; s < n_services; s++)
            staffing->trials[row + s] = found->trials[(size_t)i * n_services + s];
        put_step(ask, plan, i, found->power_w[i]);
    }
    for (uint32_t s = 0; s < n_services; s++)
        staffing->days[plan * n_services + s] = found->days[s];
    put_total(staffing, plan);
    if (plan == 0)
        staffing->sample = found->sample;
}

static int find_day(struct ask *ask, uint32_t scheduler, struct err *err)
{
    const struct study_capacity *capacity = &ask->study->capacity;
    struct given given = take_fleet(ask, scheduler);
    struct day_result found;
    const struct day_plan plan = {.fleets = given.fleets,
                                  .n_intervals = ask->staffing->n_intervals,
                                  .day_s = capacity->day_s,
                                  .rates_qps = given.rates_qps,
                                  .n_windows = (uint32_t)capacity->windows,
                                  .window_s = capacity->window_s,
                                  .warmup_s = capacity->warmup_s,
                                  .n_cells = (uint32_t)capacity->cells,
                                  .accuracy_frac = capacity->accuracy_frac};
    int rc = day_run(ask->bench, &plan, &found, err);
    if (rc == 0) {
        put_day(ask, staffing_plan_at(ask->staffing, scheduler, 0, 0), &found);
        ask->n_queries += found.n_simulated;
        day_release(&found);
    }
    drop_fleet(&given);
    return rc;
}

int fleetday_find(struct ask *ask, struct err *err)
{
    uint32_t n = ask->staffing->n_schedulers;
    double from = ask->to_frac;
    for (uint32_t d = 0; d < n; d++) {
        ask_stage(ask, "days", from + (d + 1) * (1 - from) / n);
        if (find_day(ask, d, err) < 0 || ask_done(ask, 1, err) < 0)
            return -1;
    }
    return 0;
}
