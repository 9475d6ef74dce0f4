// SPDX-License-Identifier: Apache-2.0
#include "runs/demand.h"

#include <math.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/sched.h"
#include "runs/footprint.h"
#include "traces/forecast.h"

// Rough costs on one core of a current server, for the estimate only.
#define QUERY_NS 100.0
#define REQUEST_NS 20.0

double *demand_cpu_s(const struct cost *cost, uint32_t largest, uint32_t busy)
{
    double *cpu_s = mem_calloc((size_t)largest + 1, sizeof *cpu_s);
    for (uint32_t items = 1; items <= largest; items++)
        cpu_s[items] = cost_cpu_s(cost, items, busy);
    return cpu_s;
}

// The least that one item can cost where queries are merged as far as they may: of requests of up
// to merged_items, the cheapest.
static double least_item_s(const struct demand_split *split)
{
    double least_s = INFINITY;
    for (uint32_t n = 1; n <= split->dispatch.merged_items; n++)
        least_s = fmin(least_s, cost_cpu_s(split->cost, n, split->busy) / n);
    return least_s;
}

static double least_accel_item_s(const struct demand_split *split)
{
    double least_s = INFINITY;
    for (uint32_t n = 1; n <= split->dispatch.accel_merged_items; n++)
        least_s =
            fmin(least_s,
                 (cost_accel_load_s(split->cost, n) + cost_accel_compute_s(split->cost, n)) / n);
    return least_s;
}

// Queues that cores and an accelerator take from: nobody knows beforehand how much is merged, or
// who takes what, so this is the least work there can be, shared out so that neither is full first.
static void share_out(const struct demand_split *split, double mean_items, struct demand *sum)
{
    const struct dispatch_config *dispatch = &split->dispatch;
    const struct platform *platform = cost_platform_of(split->cost);
    double accel_s = mean_items * least_accel_item_s(split), share = 1;
    double streams = fmax(1, (double)platform->accelerator.streams);
    if (dispatch->offload_items == 0) {
        double cores_qps = (double)platform->cores / sum->cpu_s, accel_qps = streams / accel_s;
        share = accel_qps / (cores_qps + accel_qps);
    }
    sum->cpu_s *= 1 - share;
    sum->load_s = 0;
    sum->compute_s = share * accel_s;
}

struct demand demand_mean(const struct demand_split *split)
{
    const struct dispatch_config *dispatch = &split->dispatch;
    double mean_items = 0;
    uint32_t largest = qsize_max_items(split->sizes);
    uint32_t batch = dispatch->batch_items > largest ? largest : (uint32_t)dispatch->batch_items;
    struct demand sum = {0, 0, 0, 0};
    for (uint32_t n = qsize_min_items(split->sizes); n <= largest; n++) {
        double share = qsize_pmf(split->sizes, n);
        if (share == 0)
            continue;
        mean_items += share * n;
        if (dispatch->offload_items > 0 && n >= dispatch->offload_items) {
            sum.load_s += share * cost_accel_load_s(split->cost, n);
            sum.compute_s += share * cost_accel_compute_s(split->cost, n);
            sum.requests += share;
        } else {
            uint32_t full = n / batch, rest = n % batch; // cpu_s[0] is 0
            sum.cpu_s += share * (full * split->cpu_s[batch] + split->cpu_s[rest]);
            sum.requests += share * (full + (rest != 0));
        }
    }
    if (dispatch->merged_items > 0)
        sum.cpu_s = mean_items * least_item_s(split);
    if (dispatch->accel_merged_items > 0)
        share_out(split, mean_items, &sum);
    return sum;
}

double demand_saturation_qps(const struct platform *platform, const struct demand *work)
{
    double qps = (double)platform->cores / work->cpu_s;
    double streams = (double)platform->accelerator.streams;
    if (!platform->has_accelerator)
        return qps;
    if (platform->accelerator.overlap)
        return fmin(qps, fmin(1 / work->load_s, streams / work->compute_s));
    return fmin(qps, streams / (work->load_s + work->compute_s));
}

struct demand demand_by_choice(const struct study *study, const struct study_group *group, size_t s,
                               const struct settings *choice, uint32_t busy)
{
    if (!study->sizes[s])
        return (struct demand){0, 0, 0, 0};
    const struct settings fit = sched_fit(choice, cost_has_accel(group->costs[s]));
    double *cpu_s = demand_cpu_s(group->costs[s], qsize_max_items(study->sizes[s]), busy);
    const struct demand_split split = {group->costs[s], study->sizes[s], cpu_s, busy,
                                       sched_needs(&fit)};
    struct demand mean = demand_mean(&split);
    mem_free(cpu_s);
    return mean;
}

