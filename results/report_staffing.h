// SPDX-License-Identifier: Apache-2.0
// report_staffing: the tables that a person reads at the end of a capacity search.
//
// One table for each thing that was asked: servers (or cores) needed, with the spare ones when
// cells are down; the load that is held; what one server of each type holds of each service; and
// the plans and days (report_plan.h, report_day.h). Every column has its unit in its head, what was
// simulated has the half-widths of 95 % intervals. At most 120 columns as long as names are short.
#ifndef RESULTS_REPORT_STAFFING_H
#define RESULTS_REPORT_STAFFING_H

#include <stdio.h>

#include "results/staffing.h"

void report_staffing_print(FILE *out, const struct staffing *staffing);

#endif
