// SPDX-License-Identifier: Apache-2.0
// batch: how many time bins make one batch.
//
// An interval from batches is honest only when the batches are nearly independent, and neighbours
// in time are not: a busy second is followed by a busy second. Twenty batches are plenty
// (Schmeiser, Operations Research 30(3), 1982: beyond 10 to 30 a narrower t buys little), so at
// least as many are made as are aimed at, and they are doubled in length while neighbours still
// correlate and five would be left.
#ifndef RESULTS_BATCH_H
#define RESULTS_BATCH_H

#include <stddef.h>
#include <stdint.h>

#define BATCH_AIM 20  // batches aimed at where nothing speaks for fewer
#define BATCH_LEAST 5 // never merge below

// `n` bins in batches of `size`; what is left over at the end belongs to the last batch.
struct batch_plan {
    uint32_t n_bins, size, n_batches;
};

// For the series y[0 .. n) of one value per bin (NaN: an empty bin), at first `aim` batches or up
// to twice as many, because batches are whole bins. n may be 0: no batches.
struct batch_plan batch_plan_of(const double *y, uint32_t n, uint32_t aim);

// Batch b covers bins [batch_first(plan, b), batch_first(plan, b + 1)).
uint32_t batch_first(const struct batch_plan *plan, uint32_t b);

// Means of y over each batch (NaN bins left out, NaN when none is left) into out[n_batches].
void batch_means(const struct batch_plan *plan, const double *y, double *out);

// Autocorrelation at lag one; NaN below 3 values or without spread. NaN values are left out.
double batch_lag1(const double *y, size_t n);

#endif
