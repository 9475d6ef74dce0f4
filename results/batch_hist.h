// SPDX-License-Identifier: Apache-2.0
// batch_hist: the latency histograms of a row of batches, for quantiles of any stretch of them.
//
// A quantile's interval asks for the quantile of every batch, of every two neighbours, of every
// four (batch.h). Dense histograms (hist.h) of 42 thousand buckets would be cleared, merged and
// walked for each; here only the buckets between the shortest and the longest latency are kept, and
// as running sums, so a quantile is a binary search. The answers are those of hist_quantile_ns() on
// the merged histograms, to the last bit: the ranks and the position inside a bucket are integers.
//
//     struct batch_hist *h = batch_hist_create(n_batches, first, last);
//     batch_hist_add(h, 0, tally->hist, first, last);   // any number of times, any batch
//     batch_hist_seal(h);                               // once, when all is added
//     batch_hist_quantile_ns(h, 0, n_batches, 0.95);    // of all batches together
//
// Units: nanoseconds; buckets are those of hist.h.
#ifndef RESULTS_BATCH_HIST_H
#define RESULTS_BATCH_HIST_H

#include <stdint.h>

struct batch_hist;

// For counts in buckets first .. last. Caller frees with batch_hist_destroy.
struct batch_hist *batch_hist_create(uint32_t n_batches, uint32_t first, uint32_t last);
void batch_hist_destroy(struct batch_hist *h); // NULL: no effect

// Adds counts[first .. last] (a whole histogram of hist.h, of which only these are looked at) to a
// batch; they must lie in the range given at creation.
void batch_hist_add(struct batch_hist *h, uint32_t batch, const uint32_t *counts, uint32_t first,
                    uint32_t last);
// From now on questions may be asked, and nothing added.
void batch_hist_seal(struct batch_hist *h);

// Of batches [begin, end): how many values, and their q-quantile, NaN when there are none.
uint64_t batch_hist_n(const struct batch_hist *h, uint32_t begin, uint32_t end);
double batch_hist_quantile_ns(const struct batch_hist *h, uint32_t begin, uint32_t end, double q);

#endif
