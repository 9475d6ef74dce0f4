// SPDX-License-Identifier: Apache-2.0
// warmup: where the start-up transient ends.
//
// A run starts empty, so its first queries are too fast. When a study gives its warm-up, that is
// what is dropped. "auto" drops a twentieth of the run, whatever is seen in it: a rule that looks
// for the cut where the rest is calmest (MSER: White, Simulation 69(6), 1997) takes a busy spell
// near the start for the transient, and drops busy spells more often than calm ones. On M/M/1 at
// 90 % that made p95 5 % and p99 7 % too low, where the fixed cut is off by less than a third of a
// standard error of 200 runs.
//
// More is dropped only where the start is plainly slower to fill than that, as in a large fleet,
// whose mean latency is so smooth that the eye sees the approach: while the tenth behind the cut
// lies more than three standard deviations below the tenths of the run's second half (Student's t
// of four degrees of freedom: once in 50 runs by chance), the cut moves on, to 10, 20, 30, 40 and
// 50 % at most.
#ifndef RESULTS_WARMUP_H
#define RESULTS_WARMUP_H

#include <stdbool.h>
#include <stdint.h>

// Number of leading values of y[0 .. n), the mean latencies of a run's time bins, to drop; NaN
// values (empty bins) are passed over. Below 20 values there are no tenths to compare, and nothing
// is dropped. *settled (NULL: not wanted) is false when the half was dropped and the series
// may still be moving: then no steady state was seen.
uint32_t warmup_detect(const double *y, uint32_t n, bool *settled);

#endif
