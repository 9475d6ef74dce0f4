// SPDX-License-Identifier: Apache-2.0
// warmup: where the start-up transient ends.
//
// A run starts empty, so its first queries are too fast. When a study gives its warm-up, that is
// what is dropped; "auto" asks MSER (White, Simulation 69(6), 1997; the batched form MSER-5 is
// White, Cobb & Spratt, WSC 2000): drop the first d values of the series so that the standard error
// of the mean of the rest is least,
//
//     argmin over d of  sum_{i >= d} (y_i - mean_d)^2 / (n - d)^2 ,
//
// with d at most half the series. Deviation from the paper: the values here are means over time
// bins, which already batch hundreds or more of queries, rather than over five observations.
#ifndef RESULTS_WARMUP_H
#define RESULTS_WARMUP_H

#include <stdbool.h>
#include <stdint.h>

// Number of leading values of y[0 .. n) to drop; NaN values (empty bins) are passed over. *settled
// (NULL: not wanted) is false when the least is at the very end of the search: then the series was
// still moving and no steady state was seen.
uint32_t warmup_detect(const double *y, uint32_t n, bool *settled);

#endif
