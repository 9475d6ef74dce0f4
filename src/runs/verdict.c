// SPDX-License-Identifier: Apache-2.0
#include "runs/verdict.h"

#include <math.h>

#include "results/summary.h"

static const struct ci *quantile_of(const struct summary_service *service, double q)
{
    for (int i = 0; i < SUMMARY_N_QUANTILES; i++)
        if (summary_quantiles[i] == q)
            return &service->latency_s[i];
    return NULL;
}

// *nearest: how near to missing the nearest so far is; NaN: none yet.
static void judge_service(const struct summary_service *service, double p99_bound, double *nearest,
                          struct measurement *result)
{
    const struct ci *p95 = quantile_of(service, 0.95), *p99 = quantile_of(service, 0.99);
    double allowed = 1 - service->sla_quantile, bound_s = p99_bound * service->sla_s;
    const struct ci late = service->late_frac;
    result->sla = measurement_worse(result->sla, measurement_judge(late, allowed, 1));
    if (p99_bound > 0)
        result->tail = measurement_worse(result->tail, measurement_judge(*p99, bound_s, 1));
    // The service nearest to missing stands for all.
    double near = late.value / allowed;
    if (p99_bound > 0)
        near = fmax(near, p99->value / bound_s);
    if (near <= *nearest)
        return;
    *nearest = near;
    result->allowed_frac = allowed;
    result->tail_bound_s = p99_bound > 0 ? bound_s : (double)NAN;
    result->sla_s = service->sla_s;
    result->late_frac = late;
    result->sla_latency_s = service->sla_latency_s;
    result->p95_s = *p95;
    result->p99_s = *p99;
}

static void judge_groups(const struct summary *summary, uint32_t index, struct measurement *result)
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
                  struct measurement *result)
{
    const struct summary_service *total = summary_total(summary);
    double nearest = NAN;
    *result = measurement_none(VERDICT_UNSURE);
    result->sla = result->tail = VERDICT_MET; // of no service yet
    judge_groups(summary, scope->group, result);
    for (uint32_t s = 0; s < summary->n_services; s++)
        if (summary->services[s].sla_s > 0)
            judge_service(&summary->services[s], scope->p99_bound, &nearest, result);
    // A queue that grows misses every target sooner or later, whatever this run has seen of it.
    if (result->stable == VERDICT_MISSED)
        result->sla = result->tail = VERDICT_MISSED;
    result->served_qps = total->served_qps.value;
    result->power_w = summary->fleet.power_w.value;
    result->queries_per_j = summary->fleet.queries_per_j.value;
    result->accel_query_frac = total->accel_query_frac.value;
    result->accel_item_frac = total->accel_item_frac.value;
}

// A search judges by the fraction of late queries and asks for longer runs; its percentiles are
// shown to people.
static void withhold(const struct summary_fleet *fleet, struct measurement *result)
{
    if (!summary_gives(fleet, 1 - result->allowed_frac))
        result->sla_latency_s.half_95 = NAN;
    if (!summary_gives(fleet, 0.95))
        result->p95_s.half_95 = NAN;
    if (!summary_gives(fleet, 0.99))
        result->p99_s.half_95 = NAN;
}

// Of one service alone; utilisation, power and stability are the fleet's.
static struct measurement judge_alone(const struct summary_service *service, double p99_bound,
                                      const struct measurement *all)
{
    struct measurement result =
        measurement_none(service->sla_s > 0 ? VERDICT_MET : VERDICT_NOT_ASKED);
    double nearest = NAN;
    result.stable = all->stable;
    result.power_w = all->power_w;
    result.p95_s = *quantile_of(service, 0.95);
    result.p99_s = *quantile_of(service, 0.99);
    if (service->sla_s > 0)
        judge_service(service, p99_bound, &nearest, &result);
    if (service->sla_s > 0 && result.stable == VERDICT_MISSED)
        result.sla = result.tail = VERDICT_MISSED;
    result.served_qps = service->served_qps.value;
    result.lost_frac = service->lost_frac.value;
    result.accel_query_frac = service->accel_query_frac.value;
    result.accel_item_frac = service->accel_item_frac.value;
    result.n_queries = service->n_queries;
    return result;
}

struct measurement verdict_of(const struct record *total, struct meta *meta,
                              const struct verdict_scope *scope)
{
    struct measurement result;
    // Runs of a search differ in length; the study's meta is made once.
    meta->duration_ns = total->shape.end_ns;
    meta->warmup_ns = total->shape.warmup_ns;
    meta->warmup_auto = false;
    struct summary *summary = summary_create_for_search(total, meta);
    judge(summary, scope, &result);
    for (uint32_t s = 0; scope->services && s < summary->n_services; s++) {
        scope->services[s] = judge_alone(&summary->services[s], scope->p99_bound, &result);
        withhold(&summary->fleet, &scope->services[s]);
    }
    withhold(&summary->fleet, &result);
    summary_destroy(summary);
    return result;
}
