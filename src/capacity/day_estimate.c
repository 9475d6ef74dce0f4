// SPDX-License-Identifier: Apache-2.0
#include "capacity/day_estimate.h"

#include <math.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "results/strata.h"

// Late queries below which their spread between pieces says little.
#define FEW_LATE 20

size_t day_estimate_n_pieces(const struct day_estimate_design *design)
{
    size_t n = 0;
    for (uint32_t h = 0; h < design->n_intervals; h++)
        n += (size_t)design->n_strata * design->n_pieces[h];
    return n;
}

// ---- a run of intervals -------------------------------------------------------------------------

// Intervals [begin, end) of a design with their slices.
struct span {
    const struct day_estimate_design *design;
    const struct slice_result *results; // of interval `begin` on
    uint32_t begin, end;
    size_t n; // pieces
};

static struct span span_of(const struct day_estimate_design *design,
                           const struct slice_result *results, uint32_t begin, uint32_t end)
{
    struct span span = {design, results, begin, end, 0};
    for (uint32_t h = 0; h < end; h++) {
        size_t n = (size_t)design->n_strata * design->n_pieces[h];
        if (h < begin)
            span.results += n;
        else
            span.n += n;
    }
    return span;
}

// What a query of a piece of interval h stands for, in queries of the whole interval.
static double weight_of(const struct day_estimate_design *design, uint32_t h)
{
    return design->interval_s / design->n_strata /
           (design->n_pieces[h] * design->window_s * design->cells_frac[h]);
}

// Strata of different intervals must not be taken for one: how far apart they are is the course of
// the day, not an error. Interval and stratum of every piece, and its weight, relative to the
// lowest one of the span, so that equal ones are 1.
static struct strata_piece *pieces_of(const struct span *span)
{
    const struct day_estimate_design *design = span->design;
    struct strata_piece *pieces = mem_calloc(span->n, sizeof *pieces);
    double least = INFINITY;
    size_t i = 0;
    for (uint32_t h = span->begin; h < span->end; h++)
        least = fmin(least, weight_of(design, h));
    for (uint32_t h = span->begin; h < span->end; h++)
        for (uint32_t k = 0; k < design->n_strata * design->n_pieces[h]; k++)
            pieces[i++] =
                (struct strata_piece){.stratum = h * design->n_strata + k / design->n_pieces[h],
                                      .weight = weight_of(design, h) / least};
    return pieces;
}

// The pieces' time and cells over those of the span.
static double sampled_frac(const struct span *span)
{
    double sum = 0;
    for (uint32_t h = span->begin; h < span->end; h++)
        sum += 1 / weight_of(span->design, h);
    return sum / (span->end - span->begin);
}

// ---- verdicts -----------------------------------------------------------------------------------

static uint32_t n_doubtful(const struct slice_result *results, uint32_t n)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += results[i].overall.stable != VERDICT_MET;
    return sum;
}

static int32_t stratum_verdict(const struct slice_result *results, uint32_t n)
{
    uint32_t n_missed = 0, least = n < 2 ? n : n < 4 ? 2 : (n + 1) / 2;
    for (uint32_t i = 0; i < n; i++)
        n_missed += results[i].overall.stable == VERDICT_MISSED;
    if (n_missed >= least)
        return VERDICT_MISSED;
    return n_doubtful(results, n) == n ? VERDICT_UNSURE : VERDICT_MET;
}

// The worst stratum decides: an overload of one of them is an overload, however calm the rest.
static int32_t span_verdict(const struct span *span)
{
    const struct slice_result *at = span->results;
    uint32_t n = (uint32_t)span->n;
    int32_t worst = 2 * n_doubtful(at, n) > n ? VERDICT_UNSURE : VERDICT_MET;
    for (uint32_t h = span->begin; h < span->end; h++)
        for (uint32_t s = 0; s < span->design->n_strata; s++) {
            int32_t verdict = stratum_verdict(at, span->design->n_pieces[h]);
            worst = verdict > worst ? verdict : worst;
            at += span->design->n_pieces[h];
        }
    return worst;
}

// Nobody can be said to be in time where it is doubtful that queues stay finite.
static int32_t target_verdict(const struct service_config *service, int32_t stable,
                              const struct measurement *trial)
{
    double allowed = 1 - service->sla_quantile;
    if (service->sla_ns <= 0)
        return VERDICT_NOT_ASKED;
    if (stable == VERDICT_MISSED)
        return VERDICT_MISSED;
    return measurement_worse(stable, measurement_judge(trial->late_frac, allowed, 1));
}

