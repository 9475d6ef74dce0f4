// SPDX-License-Identifier: Apache-2.0
// batch_hist: the latency histograms of a row of batches, for quantiles of any stretch of them.
//
// A quantile's interval asks how many queries of every batch lie above it, and for quantiles of the
// whole. Dense histograms (hist.h) of 42 thousand buckets would be merged and walked for each; here
// only the buckets between the shortest and the longest latency are kept, and as running
// sums, so a quantile is a binary search. All counts and ranks are integers: however the batches
// are grouped, the answers are those of one merged histogram.
//
//     struct batch_hist *h = batch_hist_create(&(struct batch_hist_scope){r, 1, plan, 0, 2});
//     batch_hist_quantile_ns(h, 0, plan.n_batches, 0.95);    // of all batches together
//
// Units: nanoseconds; buckets are those of hist.h.
#ifndef RESULTS_BATCH_HIST_H
#define RESULTS_BATCH_HIST_H

#include <stdint.h>

#include "results/batch.h"
#include "results/record.h"

struct batch_hist;

// The bins of the plan, of which the first is first_bin, of services [first_service, end_service)
// on both paths.
struct batch_hist_scope {
    const struct record *record;
    uint32_t first_bin;
    struct batch_plan plan;
    uint32_t first_service, end_service;
};

// Of what is in the record now. Caller frees with batch_hist_destroy.
struct batch_hist *batch_hist_create(const struct batch_hist_scope *scope);
void batch_hist_destroy(struct batch_hist *h); // NULL: no effect

// How many buckets lie between the shortest and the longest latency, both included, and the first
// of them.
uint32_t batch_hist_buckets(const struct batch_hist *h, uint32_t *first);

// Of batches [begin, end): how many values.
uint64_t batch_hist_n(const struct batch_hist *h, uint32_t begin, uint32_t end);
// And their q-quantile in nanoseconds, q in 0..1; NaN when there are none.
//
// Rank rule: the answer lies in the bucket that holds the ceil(q n)-th smallest value (the first
// for q = 0), so it is never off by more than that bucket, however few values there are and however
// they are lumped. Inside the bucket the values are taken as evenly spread from its lowest to its
// highest whole nanosecond; a bucket 1 ns wide gives its value exactly.
double batch_hist_quantile_ns(const struct batch_hist *h, uint32_t begin, uint32_t end, double q);

// How many values of batches [begin, end) lie above the q-quantile of all batches. Of the bucket
// that holds the quantile the same part lies above it in every batch, so that all batches together
// have (1 - q) of their values there, however many of them are equal.
double batch_hist_above(const struct batch_hist *h, uint32_t begin, uint32_t end, double q);

#endif
