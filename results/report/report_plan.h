// SPDX-License-Identifier: Apache-2.0
// report_plan: the plans of a day beside each other, and the best one by the hour.
//
// A line for every scheduler, allocation and provisioning with what it takes over the day; what
// `optimal` saves against the other allocations, following the load against the peak, and each
// scheduler against the first; then, of the best plan (capacity_rows.h), demand, servers on, power
// and the nearest miss over the day. Columns of which nothing is known are left out.
#ifndef RESULTS_REPORT_REPORT_PLAN_H
#define RESULTS_REPORT_REPORT_PLAN_H

#include "results/file/capacity_result.h"
#include "results/report/report_out.h"

// Needs an answer that has plans.
void report_plan_print(struct report_out *out, const struct capacity_result *answer);
// The lines of the first n plans alone.
void report_plan_part(struct report_out *out, const struct capacity_result *answer, uint32_t n);

#endif
