// SPDX-License-Identifier: Apache-2.0
// staffing_view: what the tables of a capacity search share.
//
// Which plan is the best, how near its target a service comes, and how a saving, a time of day, a
// verdict look. Texts are the caller's: mem_free() them, or give them to a table.
#ifndef RESULTS_STAFFING_VIEW_H
#define RESULTS_STAFFING_VIEW_H

#include <stdbool.h>

#include "results/staffing.h"
#include "results/table.h"

// One plan: scheduler, allocation, provisioning, by number.
struct staffing_plan {
    uint32_t scheduler, allocation, provisioning;
};

// Are there plans at all?
bool staffing_view_has_plans(const struct staffing *s);
// The plan that was found with the fewest targets missed and, among those, the least objective
// (without one the fewest hours of servers, then the least energy); the first of equals. false:
// none was found.
bool staffing_view_best(const struct staffing *s, struct staffing_plan *best);

const struct staffing_total *staffing_view_total(const struct staffing *s,
                                                 const struct staffing_plan *plan);
const struct staffing_step *staffing_view_step(const struct staffing *s,
                                               const struct staffing_plan *plan, uint32_t interval);
const struct staffing_trial *staffing_view_trial(const struct staffing *s,
                                                 const struct staffing_plan *plan,
                                                 uint32_t interval, uint32_t service);
const struct staffing_trial *staffing_view_day(const struct staffing *s,
                                               const struct staffing_plan *plan, uint32_t service);

// p95 over target of the service that comes nearest to missing, which one that is in *service; NaN
// when none is known.
double staffing_view_worst(const struct staffing *s, const struct staffing_plan *plan,
                           uint32_t interval, uint32_t *service);

// Intervals between two lines of a table, so that there are at most 48 lines.
uint32_t staffing_view_stride(const struct staffing *s);

// "06:30": when the interval begins; "06:30:05" where they are no whole minutes.
char *staffing_view_time(const struct staffing *s, uint32_t interval);
// "met" "?" "MISSED" "-"; the worse of two.
const char *staffing_view_verdict(int32_t verdict);
int32_t staffing_view_worse(int32_t a, int32_t b);
// "12.3", the percent that `other` is below `base`; "-" when one is not known.
char *staffing_view_saving(double base, double other);
// "24.75 ±0.12", "-" without a value.
char *staffing_view_interval(double value, double half, double scale);
// Milliseconds, or what suits the first target.
struct table_unit staffing_view_unit(const struct staffing *s);

#endif
