// SPDX-License-Identifier: Apache-2.0
#include "results/staffing_view.h"

#include <math.h>

#include "base/mem.h"

#define MOST_LINES 48

bool staffing_view_has_plans(const struct staffing *s)
{
    return s->n_schedulers > 0 && s->n_allocations > 0 && s->n_provisionings > 0 &&
           s->n_intervals > 0 && s->n_services > 0;
}

static size_t plan_at(const struct staffing *s, const struct staffing_plan *plan)
{
    return staffing_plan_at(s, plan->scheduler, plan->allocation, plan->provisioning);
}

const struct staffing_total *staffing_view_total(const struct staffing *s,
                                                 const struct staffing_plan *plan)
{
    return &s->totals[plan_at(s, plan)];
}

const struct staffing_step *staffing_view_step(const struct staffing *s,
                                               const struct staffing_plan *plan, uint32_t interval)
{
    return &s->steps[plan_at(s, plan) * s->n_intervals + interval];
}

const struct staffing_trial *staffing_view_trial(const struct staffing *s,
                                                 const struct staffing_plan *plan,
                                                 uint32_t interval, uint32_t service)
{
    return &s->trials[(plan_at(s, plan) * s->n_intervals + interval) * s->n_services + service];
}

const struct staffing_trial *staffing_view_day(const struct staffing *s,
                                               const struct staffing_plan *plan, uint32_t service)
{
    return &s->days[plan_at(s, plan) * s->n_services + service];
}

// Is x the better plan?
static bool is_better(const struct staffing_total *x, const struct staffing_total *y)
{
    if (x->n_missed != y->n_missed)
        return x->n_missed < y->n_missed;
    if (!isnan(x->objective) && !isnan(y->objective))
        return x->objective < y->objective;
    if (x->server_h < y->server_h || x->server_h > y->server_h)
        return x->server_h < y->server_h;
    return x->simulated_kwh < y->simulated_kwh;
}

bool staffing_view_best(const struct staffing *s, struct staffing_plan *best)
{
    bool found = false;
    struct staffing_plan p;
    for (p.scheduler = 0; p.scheduler < s->n_schedulers; p.scheduler++)
        for (p.allocation = 0; p.allocation < s->n_allocations; p.allocation++)
            for (p.provisioning = 0; p.provisioning < s->n_provisionings; p.provisioning++) {
                const struct staffing_total *total = staffing_view_total(s, &p);
                if (total->state == STAFFING_BEYOND ||
                    (found && !is_better(total, staffing_view_total(s, best))))
                    continue;
                *best = p;
                found = true;
            }
    return found;
}

double staffing_view_worst(const struct staffing *s, const struct staffing_plan *plan,
                           uint32_t interval, uint32_t *service)
{
    double worst = NAN;
    *service = 0;
    for (uint32_t m = 0; m < s->n_services; m++) {
        double ratio = staffing_view_trial(s, plan, interval, m)->p95_s / s->target_s[m];
        if (isnan(ratio) || ratio <= worst)
            continue;
        worst = ratio;
        *service = m;
    }
    return worst;
}

uint32_t staffing_view_stride(const struct staffing *s)
{
    return (s->n_intervals + MOST_LINES - 1) / MOST_LINES;
}

char *staffing_view_time(const struct staffing *s, uint32_t interval)
{
    double start_s = interval * s->interval_s;
    if (!(start_s >= 0 && start_s < 1e9))
        return mem_printf("%u", interval);
    long seconds = lround(start_s), minutes = lround(start_s / 60);
    if (fmod(s->interval_s, 60) > 0)
        return mem_printf("%02ld:%02ld:%02ld", seconds / 3600, seconds / 60 % 60, seconds % 60);
    return mem_printf("%02ld:%02ld", minutes / 60, minutes % 60);
}

const char *staffing_view_verdict(int32_t verdict)
{
    static const char *const words[] = {
        [STAFFING_MET] = "met",
        [STAFFING_UNSURE] = "?",
        [STAFFING_MISSED] = "MISSED",
        [STAFFING_NOT_ASKED] = "-",
    };
    return words[verdict];
}

int32_t staffing_view_worse(int32_t a, int32_t b)
{
    if (a == STAFFING_NOT_ASKED || b == STAFFING_NOT_ASKED)
        return a == STAFFING_NOT_ASKED ? b : a;
    return a > b ? a : b;
}

char *staffing_view_saving(double base, double other)
{
    return table_fixed((1 - other / base) * 100, 1);
}

char *staffing_view_interval(double value, double half, double scale)
{
    return isfinite(value) ? table_interval(value, half, scale) : mem_strdup("-");
}

struct table_unit staffing_view_unit(const struct staffing *s)
{
    return table_time_unit(s->n_services > 0 ? s->target_s[0] : (double)NAN);
}
