// SPDX-License-Identifier: Apache-2.0
// plan: which servers serve which service, interval by interval, from the efficiency tuples.
//
// Demand (results/file/capacity_result.h, answer->demand) and tuples in, assignments and their
// books out: for every allocation (search/provision.h) and provisioning (search/dayplan.h) of one
// scheduler. A server serves one service at a time; the servers that serve one are its pool. Every
// interval is planned for its peak with the headroom, and nothing is simulated here (find_day.h).
//
//   follow  each interval gets the plan that is cheapest for it alone; servers on beyond it are
//           those that the minimum on-time keeps
//   peak    the servers of the whole day are either what the intervals' own plans need most of
//           each type, or the plan for all services at their peaks at once, from which the
//           intervals take theirs: whichever is cheaper over the day
//
// The day's objective counts servers that are on without a use and servers that start up, at idle
// power; an interval's own plan does not, so the cheapest plans of all intervals need not make the
// cheapest day. `optimal` therefore is the cheapest day of all three allocations' plans, and never
// dearer than another.
//
// Where carbon is the objective, both kinds count: that of the power, by the grid's intensity, and
// the embodied carbon of the servers that are on, by their lifetime. The servers for all peaks at
// once are chosen at the mean intensity.
//
// Power of a server in use is its tuple's, as if it were always at the rate that it is planned for.
#ifndef CAPACITY_PLAN_H
#define CAPACITY_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "results/file/capacity_result.h"
#include "search/provision.h"
#include "study/study.h"

// How a scheduler's plans came out.
struct plan_outcome {
    bool possible;  // some plan of some method serves the whole day
    char text[512]; // else: which service lacks how much, and when
    bool borrowed;  // `optimal` took the day of another allocation somewhere
};

// Plans for one scheduler: fills n_assigned, n_on, steps and totals of its plans in *answer,
// whose demand and tuples are there and whose names of allocations and provisionings say what to
// plan. A method that finds no plan for some interval has none: its total's state is BEYOND and its
// arrays stay zero. With a margin, a plan's total also says what the same method takes for so much
// more. Fails only when the solver does.
int plan_fill(const struct study *study, struct capacity_result *answer, uint32_t scheduler,
              struct plan_outcome *outcome, struct err *err);

// Mean of the curve of carbon intensity (study_capacity.h) over an interval of the day, in grams
// per kWh; NaN without a curve.
double plan_carbon_g_per_kwh(const struct study_capacity *capacity, uint32_t interval);

// Carbon of making one server of the group, accelerator included, over its lifetime: grams per
// hour.
double plan_embodied_g_per_h(const struct study_group *group);

// Unit of an objective: "1", "W", "USD h-1", "g h-1".
const char *plan_objective_unit(int objective);

#endif
