// SPDX-License-Identifier: Apache-2.0
// report_points: the table that a person reads at the end of a sweep.
//
// A line per point, or per case with intervals from its replications (fold.h): the labels on the
// axes that take more than one value, the latency at the target's percentile (else p95) in ms, the
// rate that was served, the utilisation of the busiest component, watts, QPS/W, and whether the
// target was met. An overloaded point says so and shows no latency. Where a point has several
// services, the one shown is that closest to missing its target, or the farthest beyond it.
//
// Below the table each point that is missing, failed or foreign is named, with its note. Labels too
// wide for columns are given in one. Of a wide sweep only the first lines are shown, and how many
// are left out is said.
#ifndef RESULTS_REPORT_POINTS_H
#define RESULTS_REPORT_POINTS_H

#include <stdio.h>

#include "results/points.h"

// Most lines of the table, and most points named below it.
#define REPORT_POINTS_LINES 40
#define REPORT_POINTS_NOTES 20

void report_points_print(FILE *out, const struct points *points);

#endif
