// SPDX-License-Identifier: Apache-2.0
// hist: latency histogram with integer counts and an exact merge.
//
// Log-linear: values below 1024 ns have a bucket each; above, every power of two is cut into 1024
// equal buckets, so a bucket is at most 1/1024 (0.098 %) of its value wide. Values are int64_t
// nanoseconds >= 0. The index is a few integer operations, so recording stays in the hot path; the
// array is dense and zeroed lazily by the operating system, so an unused range costs no memory.
//
// The counts are plain uint32_t[HIST_N_BUCKETS] here, because a record keeps many of them side by
// side (one per time bin) and merges them between ranks by adding integers; batch_hist.h asks them
// for quantiles.
#ifndef RESULTS_HIST_H
#define RESULTS_HIST_H

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

#endif
