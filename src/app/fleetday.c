// SPDX-License-Identifier: Apache-2.0
#include "app/fleetday.h"

#include <math.h>

#include "app/day.h"
#include "app/plan.h"
#include "base/mem.h"

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
    step->cost_usd_per_h = ask_fleet_usd_per_h(ask->study);
    step->carbon_g_per_h = power_w / 1000 * intensity;
}

static void put_total(struct staffing *staffing, size_t plan)
{
    struct staffing_total *total = &staffing->totals[plan];
    double hours = staffing->interval_s / STAFFING_S_PER_H;
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
        for (uint32_t s = 0; s < staffing->n_services; s++)
            staffing_count(total, trials[s].sla);
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
    struct given given = take_fleet(ask, scheduler);
    struct day_result found;
    const struct day_plan plan = day_plan_of(&ask->study->capacity, given.fleets, given.rates_qps);
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
    for (uint32_t d = 0; d < n; d++) {
        ask_stage_of(ask, "days", n - d);
        if (find_day(ask, d, err) < 0 || ask_done(ask, 1, err) < 0)
            return -1;
    }
    return 0;
}
