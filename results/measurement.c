// SPDX-License-Identifier: Apache-2.0
#include "results/measurement.h"

#include <math.h>

const char *const measurement_verdict_names[] = {"met", "unsure", "missed", "not_asked", NULL};

struct measurement measurement_none(int32_t verdict)
{
    struct measurement m = {0};
    data_field_clear(measurement_fields, &m);
    m.stable = m.sla = m.tail = verdict;
    return m;
}

// Every comparison with NaN is false, so what is not known ends at UNSURE.
int32_t measurement_judge(struct ci ci, double bound, double clear)
{
    double off = clear * ci.half_95;
    return ci.value + off <= bound  ? VERDICT_MET
           : ci.value - off > bound ? VERDICT_MISSED
                                    : VERDICT_UNSURE;
}

int32_t measurement_worse(int32_t a, int32_t b)
{
    if (a == VERDICT_NOT_ASKED || b == VERDICT_NOT_ASKED)
        return a == VERDICT_NOT_ASKED ? b : a;
    return a > b ? a : b;
}

int32_t measurement_overall(const struct measurement *m)
{
    return measurement_worse(m->stable, measurement_worse(m->sla, m->tail));
}

double measurement_late_half(double half_95, const struct measurement_floor *floor)
{
    double n = floor->n_queries, allowed = floor->allowed_frac;
    if (isnan(floor->n_late)) {
        double least = MEASUREMENT_Z_95 * sqrt(allowed * (1 - allowed) / n);
        return n * allowed < floor->few && half_95 < least ? least : half_95;
    }
    if (!(floor->n_late < floor->few))
        return half_95;
    return fmax(half_95, MEASUREMENT_Z_95 * sqrt(floor->n_late + 1) / n);
}

struct ci measurement_late(struct ci late_frac, double n_queries, double allowed_frac)
{
    const struct measurement_floor floor = {n_queries, allowed_frac, NAN, MEASUREMENT_FEW_LATE};
    late_frac.half_95 = late_frac.value == 0 ? -expm1(log(0.025) / n_queries)
                                             : measurement_late_half(late_frac.half_95, &floor);
    return late_frac;
}

#define ROW struct measurement
const struct data_field measurement_fields[] = {
    DATA_CODE(stable, "is every queue stable?", measurement_verdict_names, VERDICT_NOT_ASKED),
    DATA_CODE(sla, "is the latency within its target?", measurement_verdict_names,
              VERDICT_NOT_ASKED),
    DATA_CODE(tail, "is the p99 within its bound?", measurement_verdict_names, VERDICT_NOT_ASKED),
    DATA_NUMBER(sla_s, "s", "latency target"),
    DATA_NUMBER(tail_bound_s, "s", "bound of the 99th percentile of latency"),
    DATA_NUMBER(allowed_frac, "1", "queries that the target allows to be late"),
    DATA_ESTIMATE(sla_latency_s, "s", "latency at the target's percentile"),
    DATA_ESTIMATE(p95_s, "s", "95th percentile of latency"),
    DATA_ESTIMATE(p99_s, "s", "99th percentile of latency"),
    DATA_ESTIMATE(late_frac, "1", "queries later than the target, lost ones among them"),
    DATA_NUMBER(lost_frac, "1", "queries lost to servers that went down"),
    DATA_NUMBER(served_qps, "s-1", "queries answered per second"),
    DATA_NUMBER(power_w, "W", "power"),
    DATA_NUMBER(queries_per_j, "J-1", "queries answered per joule"),
    DATA_NUMBER(cpu_util_frac, "1", "utilisation of the cores"),
    DATA_NUMBER(accel_util_frac, "1", "utilisation of the accelerators"),
    DATA_NUMBER(accel_query_frac, "1", "queries that went to the accelerator"),
    DATA_NUMBER(accel_item_frac, "1", "items that went to the accelerator"),
    {0}};

const struct data_field measurement_count_fields[] = {
    DATA_COUNT(n_queries, "1", "queries simulated"), {0}};
#undef ROW
