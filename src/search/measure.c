// SPDX-License-Identifier: Apache-2.0
#include "search/measure.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

const char *const measure_verdict_names[] = {"met", "unsure", "missed", NULL};

enum measure_verdict measure_overall(const struct measure_result *result)
{
    const int32_t verdicts[] = {result->stable, result->sla, result->tail};
    int32_t worst = VERDICT_MET;
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++)
        worst = verdicts[i] > worst ? verdicts[i] : worst;
    return (enum measure_verdict)worst;
}

struct measure_result measure_nothing(void)
{
    return (struct measure_result){
        .stable = VERDICT_UNSURE,
        .sla = VERDICT_UNSURE,
        .tail = VERDICT_UNSURE,
        .target_s = NAN,
        .tail_bound_s = NAN,
        .latency_s = NAN,
        .latency_half_s = NAN,
        .p95_s = NAN,
        .p95_half_s = NAN,
        .p99_s = NAN,
        .p99_half_s = NAN,
        .late_frac = NAN,
        .late_half_frac = NAN,
        .allowed_frac = NAN,
        .served_qps = NAN,
        .power_w = NAN,
        .qps_per_w = NAN,
        .cpu_util_frac = NAN,
        .accel_util_frac = NAN,
        .accel_query_frac = NAN,
        .accel_item_frac = NAN,
    };
}

static void reserve(struct trials *trials, size_t more)
{
    if (trials->n + more <= trials->cap)
        return;
    size_t cap = 2 * trials->cap > trials->n + more ? 2 * trials->cap : trials->n + more;
    trials->v = mem_realloc(trials->v, cap, sizeof *trials->v);
    trials->cap = cap;
}

void trials_add(struct trials *trials, const struct measure_point *point,
                const struct measure_result *result)
{
    reserve(trials, 1);
    trials->v[trials->n++] = (struct trial){*point, *result};
}

void trials_append(struct trials *trials, const struct trials *more)
{
    if (more->n == 0)
        return;
    reserve(trials, more->n);
    memcpy(trials->v + trials->n, more->v, more->n * sizeof *more->v);
    trials->n += more->n;
}

void trials_release(struct trials *trials)
{
    mem_free(trials->v);
    *trials = (struct trials){0};
}
