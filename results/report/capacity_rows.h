// SPDX-License-Identifier: Apache-2.0
// capacity_rows: what the tables of a capacity search share.
//
// Which plan is the best, how near its target a service comes, and how a saving, a time of day, a
// verdict look. Texts are the caller's: mem_free() them, or give them to a table.
#ifndef RESULTS_REPORT_CAPACITY_ROWS_H
#define RESULTS_REPORT_CAPACITY_ROWS_H

#include <stdbool.h>

#include "results/file/capacity_result.h"
#include "results/report/table.h"

// One plan: scheduler, allocation, provisioning, by number.
struct capacity_plan {
    uint32_t scheduler, allocation, provisioning;
};

// Are there plans at all?
bool capacity_rows_has_plans(const struct capacity_result *s);
// The plan that was found with the fewest targets missed and, among those, the least objective
// (without one the fewest hours of servers, then the least energy); the first of equals. false:
// none was found.
bool capacity_rows_best(const struct capacity_result *s, struct capacity_plan *best);

const struct capacity_total *capacity_rows_total(const struct capacity_result *s,
                                                 const struct capacity_plan *plan);
const struct capacity_step *capacity_rows_step(const struct capacity_result *s,
                                               const struct capacity_plan *plan, uint32_t interval);
const struct measurement *capacity_rows_trial(const struct capacity_result *s,
                                              const struct capacity_plan *plan, uint32_t interval,
                                              uint32_t service);
const struct measurement *capacity_rows_day(const struct capacity_result *s,
                                            const struct capacity_plan *plan, uint32_t service);

// p95 over target of the service that comes nearest to missing, which one that is in *service; NaN
// when none is known.
double capacity_rows_worst(const struct capacity_result *s, const struct capacity_plan *plan,
                           uint32_t interval, uint32_t *service);

// Intervals between two lines of a table, so that there are at most 48 lines.
uint32_t capacity_rows_stride(const struct capacity_result *s);

// "06:30": when the interval begins; "06:30:05" where they are no whole minutes.
char *capacity_rows_time(const struct capacity_result *s, uint32_t interval);
// "met" "?" "MISSED" "-".
const char *capacity_rows_verdict(int32_t verdict);
// "12.3", the percent that `other` is below `base`; "-" when one is not known.
char *capacity_rows_saving(double base, double other);
// "24.75 ±0.12", "-" without a value.
char *capacity_rows_interval(double value, double half, double scale);
// Milliseconds, or what suits the first target.
struct table_unit capacity_rows_unit(const struct capacity_result *s);

#endif
