// SPDX-License-Identifier: Apache-2.0
// tuning_totals: one policy over all points of a tuning, and the summary that a report ends with.
//
// Means are over the points at which both the policy and the first policy have an answer
// (tuning_rows.h); with another set of points for each, a policy that gives up on hard points would
// look better than one that solves them.
//
// Gains and gaps are fractions, times are seconds of wall time.
#ifndef RESULTS_REPORT_TUNING_TOTALS_H
#define RESULTS_REPORT_TUNING_TOTALS_H

#include <stdint.h>

#include "results/report/report_out.h"
#include "results/report/tuning_rows.h"

// A search at most this far below exhaustive has found it.
#define TUNING_TOTALS_CLOSE_FRAC 0.03

struct tuning_totals {
    uint32_t n_points, n_found;                           // all, and those with an answer
    uint32_t n_gains;                                     // with a gain; of these:
    double gain_sum, gain_log_sum, gain_least, gain_most; // natural logarithms
    uint32_t n_efficiencies;                              // with a gain of rate per watt
    double efficiency_log_sum;
    uint32_t n_gaps, n_close; // with a gap, and at most TUNING_TOTALS_CLOSE_FRAC of it
    double gap_most;
    uint32_t n_confirmed, n_held; // looked at anew, and held
    uint32_t n_over, n_tight;     // looked at anew a little higher, and missed
    uint64_t n_choices, n_runs, n_queries;
    double wall_s;
};

struct tuning_totals tuning_totals_of(const struct tuning_rows *v, uint32_t policy);

// Two tables with a line per policy: how good its answers are, and what they took.
void tuning_totals_print(struct report_out *out, const struct tuning_rows *v);

#endif