struct demand demand_of(const struct study *study, const struct study_group *group, size_t s,
                        uint32_t busy)
{
    return demand_by_choice(study, group, s, &group->settings[s], busy);
}

double demand_share_frac(const struct study *study, const struct study_group *group)
{
    double weights = 0;
    for (size_t g = 0; g < study->n_groups; g++)
        weights += study->groups[g].weight * (double)study->groups[g].servers;
    return group->weight / weights;
}

// ---- loads --------------------------------------------------------------------------------------

#define INTERVALS 96 // a quarter of an hour of a day each

static void add_load(struct demand_load *load, const struct demand *alone,
                     const struct demand *busy, const struct platform *platform, double qps)
{
    double cores = (double)platform->cores, streams = (double)platform->accelerator.streams;
    load->alone_frac += qps * alone->cpu_s / cores;
    load->busy_frac += qps * busy->cpu_s / cores;
    load->accel_frac += qps * (busy->load_s + busy->compute_s) / (streams > 1 ? streams : 1);
}

static double worst_frac(const struct demand_load *load)
{
    return fmax(load->busy_frac, load->accel_frac);
}

struct demand_loads demand_loads(const struct study *study, const struct study_group *group,
                                 double span_s)
{
    const struct platform *platform = &group->platform;
    struct demand_load peaks[INTERVALS] = {0};
    struct demand_loads loads = {0};
    double share = demand_share_frac(study, group);
    for (size_t s = 0; s < study->n_services; s++) {
        struct demand alone = demand_of(study, group, s, 1);
        struct demand busy = demand_of(study, group, s, (uint32_t)platform->cores);
        struct forecast rates[INTERVALS];
        forecast_profile(&study->services[s].traffic, span_s, INTERVALS, rates);
        for (int i = 0; i < INTERVALS; i++) {
            double mean_qps = share * rates[i].mean_qps / INTERVALS;
            add_load(&loads.mean, &alone, &busy, platform, mean_qps);
            add_load(&peaks[i], &alone, &busy, platform, share * rates[i].peak_qps);
        }
    }
    loads.peak = loads.mean;
    for (int i = 0; i < INTERVALS; i++)
        if (worst_frac(&peaks[i]) > worst_frac(&loads.peak))
            loads.peak = peaks[i];
    return loads;
}

double demand_period_s(const struct study *study)
{
    double most_s = 0;
    for (size_t s = 0; s < study->n_services; s++)
        most_s = fmax(most_s, forecast_period_s(&study->services[s].traffic));
    return most_s;
}

// ---- the whole run ------------------------------------------------------------------------------

static double run_queries(const struct study *study, size_t s)
{
    double duration_s = simtime_to_s(study->settings.duration_ns);
    struct forecast rate;
    forecast_profile(&study->services[s].traffic, duration_s, 1, &rate);
    return rate.mean_qps * duration_s;
}

double demand_queries(const struct study *study)
{
    double sum = 0;
    for (size_t s = 0; s < study->n_services; s++)
        sum += run_queries(study, s);
    return sum;
}

// As demand_of(), of which no cost is needed.
static double requests_of(const struct study *study, const struct study_group *group, size_t s)
{
    const struct settings fit = sched_fit(&group->settings[s], cost_has_accel(group->costs[s]));
    const struct dispatch_config dispatch = sched_needs(&fit);
    const struct qsize *sizes = study->sizes[s];
    double sum = 0;
    uint32_t largest = sizes ? qsize_max_items(sizes) : 0;
    for (uint32_t n = sizes ? qsize_min_items(sizes) : 1; n <= largest; n++) {
        bool whole = dispatch.offload_items > 0 && n >= dispatch.offload_items;
        uint32_t batch = dispatch.batch_items > n ? n : (uint32_t)dispatch.batch_items;
        sum += qsize_pmf(sizes, n) * (whole ? 1 : (n + batch - 1) / batch);
    }
    return sum;
}

double demand_requests(const struct study *study)
{
    double sum = 0;
    for (size_t s = 0; s < study->n_services; s++) {
        double queries = run_queries(study, s);
        for (size_t g = 0; g < study->n_groups; g++) {
            const struct study_group *group = &study->groups[g];
            double part = demand_share_frac(study, group) * (double)group->servers;
            sum += part * queries * requests_of(study, group, s);
        }
    }
    return sum;
}

double demand_wall_s(const struct study *study)
{
    uint32_t n_bins = (uint32_t)study->settings.bins + 1;
    return (demand_queries(study) * QUERY_NS + demand_requests(study) * REQUEST_NS) * 1e-9 +
           footprint_of(&study->fleet, n_bins).wall_s;
}
