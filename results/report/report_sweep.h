// SPDX-License-Identifier: Apache-2.0
// report_sweep: the table that a person reads at the end of a sweep.
//
// A line per point, or per case with intervals from its replications (replications.h): its number,
// the labels on the axes that have more than one, the latency at the target's percentile (p95
// without a target) in ms, the rate that was served, the utilisation of the busiest component,
// watts, QPS/W, the queries lost if any point lost some, and whether the target was met. An
// overloaded point says so and shows no latency; so does a case of which any replication was
// overloaded. Where a point has several services, the latency is that of the one closest to missing
// its target, or the farthest beyond it, and the verdict the worst.
//
// Below the table the points that are missing, failed or foreign are named, with their notes.
// Labels too wide for columns are listed above the table. Of a wide sweep the first lines are
// shown, and it is said how many are left out.
#ifndef RESULTS_REPORT_REPORT_SWEEP_H
#define RESULTS_REPORT_REPORT_SWEEP_H

#include "results/file/sweep_result.h"
#include "results/report/report_out.h"

// Most lines of the table with the list of labels above it, and most points named below.
#define REPORT_POINTS_LINES 40
#define REPORT_POINTS_NAMED 12

// All axes must be set. No line has a "nan" or a blank at its end.
void report_sweep_print(struct report_out *out, const struct sweep_result *points);

#endif
