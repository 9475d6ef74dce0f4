// SPDX-License-Identifier: Apache-2.0
#include "results/overload.h"

#include <math.h>

#include "base/mem.h"
#include "results/batch.h"

const char *const overload_names[] = {"stable", "unsure", "overloaded", NULL};

// Work that arrived is work that was done and what the backlog grew by; both in core-time.
static double used_load(const struct overload_series *s, uint32_t first, uint32_t end)
{
    double before = first > 0 ? s->backlog_ns[first - 1] : s->backlog_before_ns;
    double work = s->backlog_ns[end - 1] - before, capacity = 0;
    for (uint32_t i = first; i < end; i++) {
        work += s->busy_ns[i];
        capacity += s->length_ns[i] * s->n_units;
    }
    return capacity > 0 ? work / capacity : NAN;
}

static double full_load(const struct overload_series *s, uint32_t first, uint32_t end)
{
    double work = 0, capacity = 0;
    for (uint32_t i = first; i < end; i++) {
        work += s->work_ns[i];
        capacity += s->length_ns[i] * s->n_units;
    }
    return capacity > 0 ? work / capacity : NAN;
}

typedef double (*load_fn)(const struct overload_series *s, uint32_t first, uint32_t end);

double overload_load(const struct overload_series *s, uint32_t first, uint32_t end)
{
    return (s->work_ns ? full_load : used_load)(s, first, end);
}

// The batches are made from the load of bins, and each batch's own load is then taken from its
// first and last backlog: what is left over between two bins of a batch cancels exactly.
static struct ci offered_load(const struct overload_series *s, load_fn load_of)
{
    double *load = mem_calloc(s->n, sizeof *load);
    for (uint32_t i = 0; i < s->n; i++)
        load[i] = load_of(s, i, i + 1);
    struct batch_plan plan = batch_plan_of(load, s->n, BATCH_AIM);
    for (uint32_t b = 0; b < plan.n_batches; b++)
        load[b] = load_of(s, batch_first(&plan, b), batch_first(&plan, b + 1));
    struct ci ci = ci_sections(load_of(s, 0, s->n), load, plan.n_batches);
    mem_free(load);
    return ci;
}

static enum overload_verdict judge_load(struct ci load)
{
    // Half-widths are two-sided; one side at 99 % needs its own t.
    double dof = (double)load.n_batches - 1;
    double se = load.half_95 / ci_t(0.975, dof);
    if (load.value - ci_t(0.99, dof) * se > 1)
        return OVERLOAD_YES;
    bool below = load.value + load.half_95 < 1;
    // With no interval at all, nearly full cannot be told from too full.
    return load.value >= 0.97 && !below ? OVERLOAD_UNSURE : OVERLOAD_NO;
}

// Is the drift of the worst server's wait more than the spread of its steps explains? The steps are
// compared with a steady rate, by Student's t.
static enum overload_verdict judge_drain(const struct overload_series *s, double *growth_frac)
{
    double time = 0, squares = 0, before = s->drain_before_ns;
    for (uint32_t i = 0; i < s->n; i++)
        time += s->length_ns[i];
    double rate = (s->drain_ns[s->n - 1] - s->drain_before_ns) / time;
    *growth_frac = rate;
    if (s->n < 3 || !(rate > 0))
        return OVERLOAD_NO;
    for (uint32_t i = 0; i < s->n; i++) {
        double off = s->drain_ns[i] - before - rate * s->length_ns[i];
        squares += off * off;
        before = s->drain_ns[i];
    }
    double dof = s->n - 1;
    double gain = rate * time / s->n, se = sqrt(squares / (dof * s->n));
    // Lower tails: 1 - p would lose what is left of p.
    if (gain > -ci_t(0.001 / (s->n_servers ? s->n_servers : 1), dof) * se)
        return OVERLOAD_YES;
    return gain > -ci_t(0.005, dof) * se ? OVERLOAD_UNSURE : OVERLOAD_NO;
}

struct overload overload_judge(const struct overload_series *series)
{
    struct overload o = {OVERLOAD_NO, ci_none(), NAN};
    if (series->n == 0 || series->n_units <= 0)
        return o;
    o.load_frac = offered_load(series, used_load);
    enum overload_verdict whole = judge_load(o.load_frac);
    if (series->work_ns && whole != OVERLOAD_YES) {
        o.load_frac = offered_load(series, full_load);
        whole = judge_load(o.load_frac);
    }
    enum overload_verdict worst = judge_drain(series, &o.drain_growth_frac);
    o.verdict = whole > worst ? whole : worst;
    return o;
}
