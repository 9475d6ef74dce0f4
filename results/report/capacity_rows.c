// SPDX-License-Identifier: Apache-2.0
#include "results/report/capacity_rows.h"

#include <math.h>

#include "base/mem.h"

#define MOST_LINES 48

bool capacity_rows_has_plans(const struct capacity_result *s)
{
    return s->n_schedulers > 0 && s->n_allocations > 0 && s->n_provisionings > 0 &&
           s->n_intervals > 0 && s->n_services > 0;
}

static size_t plan_at(const struct capacity_result *s, const struct capacity_plan *plan)
{
    return capacity_result_plan_at(s, plan->scheduler, plan->allocation, plan->provisioning);
}

const struct capacity_total *capacity_rows_total(const struct capacity_result *s,
                                                 const struct capacity_plan *plan)
{
    return &s->totals[plan_at(s, plan)];
}

const struct capacity_step *capacity_rows_step(const struct capacity_result *s,
                                               const struct capacity_plan *plan, uint32_t interval)
{
    return &s->steps[plan_at(s, plan) * s->n_intervals + interval];
}

const struct measurement *capacity_rows_trial(const struct capacity_result *s,
                                              const struct capacity_plan *plan, uint32_t interval,
                                              uint32_t service)
{
    return &s->trials[(plan_at(s, plan) * s->n_intervals + interval) * s->n_services + service];
}

const struct measurement *capacity_rows_day(const struct capacity_result *s,
                                            const struct capacity_plan *plan, uint32_t service)
{
    return &s->days[plan_at(s, plan) * s->n_services + service];
}

// Is x the better plan?
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

bool capacity_rows_best(const struct capacity_result *s, struct capacity_plan *best)
{
    bool found = false;
    struct capacity_plan p;
    for (p.scheduler = 0; p.scheduler < s->n_schedulers; p.scheduler++)
        for (p.allocation = 0; p.allocation < s->n_allocations; p.allocation++)
            for (p.provisioning = 0; p.provisioning < s->n_provisionings; p.provisioning++) {
                const struct capacity_total *total = capacity_rows_total(s, &p);
                if (total->state == CAPACITY_BEYOND ||
                    (found && !is_better(total, capacity_rows_total(s, best))))
                    continue;
                *best = p;
                found = true;
            }
    return found;
}

double capacity_rows_worst(const struct capacity_result *s, const struct capacity_plan *plan,
                           uint32_t interval, uint32_t *service)
{
    double worst = NAN;
    *service = 0;
    for (uint32_t m = 0; m < s->n_services; m++) {
        double ratio = capacity_rows_trial(s, plan, interval, m)->p95_s.value / s->target_s[m];
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

const char *capacity_rows_verdict(int32_t verdict)
{
    static const char *const words[] = {
        [VERDICT_MET] = "met",
        [VERDICT_UNSURE] = "?",
        [VERDICT_MISSED] = "MISSED",
        [VERDICT_NOT_ASKED] = "-",
    };
    return words[verdict];
}

char *capacity_rows_saving(double base, double other)
{
    return table_fixed((1 - other / base) * 100, 1);
}

char *capacity_rows_interval(double value, double half, double scale)
{
    return isfinite(value) ? table_interval(value, half, scale) : mem_strdup("-");
}

struct table_unit capacity_rows_unit(const struct capacity_result *s)
{
    return table_time_unit(s->n_services > 0 ? s->target_s[0] : (double)NAN);
}
