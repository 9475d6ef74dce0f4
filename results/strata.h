// SPDX-License-Identifier: Apache-2.0
// strata: what a stratified sample says about the whole.
//
// A day is too long to be simulated, so its time is cut into strata and from each stratum a few
// pieces are drawn, independent of each other: short windows of a part of the fleet. Each piece has
// a histogram of latencies. All of them pooled, each piece with its weight, estimate the whole's
// distribution. How far off the estimate may be is seen from how pieces of one stratum differ:
//
//     total = sum r_i,  V(total) = sum over strata of m s^2        (m pieces, s^2 of their r_i)
//
// where r_i = above_i - p n_i is a piece's own excess over the pooled fraction p (a ratio
// estimator, so pieces may have unequal numbers of queries). Differences between strata, the course
// of the day, do not count: they are in the sample as they are in the whole. Degrees of freedom are
// Satterthwaite's. Where a stratum has one piece only, neighbouring strata are compared (successive
// differences: Wolter, Introduction to Variance Estimation, 2nd ed. 2007, section 8.2), which takes
// the course of the day for chance where it is steep; two or more pieces are better.
//
// A quantile's interval is that of the fraction above it, turned into latencies by the pooled
// distribution (Woodruff, J. Am. Stat. Assoc. 47, 1952). The whole is itself a simulation that
// might have gone otherwise: with sampled_frac, the sample's part of it, intervals are made to hold
// what another full simulation would say.
//
//     struct ci p95 = strata_quantile_s(&sample, 0.95);
//     struct ci late = strata_ratio(&sample, n_late, n_queries);
#ifndef RESULTS_STRATA_H
#define RESULTS_STRATA_H

#include <stddef.h>
#include <stdint.h>

#include "results/ci.h"

// One piece. Borrowed counts of latencies, of buckets [first, first + n_counts) of hist.h.
struct strata_piece {
    uint32_t stratum;
    uint32_t first, n_counts;
    const uint32_t *counts;
    double weight; // what each of its queries counts, > 0: pieces of a stratum have the same
                   // length, and a stratum's weight goes by its time over the pieces drawn from it
};

struct strata_sample {
    const struct strata_piece *pieces; // those of a stratum together, strata in the order of time
    size_t n;
    double sampled_frac; // the pieces' time over the whole's, cells counted: 0 .. 1; 0: the whole
                         // is taken as known exactly
};

// The q-quantile of latency in seconds, 0 < q < 1. NaN when fewer than 1 / (1 - q) queries are in
// the sample; the half-widths are NaN when nothing shows the spread, when fewer than 20 queries lie
// above the quantile, or when the interval leaves the distribution. No half-width is below a
// bucket's width. n_batches is one more than the degrees of freedom, rounded down.
struct ci strata_quantile_s(const struct strata_sample *sample, double q);

// sum(part) / sum(of) over the weighted pieces, part[n] and of[n]. NaN when nothing is there. The
// half-widths are 0 where pieces do not differ at all.
struct ci strata_ratio(const struct strata_sample *sample, const double *part, const double *of);

#endif
