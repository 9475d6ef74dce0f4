// SPDX-License-Identifier: Apache-2.0
#include "search/assignment.h"

#include <math.h>

static const double ENOUGH = 1 - 1e-12; // of a demand: sums in other orders differ by less

bool assignment_usable(const struct provision_problem *problem, uint32_t type, uint32_t service)
{
    double qps = problem->qps[assignment_cell(problem, type, service)];
    return isfinite(qps) && qps > 0;
}

double assignment_demand_qps(const struct provision_problem *problem, uint32_t service)
{
    return problem->load_qps[service] * (1 + problem->headroom_frac);
}

double assignment_held_qps(const struct provision_problem *problem, const uint32_t *n_servers,
                           uint32_t service)
{
    double held_qps = 0;
    for (uint32_t h = 0; h < problem->n_types; h++)
        if (assignment_usable(problem, h, service))
            held_qps += problem->qps[assignment_cell(problem, h, service)] *
                        n_servers[assignment_cell(problem, h, service)];
    return held_qps;
}

bool assignment_serves(const struct provision_problem *problem, const uint32_t *n_servers,
                       uint32_t service)
{
    return assignment_held_qps(problem, n_servers, service) >=
           ENOUGH * assignment_demand_qps(problem, service);
}

int64_t assignment_left(const struct provision_problem *problem, const uint32_t *n_servers,
                        uint32_t type)
{
    int64_t left = problem->available[type];
    for (uint32_t m = 0; m < problem->n_services; m++)
        left -= n_servers[assignment_cell(problem, type, m)];
    return left;
}

bool assignment_is_plan(const struct provision_problem *problem, const uint32_t *n_servers)
{
    for (uint32_t h = 0; h < problem->n_types; h++)
        if (assignment_left(problem, n_servers, h) < 0)
            return false;
    for (uint32_t m = 0; m < problem->n_services; m++)
        if (!assignment_serves(problem, n_servers, m))
            return false;
    return true;
}

double assignment_cost(const struct provision_problem *problem, const uint32_t *n_servers)
{
    double cost = 0;
    for (size_t i = 0; i < (size_t)problem->n_types * problem->n_services; i++)
        if (n_servers[i] > 0)
            cost += problem->price[i] * n_servers[i];
    return cost;
}
