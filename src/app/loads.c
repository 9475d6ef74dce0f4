// SPDX-License-Identifier: Apache-2.0
#include "app/loads.h"

#include <math.h>
#include <string.h>

#include "app/offer.h"
#include "base/mem.h"
#include "search/capacity.h"

struct load_search {
    struct ask *ask;
    struct offer *offer;
    struct slice_fleet fleet;
    double held_qps; // of the last run that was held, and what it said
    struct staffing_trial held;
};

static int measure(void *user, const struct measure_point *point, struct measure_result *result,
                   struct err *err)
{
    struct load_search *search = user;
    const struct offer_point at = {&search->fleet, point->rate_qps / offer_qps(search->offer),
                                   point->n_queries, point->stream};
    struct staffing_trial trial;
    if (offer_measure(search->offer, &at, result, &trial, err) < 0)
        return -1;
    // The search ends with the longest run at the rate that it answers.
    if (measure_overall(result) == VERDICT_MET) {
        search->held_qps = point->rate_qps;
        search->held = trial;
    }
    return ask_done(search->ask, 0, err);
}

// No service can have more than all servers would do of it alone.
static double bound_qps(const struct load_search *search)
{
    const struct study *study = search->ask->study;
    const struct offer *offer = search->offer;
    uint32_t n_services = (uint32_t)study->n_services;
    double bound = INFINITY;
    if (study->n_groups == 1)
        return (double)study->groups[0].servers *
               offer_saturation_qps(offer, 0, search->fleet.choices, n_services);
    for (uint32_t s = 0; s < n_services; s++) {
        double all = 0;
        for (uint32_t g = 0; g < study->n_groups; g++)
            all +=
                (double)study->groups[g].servers *
                offer_saturation_qps(offer, g, search->fleet.choices + (size_t)g * n_services, s);
        bound = fmin(bound, all * offer_qps(offer) / offer_service_qps(offer, s));
    }
    return bound;
}

static void fill_row(const struct load_search *search, const struct capacity *found,
                     struct staffing_load *row)
{
    bool reached = found->state == CAPACITY_FOUND;
    row->state = reached ? STAFFING_FOUND : STAFFING_BEYOND;
    row->held_qps = reached ? found->held_qps : (double)NAN;
    row->missed_qps = isfinite(found->missed_qps) ? found->missed_qps : (double)NAN;
    row->asked_qps = offer_qps(search->offer);
    row->cost_usd_per_h = ask_fleet_usd_per_h(search->ask->study);
    row->n_runs = found->n_runs;
    row->n_queries = found->n_queries;
    row->at_held =
        reached && search->held_qps == found->held_qps ? search->held : staffing_trial_none();
}

static int find_row(struct ask *ask, struct offer *offer, uint32_t *n_servers, uint32_t scheduler,
                    struct err *err)
{
    const struct study_capacity *settings = &ask->study->capacity;
    struct load_search search = {.ask = ask, .offer = offer};
    search.fleet = (struct slice_fleet){.n_servers = n_servers,
                                        .choices = ask_choices(ask, scheduler),
                                        .n_cells = (uint32_t)ask->study->cells};
    const struct capacity_config config = {.accuracy_frac = settings->accuracy_frac,
                                           .first_queries = (uint64_t)settings->queries,
                                           .most_queries = (uint64_t)settings->max_queries,
                                           .floor_queries = CAPACITY_FLOOR_QUERIES};
    const struct capacity_task task = {
        .bound_qps = bound_qps(&search), .choice = search.fleet.choices[0], .stream = STREAM_TUNE};
    struct staffing_load *row = &ask->staffing->loads[scheduler];
    struct capacity found;
    memset(row, 0, sizeof *row);
    row->scheduler = scheduler;
    if (capacity_search(&config, &task, measure, &search, &found, NULL, err) < 0)
        return -1;
    fill_row(&search, &found, row);
    return 0;
}

int loads_find(struct ask *ask, struct err *err)
{
    const struct study *study = ask->study;
    uint32_t n = ask->staffing->n_loads;
    uint32_t *n_servers = mem_calloc(study->n_groups, sizeof *n_servers);
    struct offer *offer = offer_create(ask, err);
    int rc = offer ? 0 : -1;
    for (size_t g = 0; g < study->n_groups; g++)
        n_servers[g] = (uint32_t)study->groups[g].servers;
    for (uint32_t d = 0; rc == 0 && d < n; d++) {
        ask_stage_of(ask, "loads", n - d);
        rc = find_row(ask, offer, n_servers, d, err);
        if (rc == 0)
            rc = ask_done(ask, 1, err);
    }
    offer_destroy(offer);
    mem_free(n_servers);
    return rc;
}
