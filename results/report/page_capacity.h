// SPDX-License-Identifier: Apache-2.0
// page_capacity: the report of a capacity search (page.h).
//
// The answer in a sentence (capacity_answer.h) and its key numbers; then pictures of what was asked
// for and nothing else. Of servers or cores: how many are needed of each type and under each
// scheduler, with the range where the number is not sure, and how near the targets are at that
// number and with one less. Of load: what is held and what is missed beside what is asked. Over a
// day, of the plan that is best (capacity_rows_best()): traffic, servers that are on, power, money,
// carbon, how near each target is; and all plans side by side. Last the tables of
// report_capacity.h.
#ifndef RESULTS_REPORT_PAGE_CAPACITY_H
#define RESULTS_REPORT_PAGE_CAPACITY_H

#include "results/file/capacity_result.h"
#include "results/report/report_out.h"

// Pictures show so many services and types, and so many answers or plans.
#define PAGE_CAPACITY_SERIES 6
#define PAGE_CAPACITY_ROWS 24

void page_capacity_print(struct report_out *out, const struct capacity_result *answer);

#endif
