// SPDX-License-Identifier: Apache-2.0
// report: the tables that a person reads at the end of a run.
//
// At most 100 columns as long as names are short. Every number has its unit in the head of its
// column or beside it, every estimate the half-width of its 95 % interval behind a "±". An
// overloaded run says so first and shows no latency.
#ifndef RESULTS_REPORT_REPORT_H
#define RESULTS_REPORT_REPORT_H

#include "results/meta.h"
#include "results/report/report_out.h"
#include "results/summary.h"

// `run` may be NULL: then nothing is said of the job and the time the simulation took.
void report_print(struct report_out *out, const struct meta *meta, const struct summary *summary,
                  const struct run_info *run);

// Was it no simulation? Then what ran it, "measured: spin"; else NULL, as of `run` NULL.
const char *report_measured_by(const struct run_info *run);

#endif
