// SPDX-License-Identifier: Apache-2.0
// poisson-ms: the arrivals of the DeepRecSys reference code, for comparison with it only.
//
// Its load generator (github.com/harvard-acc/DeepRecSys, loadGenerator.py) draws each gap as a
// whole number of milliseconds from a Poisson DISTRIBUTION. That is not a Poisson process: the
// gaps' CV is 1 / sqrt(mean in ms), too even for long gaps, and many queries coincide when gaps are
// short.
#include "traces/arrival.h"

#include <math.h>

#include "base/mem.h"
#include "traces/alias.h"
#include "traces/draw.h"
#include "traces/ticks.h"

struct poisson_ms {
    struct arrival_place place;
    struct rng_stream stream;
    struct alias table; // outcome k: a gap of shortest_ms + k
    int64_t shortest_ms;
};

// Weights below this part of the most likely gap's are left out.
#define LEAST_WEIGHT 1e-20
// A mean gap beyond 30 days gives no query in any run; the table need not be wider.
#define LONGEST_MEAN_MS 2.6e9

// Weights of a Poisson distribution from its mode outwards by the recurrence p(k+1) = p(k) m/(k+1):
// exact to rounding, and no library function. Returns low, *n weights from it, caller frees.
static int64_t poisson_weights(double mean, double **weights, uint32_t *n)
{
    int64_t mode = (int64_t)mean, low = mode, high = mode;
    for (double w = 1; low > 0 && w >= LEAST_WEIGHT; low--)
        w *= (double)low / mean;
    for (double w = 1; w >= LEAST_WEIGHT; high++)
        w *= mean / (double)(high + 1);
    double *out = mem_alloc((size_t)(high - low + 1) * sizeof *out);
    out[mode - low] = 1;
    for (int64_t k = mode; k > low; k--)
        out[k - 1 - low] = out[k - low] * ((double)k / mean);
    for (int64_t k = mode; k < high; k++)
        out[k + 1 - low] = out[k - low] * (mean / (double)(k + 1));
    *weights = out;
    *n = (uint32_t)(high - low + 1);
    return low;
}

static int poisson_ms_start(void *state, const struct arrival_setup *setup, struct err *err)
{
    (void)err;
    struct poisson_ms *p = state;
    double *weights;
    uint32_t n;
    p->stream = rng_stream(setup->seed, RNG_ARRIVAL, RNG_ENTITY(setup->cell, setup->service));
    p->shortest_ms =
        poisson_weights(fmin(1e3 / arrival_share_qps(setup), LONGEST_MEAN_MS), &weights, &n);
    alias_init(&p->table, weights, n);
    mem_free(weights);
    return 0;
}

static void poisson_ms_stop(void *state)
{
    struct poisson_ms *p = state;
    alias_release(&p->table);
}

static void poisson_ms_fill(void *state, size_t n, int64_t *arrive_ns, uint32_t *size_items)
{
    (void)size_items;
    struct poisson_ms *p = state;
    uint64_t buf[DRAW_BUFFER];
    int64_t gaps_ticks[ARRIVAL_BLOCK];
    const uint64_t *words = draw_words(&p->stream, p->place.index, n, buf);
    for (size_t i = 0; i < n; i++)
        gaps_ticks[i] =
            (p->shortest_ms + alias_draw(&p->table, words[i])) * (SIMTIME_MS * TICKS_PER_NS);
    arrival_accumulate(&p->place, gaps_ticks, n, arrive_ns);
}

static const struct field poisson_ms_fields[] = {FIELD_END};

const struct arrival_type arrival_poisson_ms = {
    .name = "poisson-ms",
    .help = "whole milliseconds drawn from a Poisson distribution, as the reference code does",
    .fields = poisson_ms_fields,
    .state_bytes = sizeof(struct poisson_ms),
    .place_bytes = sizeof(struct arrival_place),
    .start = poisson_ms_start,
    .fill = poisson_ms_fill,
    .stop = poisson_ms_stop,
    .place_fits = arrival_place_fits,
};
