// SPDX-License-Identifier: Apache-2.0
// moments: mean and spread from exact integer sums.
//
// A tally keeps n, the sum and the sum of squares as integers, so they merge exactly in any order.
// Here, once, they become seconds. The sum of squared deviations is formed in 128-bit integers, so
// a small spread round a large mean (1 ns in 1 s) is not lost to cancellation.
#ifndef RESULTS_MOMENTS_H
#define RESULTS_MOMENTS_H

#include <stdint.h>

struct moments {
    double mean_s; // NaN for n = 0
    double sd_s;   // n - 1 in the denominator; NaN for n < 2
};

// n values whose sum is sum_ns and whose squares add up to sq_sum_ns2.
struct moments moments_of(uint64_t n, unsigned __int128 sum_ns, unsigned __int128 sq_sum_ns2);

#endif
