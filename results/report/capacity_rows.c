// SPDX-License-Identifier: Apache-2.0
#include "results/report/capacity_rows.h"

#include <math.h>

#include "base/mem.h"

#define MOST_LINES 48

uint32_t capacity_rows_n_plans(const struct capacity_result *s)
{
    bool days = s->n_intervals > 0 && s->n_services > 0;
    return days ? s->n_schedulers * s->n_allocations * s->n_provisionings : 0;
}

struct capacity_plan capacity_rows_plan(const struct capacity_result *s, uint32_t plan)
{
    return (struct capacity_plan){s->schedulers[plan / s->n_provisionings / s->n_allocations],
                                  s->allocations[plan / s->n_provisionings % s->n_allocations],
                                  s->provisionings[plan % s->n_provisionings]};
}

const struct measurement *capacity_rows_trials(const struct capacity_result *s, uint32_t plan,
                                               uint32_t interval)
{
    return s->trials + ((size_t)plan * s->n_intervals + interval) * s->n_services;
}

const struct measurement *capacity_rows_days(const struct capacity_result *s, uint32_t plan)
{
    return s->days + (size_t)plan * s->n_services;
}

// A plan that misses targets is no plan, whatever it saves. Is x the better one?
static bool is_better(const struct capacity_total *x, const struct capacity_total *y)
{
    if (x->n_missed != y->n_missed)
        return x->n_missed < y->n_missed;
    if (!isnan(x->objective) && !isnan(y->objective))
        return x->objective < y->objective;
    if (x->server_h < y->server_h || x->server_h > y->server_h)
        return x->server_h < y->server_h;
    return x->simulated_kwh < y->simulated_kwh;
}

bool capacity_rows_best(const struct capacity_result *s, uint32_t *best)
{
    bool found = false;
    for (uint32_t plan = 0; plan < capacity_rows_n_plans(s); plan++) {
        const struct capacity_total *total = &s->totals[plan];
        if (total->state == CAPACITY_BEYOND || (found && !is_better(total, &s->totals[*best])))
            continue;
        *best = plan;
        found = true;
    }
    return found;
}

bool capacity_rows_use_accel(const void *answer, const struct report_column *column)
{
    const struct capacity_result *s = answer;
    size_t n_trials = (size_t)capacity_rows_n_plans(s) * s->n_intervals * s->n_services;
    bool any = false;
    (void)column;
    for (uint32_t i = 0; i < s->n_sizes; i++)
        any |= s->sizes[i].at_n.accel_util_frac > 0;
    for (uint32_t i = 0; i < s->n_loads; i++)
        any |= s->loads[i].at_held.accel_util_frac > 0;
    for (size_t i = 0; i < n_trials; i++)
        any |= s->trials[i].accel_util_frac > 0;
    return any;
}

void capacity_rows_latency_head(const struct capacity_result *s, struct table *table)
{
    const char *unit = capacity_rows_unit(s).name;
    table_head(table,
               isfinite(s->sla_quantile) ? mem_printf("p%.10g %s", s->sla_quantile * 100, unit)
                                         : mem_printf("latency %s", unit),
               "sla_latency_s");
}

void capacity_rows_latency(const struct capacity_result *s, struct table *table,
                           const struct measurement *m)
{
    struct ci ci = m->sla_latency_s;
    char *text = isfinite(ci.value)
                     ? table_interval(ci.value, ci.half_95, capacity_rows_unit(s).scale)
                     : mem_strdup("-");
    if (isfinite(ci.value) && isnan(s->sla_quantile) && isfinite(m->allowed_frac)) {
        char *latency = text;
        text = mem_printf("p%.10g %s", (1 - m->allowed_frac) * 100, latency);
        mem_free(latency);
    }
    table_estimate(table, text, ci.value, ci.half_95);
}

double capacity_rows_worst(const struct capacity_result *s, uint32_t plan, uint32_t interval,
                           uint32_t *service)
{
    const struct measurement *trials = capacity_rows_trials(s, plan, interval);
    double worst = NAN;
    *service = 0;
    for (uint32_t m = 0; m < s->n_services; m++) {
        double ratio = trials[m].sla_latency_s.value / s->sla_s[m];
        if (isnan(ratio) || ratio <= worst)
            continue;
        worst = ratio;
        *service = m;
    }
    return worst;
}

uint32_t capacity_rows_stride(const struct capacity_result *s)
{
    return (s->n_intervals + MOST_LINES - 1) / MOST_LINES;
}

char *capacity_rows_time(const struct capacity_result *s, uint32_t interval)
{
    double start_s = interval * s->interval_s;
    if (!(start_s >= 0 && start_s < 1e9))
        return mem_printf("%u", interval);
    long seconds = lround(start_s), minutes = lround(start_s / 60);
    if (fmod(s->interval_s, 60) > 0)
        return mem_printf("%02ld:%02ld:%02ld", seconds / 3600, seconds / 60 % 60, seconds % 60);
    return mem_printf("%02ld:%02ld", minutes / 60, minutes % 60);
}

const char *capacity_rows_verdict(const struct measurement *m)
{
    static const char *const words[] = {
        [VERDICT_MET] = "met",
        [VERDICT_UNSURE] = "?",
        [VERDICT_MISSED] = "MISSED",
        [VERDICT_NOT_ASKED] = "-",
    };
    // Stable alone is not "met" where there is no target.
    if (m->sla == VERDICT_NOT_ASKED && m->stable == VERDICT_MET)
        return words[VERDICT_NOT_ASKED];
    return words[measurement_worse(m->stable, m->sla)];
}

char *capacity_rows_saving(double base, double other)
{
    return table_fixed((1 - other / base) * 100, 1);
}

struct table_unit capacity_rows_unit(const struct capacity_result *s)
{
    return table_time_unit(s->n_services > 0 ? s->sla_s[0] : (double)NAN);
}

void capacity_rows_print(struct table *table, int n_left, struct report_out *out, const char *name)
{
    table_left(table, n_left);
    table_print(table, out, name);
    table_destroy(table);
}
