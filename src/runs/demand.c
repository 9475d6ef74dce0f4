// SPDX-License-Identifier: Apache-2.0
#include "runs/demand.h"

#include <math.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/sched.h"
#include "runs/footprint.h"

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

struct demand demand_mean(const struct demand_split *split)
{
    const struct dispatch_config *dispatch = &split->dispatch;
    uint32_t largest = qsize_max_items(split->sizes);
    uint32_t batch = dispatch->batch_items > largest ? largest : (uint32_t)dispatch->batch_items;
    struct demand sum = {0, 0, 0, 0};
    for (uint32_t n = qsize_min_items(split->sizes); n <= largest; n++) {
        double share = qsize_pmf(split->sizes, n);
        if (share == 0)
            continue;
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
    const struct demand_split split = {group->costs[s], study->sizes[s], cpu_s, sched_needs(&fit)};
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
    double sum = 0, duration_s = simtime_to_s(study->settings.duration_ns);
    for (size_t g = 0; g < study->n_groups; g++) {
        const struct study_group *group = &study->groups[g];
        double part = demand_share_frac(study, group) * (double)group->servers;
        for (size_t s = 0; s < study->n_services; s++) {
            const struct service_traffic *traffic = &study->services[s].traffic;
            double qps = part * arrival_mean_qps(&traffic->arrivals, traffic->rate_qps);
            sum += qps * requests_of(study, group, s) * duration_s;
        }
    }
    return sum;
}

double demand_wall_s(const struct study *study)
{
    uint32_t n_bins = (uint32_t)study->settings.bins + 1;
    return (study_expected_queries(study) * QUERY_NS + demand_requests(study) * REQUEST_NS) * 1e-9 +
           footprint_of(&study->fleet, n_bins).wall_s;
}
