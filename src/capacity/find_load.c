// SPDX-License-Identifier: Apache-2.0
#include "capacity/find_load.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "capacity/peak_load.h"
#include "search/max_load.h"

// A run, and what it said.
struct load_seen {
    double rate_qps;
    struct peak_load_trial trial; // owned
};

struct load_search {
    struct capacity_context *context;
    struct peak_load *peak;
    struct fleet_variant fleet;
    struct load_seen *seen; // owned: every run, as which of the rates is the answer is known last
    size_t n_seen;
    double held_qps, missed_qps; // so far; NaN: none
};

// Of the answer's rate the last run, which was the longest. Where nothing is held the search ends
// with the load next to nothing.
static const struct peak_load_trial *recall(const struct load_search *search,
                                            const struct max_load *found)
{
    size_t i = search->n_seen;
    while (i > 0 && found->state == MAX_LOAD_FOUND &&
           search->seen[i - 1].rate_qps != found->held_qps)
        i--;
    return i > 0 ? &search->seen[i - 1].trial : NULL;
}

static int measure(void *user, const struct measure_point *point, struct measurement *result,
                   struct err *err)
{
    struct load_search *search = user;
    const struct peak_load_point at = {&search->fleet,
                                       point->rate_qps / peak_load_qps(search->peak),
                                       point->n_queries, point->stream};
    struct peak_load_trial trial;
    capacity_context_tries(search->context, point->rate_qps, "qps");
    if (peak_load_measure(search->peak, &at, result, &trial, err) < 0)
        return -1;
    if (measurement_overall(result) == VERDICT_MET)
        search->held_qps = fmax(search->held_qps, point->rate_qps);
    if (measurement_overall(result) == VERDICT_MISSED)
        search->missed_qps = fmin(search->missed_qps, point->rate_qps);
    capacity_context_bracket(search->context, search->held_qps, search->missed_qps);
    search->seen = mem_realloc(search->seen, search->n_seen + 1, sizeof *search->seen);
    search->seen[search->n_seen++] = (struct load_seen){point->rate_qps, trial};
    return capacity_context_done(search->context, 0, err);
}

// Where the search begins to look; too high costs it a few runs, too low would be wrong. With one
// group the mix of services is that of every server, so its saturation is known; with several, who
// serves what is the balancer's choice, and all that is sure is: no service can have more than all
// servers would do of it alone.
static double bound_qps(const struct load_search *search)
{
    const struct study *study = search->context->study;
    const struct peak_load *peak = search->peak;
    uint32_t n_services = (uint32_t)study->n_services;
    double bound = INFINITY;
    if (study->n_groups == 1)
        return (double)study->groups[0].servers *
               peak_load_saturation_qps(peak, 0, search->fleet.choices, n_services);
    for (uint32_t s = 0; s < n_services; s++) {
        double all = 0;
        for (uint32_t g = 0; g < study->n_groups; g++)
            all += (double)study->groups[g].servers *
                   peak_load_saturation_qps(peak, g, search->fleet.choices + (size_t)g * n_services,
                                            s);
        bound = fmin(bound, all * peak_load_qps(peak) / peak_load_service_qps(peak, s));
    }
    return bound;
}

static int find_row(struct peak_load *peak, uint32_t scheduler, struct err *err)
{
    struct capacity_context *context = peak_load_context(peak);
    const struct study_capacity *settings = &context->study->capacity;
    struct load_search search = {.context = context,
                                 .peak = peak,
                                 .held_qps = NAN,
                                 .missed_qps = NAN,
                                 .fleet = {.n_servers = context->answer->available,
                                           .choices = capacity_context_choices(context, scheduler),
                                           .n_cells = (uint32_t)context->study->cells}};
    const struct max_load_config config = {.accuracy_frac = settings->accuracy_frac,
                                           .first_queries = (uint64_t)settings->queries,
                                           .most_queries = (uint64_t)settings->max_queries,
                                           .floor_queries = MAX_LOAD_FLOOR_QUERIES};
    const struct max_load_task task = {
        .bound_qps = bound_qps(&search), .choice = search.fleet.choices[0], .stream = STREAM_TUNE};
    struct max_load found = {.state = MAX_LOAD_UNREACHABLE, .missed_qps = INFINITY};
    struct capacity_result *answer = context->answer;
    struct capacity_load *row = &answer->loads[scheduler];
    capacity_context_label(context, "%s", answer->schedulers[scheduler]);
    bool hopeless = capacity_result_unreachable(answer, scheduler, answer->n_types, NULL);
    int rc = hopeless ? 0 : max_load_search(&config, &task, measure, &search, &found, NULL, err);
    bool reached = found.state == MAX_LOAD_FOUND;
    *row = (struct capacity_load){
        .scheduler = scheduler,
        .state = reached ? CAPACITY_FOUND : CAPACITY_BEYOND,
        .held_qps = reached ? found.held_qps : (double)NAN,
        .missed_qps = isfinite(found.missed_qps) ? found.missed_qps : (double)NAN,
        .asked_qps = peak_load_qps(peak),
        .planned_qps = reached ? found.held_qps / (1 + settings->margin_frac) : (double)NAN,
        .cost_usd_per_h = capacity_context_fleet_usd_per_h(context->study),
        .n_runs = found.n_runs,
        .n_queries = found.n_queries,
        .at_held = measurement_none(VERDICT_NOT_ASKED)};
    const struct peak_load_trial *trial = recall(&search, &found);
    if (rc == 0 && trial) {
        row->at_held = trial->all;
        row->binding = peak_load_binding(peak, trial);
        memcpy(answer->load_services + (size_t)scheduler * answer->n_services, trial->services,
               answer->n_services * sizeof *answer->load_services);
    }
    for (size_t i = 0; i < search.n_seen; i++)
        mem_free(search.seen[i].trial.services);
    mem_free(search.seen);
    return rc;
}

int find_load_run(struct capacity_context *context, struct err *err)
{
    return peak_load_rows(context, "load", context->answer->n_loads, find_row, err);
}
