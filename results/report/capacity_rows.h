// SPDX-License-Identifier: Apache-2.0
// capacity_rows: what the tables of a capacity search share.
//
// Which plan is the best, how near its target a service comes, and how a saving, a time of day, a
// verdict look. A plan is the number that capacity_result_plan_at() gives, of a scheduler, an
// allocation and a provisioning. Texts are the caller's: mem_free() them, or give them to a table.
#ifndef RESULTS_REPORT_CAPACITY_ROWS_H
#define RESULTS_REPORT_CAPACITY_ROWS_H

#include <stdbool.h>

#include "results/file/capacity_result.h"
#include "results/report/report_columns.h"
#include "results/report/table.h"

// How many plans there are; 0 where none was asked for. Schedulers turn slowest: the plans of the
// same allocation and provisioning are capacity_rows_n_plans() / n_schedulers apart.
uint32_t capacity_rows_n_plans(const struct capacity_result *s);
// Its scheduler, allocation and provisioning, of the answer's names.
struct capacity_plan {
    const char *scheduler, *allocation, *provisioning;
};
struct capacity_plan capacity_rows_plan(const struct capacity_result *s, uint32_t plan);
// The plan that was found with the fewest targets missed and, among those, the least objective
// (without one the fewest hours of servers, then the least energy); the first of equals. false:
// none was found.
bool capacity_rows_best(const struct capacity_result *s, uint32_t *best);

// Rows of a plan: [service] of an interval, and of the whole day.
const struct measurement *capacity_rows_trials(const struct capacity_result *s, uint32_t plan,
                                               uint32_t interval);
const struct measurement *capacity_rows_days(const struct capacity_result *s, uint32_t plan);

// The column of the latency at the target's percentile, "p99 ms". Where targets have different
// percentiles the head says "latency ms", and each cell which one it is.
void capacity_rows_latency_head(const struct capacity_result *s, struct table *table);
void capacity_rows_latency(const struct capacity_result *s, struct table *table,
                           const struct measurement *m);

// Has any row of the answer (a struct capacity_result) an accelerator that does something? Else a
// column of how busy they are is not wanted. `column` is not looked at.
bool capacity_rows_use_accel(const void *answer, const struct report_column *column);

// Latency at the target's percentile over the target of the service that comes nearest to missing,
// which one that is in *service; NaN when none is known.
double capacity_rows_worst(const struct capacity_result *s, uint32_t plan, uint32_t interval,
                           uint32_t *service);

// Intervals between two lines of a table, so that there are at most 48 lines.
uint32_t capacity_rows_stride(const struct capacity_result *s);

// "06:30": when the interval begins; "06:30:05" where they are no whole minutes.
char *capacity_rows_time(const struct capacity_result *s, uint32_t interval);
// "met" "?" "MISSED" "-": stable, and the target met?
const char *capacity_rows_verdict(const struct measurement *m);
// "12.3", the percent that `other` is below `base`; "-" when one is not known.
char *capacity_rows_saving(double base, double other);
// Milliseconds, or what suits the first target.
struct table_unit capacity_rows_unit(const struct capacity_result *s);

// Prints a table of that name with its first columns flush left, and destroys it.
void capacity_rows_print(struct table *table, int n_left, struct report_out *out, const char *name);

#endif
