// SPDX-License-Identifier: Apache-2.0
#include "results/batch_hist.h"

#include <assert.h>
#include <math.h>

#include "base/mem.h"
#include "results/hist.h"

struct batch_hist {
    uint32_t n_batches, first, n_buckets;
    uint64_t *upto; // [batch][bucket]: counts of this bucket and all before it
};

static uint64_t *row(const struct batch_hist *h, uint32_t batch)
{
    return h->upto + (size_t)batch * h->n_buckets;
}

// Tally i of a bin in the scope, service by service and path by path.
static const struct tally *tally_at(const struct batch_hist_scope *scope, uint32_t bin, uint32_t i)
{
    return record_tally(scope->record, scope->first_bin + bin, scope->first_service + i / N_PATHS,
                        (enum record_path)(i % N_PATHS));
}

// The buckets between the shortest and the longest latency of all.
static void find_buckets(struct batch_hist *h, const struct batch_hist_scope *scope,
                         uint32_t n_tallies)
{
    uint32_t first = HIST_N_BUCKETS, end = 0, low, high;
    for (uint32_t bin = 0; bin < scope->plan.n_bins; bin++)
        for (uint32_t i = 0; i < n_tallies; i++) {
            if (!record_tally_range(tally_at(scope, bin, i), &low, &high))
                continue;
            first = low < first ? low : first;
            end = high + 1 > end ? high + 1 : end;
        }
    h->first = end > 0 ? first : 0;
    h->n_buckets = end > 0 ? end - first : 0;
}

static void add(struct batch_hist *h, uint32_t batch, const struct tally *tally)
{
    uint32_t low, high;
    if (!record_tally_range(tally, &low, &high))
        return;
    uint64_t *into = row(h, batch) + (low - h->first);
    for (uint32_t k = low; k <= high; k++)
        into[k - low] += tally->hist[k];
}

struct batch_hist *batch_hist_create(const struct batch_hist_scope *scope)
{
    const struct batch_plan *plan = &scope->plan;
    uint32_t n_tallies = (scope->end_service - scope->first_service) * N_PATHS;
    struct batch_hist *h = mem_calloc(1, sizeof *h);
    find_buckets(h, scope, n_tallies);
    h->n_batches = plan->n_batches;
    h->upto = mem_calloc((size_t)h->n_batches * h->n_buckets, sizeof *h->upto);
    for (uint32_t b = 0; b < h->n_batches; b++) {
        for (uint32_t bin = batch_first(plan, b); bin < batch_first(plan, b + 1); bin++)
            for (uint32_t i = 0; i < n_tallies; i++)
                add(h, b, tally_at(scope, bin, i));
        uint64_t *counts = row(h, b), sum = 0;
        for (uint32_t i = 0; i < h->n_buckets; i++)
            counts[i] = sum += counts[i];
    }
    return h;
}

void batch_hist_destroy(struct batch_hist *h)
{
    if (!h)
        return;
    mem_free(h->upto);
    mem_free(h);
}

uint32_t batch_hist_buckets(const struct batch_hist *h, uint32_t *first)
{
    *first = h->first;
    return h->n_buckets;
}

// Values of batches [begin, end) in the first n buckets.
static uint64_t n_in_first(const struct batch_hist *h, uint32_t begin, uint32_t end, uint32_t n)
{
    uint64_t sum = 0;
    for (uint32_t b = begin; n > 0 && b < end; b++)
        sum += row(h, b)[n - 1];
    return sum;
}

uint64_t batch_hist_n(const struct batch_hist *h, uint32_t begin, uint32_t end)
{
    return n_in_first(h, begin, end, h->n_buckets);
}

// 0.07 * 100 is 7.000000000000001 and must not move on to the eighth value.
static double rank_of(double q, uint64_t n)
{
    double rank = q * (double)n, whole = nearbyint(rank);
    return fabs(rank - whole) <= 1e-12 * (double)n ? whole : rank;
}

// A place in the distribution: bucket `below` buckets after the first, and the part of its values
// that lies below the place.
struct place {
    uint32_t below;
    double part;
};

// Of the q-quantile of batches [begin, end), which have n > 0 values.
static struct place place_of(const struct batch_hist *h, uint32_t begin, uint32_t end, double q,
                             uint64_t n)
{
    // The fewest buckets whose values reach the rank; rank 0 is the first value's bucket.
    double rank = rank_of(q, n), least = rank > 1 ? rank : 1;
    uint32_t below = 0, reach = h->n_buckets; // too few, enough
    while (reach - below > 1) {
        uint32_t middle = below + (reach - below) / 2;
        if ((double)n_in_first(h, begin, end, middle) >= least)
            reach = middle;
        else
            below = middle;
    }
    uint64_t before = n_in_first(h, begin, end, below);
    uint64_t count = n_in_first(h, begin, end, reach) - before;
    return (struct place){below, (rank - (double)before) / (double)count};
}

double batch_hist_quantile_ns(const struct batch_hist *h, uint32_t begin, uint32_t end, double q)
{
    assert(q >= 0 && q <= 1 && end <= h->n_batches);
    uint64_t n = batch_hist_n(h, begin, end);
    if (n == 0)
        return NAN;
    struct place at = place_of(h, begin, end, q, n);
    double lower = (double)hist_lower_ns(h->first + at.below),
           last = (double)(hist_upper_ns(h->first + at.below) - 1);
    return lower + at.part * (last - lower);
}

double batch_hist_above(const struct batch_hist *h, uint32_t begin, uint32_t end, double q)
{
    uint64_t n = batch_hist_n(h, 0, h->n_batches);
    if (n == 0)
        return 0;
    struct place at = place_of(h, 0, h->n_batches, q, n);
    double upto = (double)n_in_first(h, begin, end, at.below);
    double in = (double)n_in_first(h, begin, end, at.below + 1) - upto;
    return (double)batch_hist_n(h, begin, end) - upto - at.part * in;
}
