// SPDX-License-Identifier: Apache-2.0
// find_day: the fleet as it stands, over a day, under every scheduler. [M]
//
// The demand is the study's, the servers are all on all day, and what there is to find out is how
// that goes: tails, lateness, utilisation and power of every interval and of the day, from a sample
// of time and of cells (day.h). Schedulers see the same queries, so that their days can be
// compared.
#ifndef CAPACITY_FIND_DAY_H
#define CAPACITY_FIND_DAY_H

#include "capacity/capacity_context.h"

// Collective (context->eval->comm). Fills steps, totals, trials, days and sample of
// context->answer, whose demand is there. Needs the choices of all schedulers (efficiency.h).
int find_day_run(struct capacity_context *context, struct err *err);

#endif
