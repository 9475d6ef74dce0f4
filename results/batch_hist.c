// SPDX-License-Identifier: Apache-2.0
#include "results/batch_hist.h"

#include <assert.h>
#include <math.h>

#include "base/mem.h"
#include "results/hist.h"

struct batch_hist {
    uint32_t n_batches, first, n_buckets;
    uint64_t *upto; // [batch][bucket]: counts; sealed: of this bucket and all before it
};

struct batch_hist *batch_hist_create(uint32_t n_batches, uint32_t first, uint32_t last)
{
    assert(first <= last && last < HIST_N_BUCKETS);
    struct batch_hist *h = mem_calloc(1, sizeof *h);
    h->n_batches = n_batches;
    h->first = first;
    h->n_buckets = last - first + 1;
    h->upto = mem_calloc((size_t)n_batches * h->n_buckets, sizeof *h->upto);
    return h;
}

void batch_hist_destroy(struct batch_hist *h)
{
    if (!h)
        return;
    mem_free(h->upto);
    mem_free(h);
}

static uint64_t *row(const struct batch_hist *h, uint32_t batch)
{
    return h->upto + (size_t)batch * h->n_buckets;
}

void batch_hist_add(struct batch_hist *h, uint32_t batch, const uint32_t *counts, uint32_t first,
                    uint32_t last)
{
    assert(batch < h->n_batches && first >= h->first && last - h->first < h->n_buckets);
    uint64_t *into = row(h, batch) + (first - h->first);
    for (uint32_t i = first; i <= last; i++)
        into[i - first] += counts[i];
}

void batch_hist_seal(struct batch_hist *h)
{
    for (uint32_t b = 0; b < h->n_batches; b++) {
        uint64_t *counts = row(h, b), sum = 0;
        for (uint32_t i = 0; i < h->n_buckets; i++)
            counts[i] = sum += counts[i];
    }
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

double batch_hist_quantile_ns(const struct batch_hist *h, uint32_t begin, uint32_t end, double q)
{
    assert(q >= 0 && q <= 1 && end <= h->n_batches);
    uint64_t n = batch_hist_n(h, begin, end);
    if (n == 0)
        return NAN;
    // The fewest buckets whose values reach the rank; rank 0 is the first value's bucket.
    double rank = hist_rank(q, n), least = rank > 1 ? rank : 1;
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
    return hist_place_ns(h->first + below, rank, before, count);
}
