// SPDX-License-Identifier: Apache-2.0
// report_capacity: the tables that a person reads at the end of a capacity search.
//
// One table for each thing that was asked: servers (or cores) needed, with the spare ones when
// cells are down; the load that is held; what one server of each type holds of each service; and
// the plans and days (report_plan.h, report_day.h). Every column has its unit in its head, what was
// simulated has the half-widths of 95 % intervals. At most 120 columns as long as names are short.
#ifndef RESULTS_REPORT_REPORT_CAPACITY_H
#define RESULTS_REPORT_REPORT_CAPACITY_H

#include "results/file/capacity_result.h"
#include "results/report/report_out.h"

void report_capacity_print(struct report_out *out, const struct capacity_result *answer);
// Of a search that was stopped: its first n_rows rows, of those that it was asked for; no answer.
void report_capacity_part(struct report_out *out, const struct capacity_result *answer,
                          uint32_t n_rows);
// Without the answer in a sentence (capacity_answer.h), which the former begins with.
void report_capacity_tables(struct report_out *out, const struct capacity_result *answer);

#endif
