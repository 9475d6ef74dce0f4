// SPDX-License-Identifier: Apache-2.0
#include "results/hist.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"

int64_t hist_lower_ns(uint32_t i)
{
    if (i < 2 * HIST_SUB)
        return (int64_t)i;
    uint32_t e = (i >> HIST_SUB_BITS) - 1;
    return (int64_t)(i - (e << HIST_SUB_BITS)) << e;
}

int64_t hist_upper_ns(uint32_t i)
{
    return hist_lower_ns(i + 1); // HIST_N_BUCKETS itself gives 2^HIST_MAX_EXP
}

struct hist_total *hist_total_create(void)
{
    return mem_calloc(1, sizeof(struct hist_total));
}

void hist_total_destroy(struct hist_total *total)
{
    mem_free(total);
}

void hist_total_clear(struct hist_total *total)
{
    memset(total->counts + total->first, 0, (total->end - total->first) * sizeof *total->counts);
    total->first = total->end = 0;
    total->n = 0;
}

static void widen(struct hist_total *total, uint32_t first, uint32_t end)
{
    if (total->end == 0 || first < total->first)
        total->first = first;
    if (end > total->end)
        total->end = end;
}

void hist_total_add(struct hist_total *total, const uint32_t *counts)
{
    uint32_t first, last;
    if (!hist_range(counts, &first, &last))
        return;
    widen(total, first, last + 1);
    uint64_t n = 0;
    for (uint32_t i = first; i <= last; i++) {
        total->counts[i] += counts[i];
        n += counts[i];
    }
    total->n += n;
}

// The next bucket at or after i that is not empty; HIST_N_BUCKETS when there is none. Most are, so
// they are looked at in blocks.
static uint32_t skip_empty(const uint32_t *counts, uint32_t i)
{
    const uint32_t block = 64;
    for (; i + block <= HIST_N_BUCKETS; i += block) {
        uint32_t any = 0;
        for (uint32_t k = 0; k < block; k++)
            any |= counts[i + k];
        if (any)
            break;
    }
    while (i < HIST_N_BUCKETS && counts[i] == 0)
        i++;
    return i;
}

bool hist_range(const uint32_t *counts, uint32_t *first, uint32_t *last)
{
    uint32_t i = skip_empty(counts, 0);
    if (i == HIST_N_BUCKETS)
        return false;
    uint32_t j = HIST_N_BUCKETS;
    while (counts[j - 1] == 0)
        j--;
    *first = i;
    *last = j - 1;
    return true;
}

bool hist_total_range(const struct hist_total *total, uint32_t *first, uint32_t *last)
{
    if (total->n == 0)
        return false;
    *first = total->first;
    *last = total->end - 1;
    return true;
}

// 0.07 * 100 is 7.000000000000001 and must not move on to the eighth value.
double hist_rank(double q, uint64_t n)
{
    double h = q * (double)n;
    double whole = nearbyint(h);
    return fabs(h - whole) <= 1e-12 * (double)n ? whole : h;
}

double hist_place_ns(uint32_t bucket, double h, uint64_t below, uint64_t count)
{
    double lower = (double)hist_lower_ns(bucket), last = (double)(hist_upper_ns(bucket) - 1);
    return lower + (h - (double)below) / (double)count * (last - lower);
}

double hist_quantile_ns(const struct hist_total *total, double q)
{
    assert(q >= 0 && q <= 1);
    if (total->n == 0)
        return NAN;
    double h = hist_rank(q, total->n);
    uint64_t below = 0;
    for (uint32_t i = total->first; i < total->end; i++) {
        uint64_t count = total->counts[i];
        if (count == 0)
            continue;
        if ((double)(below + count) >= h)
            return hist_place_ns(i, h, below, count);
        below += count;
    }
    return NAN; // not reached: h <= n
}
