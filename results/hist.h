// SPDX-License-Identifier: Apache-2.0
// hist: latency histogram with integer counts and an exact merge.
//
// Log-linear: values below 1024 ns have a bucket each; above, every power of two is cut into 1024
// equal buckets, so a bucket is at most 1/1024 (0.098 %) of its value wide. Values are int64_t
// nanoseconds >= 0. The index is a few integer operations, so recording stays in the hot path; the
// array is dense and zeroed lazily by the operating system, so an unused range costs no memory.
//
// The counts are plain uint32_t[HIST_N_BUCKETS] here, because a record keeps many of them side by
// side (one per time bin) and merges them between ranks by adding integers; struct hist_total holds
// the sum of many in uint64_t.
#ifndef RESULTS_HIST_H
#define RESULTS_HIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HIST_SUB_BITS 10
#define HIST_SUB (1u << HIST_SUB_BITS)
// Values saturate at 2^50 ns (13 days): a simulated latency above that is an overload anyway.
#define HIST_MAX_EXP 50
#define HIST_N_BUCKETS ((HIST_MAX_EXP - HIST_SUB_BITS + 1) * HIST_SUB)

static inline uint32_t hist_index(int64_t ns)
{
    uint64_t v = ns < 0 ? 0 : (uint64_t)ns;
    if (v >= UINT64_C(1) << HIST_MAX_EXP)
        return HIST_N_BUCKETS - 1;
    // The exponent is 0 for v < 2048: those buckets are 1 ns wide.
    uint32_t e = (uint32_t)(63 - __builtin_clzll(v | HIST_SUB)) - HIST_SUB_BITS;
    return (e << HIST_SUB_BITS) + (uint32_t)(v >> e);
}

// Lower edge of bucket i, and of the one after it: bucket i holds [lower, upper).
int64_t hist_lower_ns(uint32_t i);
int64_t hist_upper_ns(uint32_t i);

// First and last bucket that is not empty; false (nothing set) when all are.
bool hist_range(const uint32_t *counts, uint32_t *first, uint32_t *last);

// The sum of many histograms: 336 kB, so it lives on the heap. n is always the sum of the counts,
// and all counts that are not 0 lie in buckets [first, end): what is done with a sum costs as much
// as its range is long.
struct hist_total {
    uint64_t n;
    uint32_t first, end; // both 0 when empty
    uint64_t counts[HIST_N_BUCKETS];
};

struct hist_total *hist_total_create(void);        // empty; caller frees with hist_total_destroy
void hist_total_destroy(struct hist_total *total); // NULL: no effect
void hist_total_clear(struct hist_total *total);
void hist_total_add(struct hist_total *total, const uint32_t *counts); // HIST_N_BUCKETS of them
bool hist_total_range(const struct hist_total *total, uint32_t *first, uint32_t *last);

// The q-quantile in nanoseconds, q in 0..1; NaN when empty.
//
// Rank rule: h = q n, and the answer lies in the bucket that holds the ceil(h)-th smallest value
// (the first for q = 0), so it is never off by more than that bucket, however few values there are
// and however they are lumped. Inside the bucket the values are taken as evenly spread from its
// lowest to its highest whole nanosecond; a bucket 1 ns wide gives its value exactly.
double hist_quantile_ns(const struct hist_total *total, double q);
// The rule's two steps, for histograms kept in other ways: h from q and n, with the rounding of the
// product undone; and the time at h in a bucket of `count` values with `below` before it.
double hist_rank(double q, uint64_t n);
double hist_place_ns(uint32_t bucket, double h, uint64_t below, uint64_t count);

#endif
