// SPDX-License-Identifier: Apache-2.0
// plan_check: plans (plan.h) simulated, not only computed. [M]
//
// The servers that a plan gives a service in an interval are a fleet of their own, with that
// service's traffic and nothing else. Each service's day on its pools is estimated from a sample
// (day.h), with the service's own arrivals; a replayed trace is a Poisson stream of each interval's
// mean rate. Inside a pool the balancer is the study's, with every type weighted by what its tuple
// holds.
//
// What is not simulated is added to the power: servers that are on without a use, and servers that
// start up, both idle.
#ifndef CAPACITY_PLAN_CHECK_H
#define CAPACITY_PLAN_CHECK_H

#include "capacity/capacity_context.h"

// Collective (context->eval->comm). Simulates every plan of context->answer: fills trials, days,
// sample, and what steps and totals say of the simulation. The same pools all day, in two plans,
// are simulated once if there is a memo.
int plan_check_run(struct capacity_context *context, struct err *err);

#endif
