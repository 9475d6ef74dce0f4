// SPDX-License-Identifier: Apache-2.0
// find_day: fleets over a day, simulated: the one that stands, and those that plans switch on. [M]
//
// `find: day` asks how the fleet as it stands gets through the day, all of its servers on and each
// for all services, with tails, lateness, utilisation and power of every interval and of the day,
// from a sample of time and of cells (day.h). Schedulers see the same queries, so that their days
// can be compared.
//
// `find: plan` asks the same of every plan (plan.h), not only whether it adds up. The servers that
// a plan gives a service in an interval are a fleet of their own, a pool, with that service's
// traffic and nothing else; inside a pool the balancer is the study's, with every type weighted by
// what its tuple holds. What no pool simulates is added to the power: servers that are on without a
// use, and servers that start up, both idle.
//
// Services keep their own arrivals; a replayed trace is a Poisson stream of each interval's mean
// rate.
#ifndef CAPACITY_FIND_DAY_H
#define CAPACITY_FIND_DAY_H

#include "capacity/capacity_context.h"

// Collective (context->eval->comm). Simulates every plan of context->answer, whose demand is there:
// fills trials, days, sample, and what steps and totals say of the simulation; of a day of the
// fleet as it stands all of steps and totals. Needs the choices of all schedulers (efficiency.h).
// The same pools all day, in two plans, are simulated once if there is a memo.
int find_day_run(struct capacity_context *context, struct err *err);

#endif
