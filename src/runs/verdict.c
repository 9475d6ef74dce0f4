// SPDX-License-Identifier: Apache-2.0
#include "runs/verdict.h"

#include <math.h>

#include "results/summary.h"
#include "study/study_tune.h"

static enum measure_verdict below(double value, double half, double bound)
{
    if (isnan(value) || isnan(half))
        return VERDICT_UNSURE;
    return value + half <= bound ? VERDICT_MET
                                 : (value - half > bound ? VERDICT_MISSED : VERDICT_UNSURE);
}

static int32_t worse(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static const struct ci *quantile_of(const struct summary_service *service, double q)
{
    for (int i = 0; i < SUMMARY_N_QUANTILES; i++)
        if (summary_quantiles[i] == q)
            return &service->latency_s[i];
    return NULL;
}

// A fraction of few late queries shows too little spread: none late in every batch is an interval
// of no width. As wide as independent queries make it at `allowed`, then.
static double late_half(const struct summary_service *service, double allowed)
{
    double n = (double)service->n_queries, half = service->late_frac.half_95;
    double least = MEASURE_Z_95 * sqrt(allowed * (1 - allowed) / n);
    return n * allowed < STUDY_TUNE_LEAST_LATE && half < least ? least : half;
}

// *nearest: how near to missing the nearest so far is; NaN: none yet.
static void judge_service(const struct summary_service *service, double p99_bound, double *nearest,
                          struct measure_result *result)
{
    const struct ci *p95 = quantile_of(service, 0.95), *p99 = quantile_of(service, 0.99);
    const struct ci *late = &service->late_frac;
    double allowed = 1 - service->sla_quantile, half = late_half(service, allowed);
    result->sla = worse(result->sla, (int32_t)below(late->value, half, allowed));
    if (p99_bound > 0)
        result->tail = worse(result->tail,
                             (int32_t)below(p99->value, p99->half_95, p99_bound * service->sla_s));
    // The service nearest to missing stands for all.
    double near = late->value / allowed;
    if (p99_bound > 0)
        near = fmax(near, p99->value / (p99_bound * service->sla_s));
    if (near <= *nearest)
        return;
    *nearest = near;
    result->late_frac = late->value;
    result->late_half_frac = half;
    result->allowed_frac = allowed;
    result->tail_bound_s = p99_bound > 0 ? p99_bound * service->sla_s : (double)NAN;
    result->target_s = service->sla_s;
    result->latency_s = service->sla_latency_s.value;
    result->latency_half_s = service->sla_latency_s.half_95;
    result->p95_s = p95->value;
    result->p95_half_s = p95->half_95;
    result->p99_s = p99->value;
    result->p99_half_s = p99->half_95;
}

static void judge_groups(const struct summary *summary, uint32_t index,
                         struct measure_result *result)
{
    const struct summary_group *group = &summary->groups[index];
    result->cpu_util_frac = group->parts[PART_CPU].util_frac.value;
    result->accel_util_frac =
        group->parts[PART_ACCEL].n_units ? group->parts[PART_ACCEL].util_frac.value : NAN;
    switch (summary->fleet.verdict) {
    case OVERLOAD_NO:
        result->stable = VERDICT_MET;
        break;
    case OVERLOAD_UNSURE:
        result->stable = VERDICT_UNSURE;
        break;
    default:
        result->stable = VERDICT_MISSED;
    }
}

static void judge(const struct summary *summary, const struct verdict_scope *scope,
                  struct measure_result *result)
{
    const struct summary_service *total = summary_total(summary);
    double nearest = NAN;
    *result = measure_nothing();
    result->sla = result->tail = VERDICT_MET; // of no service yet
    judge_groups(summary, scope->group, result);
    for (uint32_t s = 0; s < summary->n_services; s++)
        if (summary->services[s].sla_s > 0)
            judge_service(&summary->services[s], scope->p99_bound, &nearest, result);
    if (result->stable == VERDICT_MISSED)
        result->sla = result->tail = VERDICT_MISSED;
    result->served_qps = total->served_qps.value;
    result->power_w = summary->fleet.power_w.value;
    result->qps_per_w = summary->fleet.queries_per_j.value;
    result->accel_query_frac = total->accel_query_frac.value;
    result->accel_item_frac = total->accel_item_frac.value;
}

struct measure_result verdict_of(const struct record *total, struct meta *meta,
                                 const struct verdict_scope *scope)
{
    struct measure_result result;
    meta->duration_ns = total->shape.end_ns;
    meta->warmup_ns = total->shape.warmup_ns;
    meta->warmup_auto = false;
    struct summary *summary = summary_create(total, meta);
    judge(summary, scope, &result);
    summary_destroy(summary);
    return result;
}
