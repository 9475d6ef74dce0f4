// SPDX-License-Identifier: Apache-2.0
#include "capacity/unloaded.h"

#include <math.h>

#include "capacity/efficiency.h"
#include "capacity/single_server.h"
#include "runs/demand.h"
#include "base/mem.h"
#include "base/simtime.h"
#include "study/study_memory.h"

#define LONGER 4 // the next run, where one does not decide
#define CLEAR 2  // half-widths between what is late and what may be
#define LONGEST_RUN_S (simtime_to_s(SIMTIME_LONGEST) / 2) // simulated
#define MOST_SERVERS 10000 // side by side, where one has no time for so many queries
enum { BINS = 40 };        // twenty batches of two (results/batch.h)
// Slices of this number and those that follow; far from a search's (peak_load.h) and a day's.
#define FIRST_NUMBER (UINT64_C(1) << 40)

// One server with one service.
struct idle {
    struct single_server single; // not to be moved
    struct fleet_variant fleet;
    uint32_t n_servers;
    double rate_qps, allowed_frac; // of one server; of queries that may be late
    double busy_frac;              // UNLOADED_BUSY_FRAC or less
    double all_qps;                // of all n_servers
    uint64_t number;
    struct measurement *result; // in the answer
};

// More cores than a query has requests are of no use to it. Times that depend on how many are busy
// are known up to the cores that the platform has.
static uint32_t useful_cores(const struct study *study, const struct idle *idle)
{
    const struct platform *platform = &idle->single.group.platform;
    double most = fmax((double)platform->cores, qsize_max_items(idle->single.study.sizes[0]));
    if (study->capacity.find != FIND_CORES)
        return 0;
    if (cost_depends_on_busy(idle->single.group.costs[0]))
        return (uint32_t)platform->cores;
    return (uint32_t)fmin(most, (double)study->capacity.max_servers);
}

static void open_idle(struct idle *idle, const struct capacity_context *context, uint32_t scheduler,
                      uint32_t type, uint32_t service)
{
    const struct study *study = context->study;
    const struct settings *choice =
        capacity_context_choices(context, scheduler) + (size_t)type * study->n_services + service;
    single_server_cut(&idle->single, study, type, service);
    struct demand work = demand_by_choice(&idle->single.study, &idle->single.group, 0, choice, 1);
    idle->fleet = (struct fleet_variant){.study = &idle->single.study,
                                         .n_servers = &idle->n_servers,
                                         .choices = choice,
                                         .n_services = 1,
                                         .n_cells = 1,
                                         .n_cores = useful_cores(study, idle)};
    idle->allowed_frac = 1 - study->services[service].sla_quantile;
    idle->busy_frac = fmin(UNLOADED_BUSY_FRAC, UNLOADED_BUSY_PART * idle->allowed_frac);
    idle->rate_qps = idle->busy_frac / (work.cpu_s + work.load_s + work.compute_s);
    idle->number = FIRST_NUMBER + (uint64_t)type * study->n_services + service;
    idle->result =
        &context->answer
             ->unloaded[((size_t)scheduler * study->n_groups + type) * study->n_services + service];
}

// At least as wide as that of independent queries: those of an idle server are.
static int32_t judge(const struct measurement *found, const struct idle *idle)
{
    struct ci late = found->late_frac;
    double n = (double)found->n_queries, allowed = idle->allowed_frac;
    late.half_95 = fmax(late.half_95, MEASUREMENT_Z_95 * sqrt(allowed * (1 - allowed) / n));
    int32_t verdict = measurement_judge(late, allowed + idle->busy_frac, CLEAR);
    return verdict == VERDICT_MISSED ? verdict : measurement_judge(late, allowed, CLEAR);
}

// A run of about n_queries. What one server would need longer for than time lasts, several do.
static struct slice make_slice(struct idle *idle, double n_queries)
{
    double run_s = n_queries / idle->rate_qps, n = ceil(run_s / LONGEST_RUN_S);
    idle->n_servers = (uint32_t)fmin(n, MOST_SERVERS);
    idle->all_qps = idle->rate_qps * idle->n_servers;
    return (struct slice){.fleet = &idle->fleet,
                          .number = idle->number,
                          .n_cells = 1,
                          .rates_qps = &idle->all_qps,
                          .length_ns =
                              simtime_from_s(fmin(n_queries / idle->all_qps, LONGEST_RUN_S)),
                          .n_bins = BINS};
}

// Runs of about n_queries of those that are not decided. How many were run, or -1.
static int run_round(struct capacity_context *context, struct idle *idles, size_t n,
                     double n_queries, struct err *err)
{
    struct slice *slices = mem_calloc(n, sizeof *slices);
    struct slice_result *found = mem_calloc(n, sizeof *found);
    int n_slices = 0;
    for (size_t i = 0; i < n; i++)
        if (idles[i].result->sla == VERDICT_UNSURE)
            slices[n_slices++] = make_slice(&idles[i], n_queries);
    int rc = sample_run(context->bench, slices, (size_t)n_slices, found, err);
    for (size_t i = 0, k = 0; rc == 0 && i < n; i++) {
        if (idles[i].result->sla != VERDICT_UNSURE)
            continue;
        *idles[i].result = found[k].overall;
        idles[i].result->sla = judge(&found[k].overall, &idles[i]);
        context->n_queries += found[k++].overall.n_queries;
    }
    if (rc == 0)
        sample_release(found, (size_t)n_slices);
    mem_free(slices);
    mem_free(found);
    return rc < 0 ? -1 : n_slices;
}

int unloaded_find(struct capacity_context *context, bool given, struct err *err)
{
    const struct study *study = context->study;
    const struct capacity_result *answer = context->answer;
    size_t n = 0, n_all = (size_t)answer->n_schedulers * study->n_groups * study->n_services;
    struct idle *idles = mem_calloc(n_all, sizeof *idles);
    for (size_t i = 0; i < n_all; i++) {
        uint32_t s = (uint32_t)(i % study->n_services),
                 g = (uint32_t)(i / study->n_services % study->n_groups),
                 d = (uint32_t)(i / study->n_services / study->n_groups);
        if (efficiency_is_given(answer->schedulers[d]) != given || study->services[s].sla_ns <= 0 ||
            !study->sizes[s] || !study_memory_holds(study, g, s))
            continue;
        open_idle(&idles[n], context, d, g, s);
        *idles[n++].result = measurement_none(VERDICT_UNSURE);
    }
    double n_queries = (double)study->capacity.queries,
           most = fmax((double)study->capacity.max_queries, UNLOADED_LEAST_QUERIES);
    int rc = n > 0;
    for (bool last = false; rc > 0 && !last; n_queries *= LONGER) {
        last = n_queries >= most;
        rc = run_round(context, idles, n, last ? most : n_queries, err);
    }
    mem_free(idles);
    return rc < 0 ? -1 : capacity_context_done(context, 1, err);
}
