// SPDX-License-Identifier: Apache-2.0
// assignment: which servers serve which services, counted: what is asked for, what is held.
//
// A problem says how much of every service one server of every type holds, what it costs there, and
// how many there are. An assignment is a number of servers for each [type][service]; provision.h
// and programme.h look for good ones, and both judge them by what is here, so that no solver's
// tolerance makes a plan of what is none. "Enough" forgives a part in 10^12, which sums of doubles
// need.
#ifndef SEARCH_ASSIGNMENT_H
#define SEARCH_ASSIGNMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// All borrowed; [type][service] is type-major.
struct provision_problem {
    uint32_t n_types, n_services;
    const double *qps; // [type][service] that one server holds; not finite and > 0: none
    // [type][service] of one server, in units of the objective, finite and > 0 where it holds some
    const double *price;
    const double *load_qps;    // [service] >= 0, finite
    const uint32_t *available; // [type]
    double headroom_frac;      // R > -1
};

// Index of [type][service].
static inline size_t assignment_cell(const struct provision_problem *problem, uint32_t type,
                                     uint32_t service)
{
    return (size_t)type * problem->n_services + service;
}

// What is asked for of a service, with headroom; what a plan [type][service] holds of it; whether
// that is enough; and whether a plan serves all with the servers that there are.
double assignment_demand_qps(const struct provision_problem *problem, uint32_t service);
double assignment_held_qps(const struct provision_problem *problem, const uint32_t *n_servers,
                           uint32_t service);
bool assignment_serves(const struct provision_problem *problem, const uint32_t *n_servers,
                       uint32_t service);
bool assignment_is_plan(const struct provision_problem *problem, const uint32_t *n_servers);

// Does a server of the type hold some of the service?
bool assignment_usable(const struct provision_problem *problem, uint32_t type, uint32_t service);
// Of a type, how many servers no service has; < 0: more are assigned than there are.
int64_t assignment_left(const struct provision_problem *problem, const uint32_t *n_servers,
                        uint32_t type);
// The objective.
double assignment_cost(const struct provision_problem *problem, const uint32_t *n_servers);

#endif
