// SPDX-License-Identifier: Apache-2.0
// page_sweep: the report of a sweep (page.h).
//
// What the sweep says, in a sentence (sweep_answer.h); key numbers; latency against the axis along
// x, which is the knee where that is load, a series for each combination of the other axes; how
// busy the fleet is, watts and queries per joule against the same; without such an axis bars; two
// axes as a heat map; and the table of report_sweep.h with what is not done.
//
// A point that is overloaded has no latency: its series leaves the picture at the top. At most
// PAGE_SWEEP_SERIES series, or bars, have a name in a picture; further lines are thin and grey
// behind them, and a caption says how many.
#ifndef RESULTS_REPORT_PAGE_SWEEP_H
#define RESULTS_REPORT_PAGE_SWEEP_H

#include "results/file/sweep_result.h"
#include "results/report/report_out.h"

#define PAGE_SWEEP_SERIES 24

// All axes must be set.
void page_sweep_print(struct report_out *out, const struct sweep_result *points);

#endif