// ---- rows ---------------------------------------------------------------------------------------

// One service over the span, from the pieces' counts of it, whose places are put into pieces[].
static void fill_trial(const struct span *span, struct strata_piece *pieces,
                       const struct service_config *service, uint32_t index,
                       struct measurement *trial)
{
    const struct strata_sample sample = {pieces, span->n, sampled_frac(span)};
    double *late = mem_calloc(3 * span->n, sizeof *late), *lost = late + span->n,
           *all = lost + span->n, n_late = 0, n_queries = 0;
    for (size_t i = 0; i < span->n; i++) {
        const struct slice_service *s = &span->results[i].services[index];
        pieces[i].first = s->first;
        pieces[i].n_counts = s->n_counts;
        pieces[i].counts = s->counts;
        lost[i] = (double)s->n_lost;
        late[i] = (double)(s->n_late + s->n_lost);
        all[i] = (double)(s->n_queries + s->n_lost); // with an end, or lost
        n_late += late[i];
        n_queries += all[i];
    }
    if (trial->stable != VERDICT_MISSED) {
        trial->p95_s = strata_quantile_s(&sample, 0.95);
        trial->p99_s = strata_quantile_s(&sample, 0.99);
    }
    if (trial->stable != VERDICT_MISSED && service->sla_ns > 0) {
        const struct measurement_floor floor = {n_queries, NAN, n_late, FEW_LATE};
        trial->sla_latency_s = strata_quantile_s(&sample, service->sla_quantile);
        trial->late_frac = strata_ratio(&sample, late, all);
        trial->late_frac.half_95 = measurement_late_half(trial->late_frac.half_95, &floor);
    }
    if (service->sla_ns > 0) {
        trial->sla_s = simtime_to_s(service->sla_ns);
        trial->allowed_frac = 1 - service->sla_quantile;
    }
    trial->lost_frac = strata_ratio(&sample, lost, all).value;
    trial->sla = target_verdict(service, trial->stable, trial);
    trial->n_queries = (uint64_t)n_queries;
    mem_free(late);
}

// Of the whole fleet, mean over the span's intervals: by the servers that pieces happened to have.
static double fleet_power_w(const struct span *span)
{
    const struct slice_result *at = span->results;
    double sum_w = 0;
    for (uint32_t h = span->begin; h < span->end; h++) {
        double energy_j = 0, fleet_s = 0;
        for (uint32_t k = 0; k < span->design->n_strata * span->design->n_pieces[h]; k++, at++) {
            energy_j += (double)at->energy_uj * 1e-6;
            fleet_s += at->share_frac * at->length_s;
        }
        sum_w += fleet_s > 0 ? energy_j / fleet_s : 0;
    }
    return sum_w / (span->end - span->begin);
}

// All services over the span, into trials[n_services].
static void fill_span(const struct span *span, const struct fleet_variant *fleet,
                      struct measurement *trials)
{
    struct strata_piece *pieces = pieces_of(span);
    double watts = fleet_power_w(span), busy_s = 0, core_s = 0;
    int32_t stable = span_verdict(span);
    for (size_t i = 0; i < span->n; i++) {
        busy_s += pieces[i].weight * (double)span->results[i].cpu_busy_ns * 1e-9;
        core_s += pieces[i].weight * span->results[i].core_s;
    }
    for (uint32_t i = 0; i < fleet->n_services; i++) {
        uint32_t service = sample_fleet_service_at(fleet, i);
        trials[i] = measurement_none(VERDICT_NOT_ASKED);
        trials[i].stable = stable;
        trials[i].cpu_util_frac = busy_s / core_s;
        trials[i].power_w = watts;
        fill_trial(span, pieces, &fleet->study->services[service], i, &trials[i]);
    }
    mem_free(pieces);
}

void day_estimate_fill(const struct day_estimate_design *design, const struct fleet_variant *fleet,
                       const struct slice_result *results, struct day_estimate_rows *rows)
{
    const struct span day = span_of(design, results, 0, design->n_intervals);
    rows->n_queries = rows->of_queries = 0;
    for (uint32_t h = 0; h < design->n_intervals; h++) {
        const struct span span = span_of(design, results, h, h + 1);
        fill_span(&span, fleet, rows->trials + (size_t)h * rows->stride);
        for (size_t i = 0; i < span.n; i++)
            for (uint32_t s = 0; s < fleet->n_services; s++) {
                double n = (double)span.results[i].services[s].n_queries;
                rows->n_queries += n;
                rows->of_queries += n * weight_of(design, h);
            }
    }
    fill_span(&day, fleet, rows->days);
}
