// SPDX-License-Identifier: Apache-2.0
#include "search/provision.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "search/programme.h"

const char *const provision_method_names[] = {"blind", "greedy", "optimal", NULL};

enum { HALVINGS = 64 }; // of blind's multiplier: more than a double has bits

static size_t n_cells(const struct provision_problem *problem)
{
    return (size_t)problem->n_types * problem->n_services;
}

// ---- blind --------------------------------------------------------------------------------------

// Of each type, what Webster's divisors give a service that takes `part` of what was left.
static void take_part(const struct provision_problem *problem, const int64_t *left,
                      uint32_t service, double part, uint32_t *n_servers)
{
    for (uint32_t h = 0; h < problem->n_types; h++) {
        bool usable = assignment_usable(problem, h, service);
        n_servers[assignment_cell(problem, h, service)] =
            usable ? (uint32_t)floor(part * (double)left[h] + 0.5) : 0;
    }
}

// Servers one by one would take long where there are a million: the multiplier at which the service
// is served is found by halving, and the last few servers, which it cannot tell apart, are taken in
// the order of types.
static bool blind_service(const struct provision_problem *problem, uint32_t service,
                          uint32_t *n_servers)
{
    int64_t *left = mem_alloc(problem->n_types * sizeof *left);
    for (uint32_t h = 0; h < problem->n_types; h++)
        left[h] = assignment_left(problem, n_servers, h);
    double low = 0, high = 1;
    take_part(problem, left, service, high, n_servers);
    bool served = assignment_serves(problem, n_servers, service);
    for (int i = 0; served && i < HALVINGS; i++) {
        double middle = 0.5 * (low + high);
        take_part(problem, left, service, middle, n_servers);
        *(assignment_serves(problem, n_servers, service) ? &high : &low) = middle;
    }
    take_part(problem, left, service, low, n_servers);
    for (uint32_t h = 0; h < problem->n_types && served; h++) {
        uint32_t *n = &n_servers[assignment_cell(problem, h, service)];
        uint32_t most = assignment_usable(problem, h, service)
                            ? (uint32_t)floor(high * (double)left[h] + 0.5)
                            : 0;
        while (*n < most && !assignment_serves(problem, n_servers, service))
            (*n)++;
    }
    mem_free(left);
    return served;
}

static bool blind(const struct provision_problem *problem, uint32_t *n_servers)
{
    for (uint32_t m = 0; m < problem->n_services; m++)
        if (!blind_service(problem, m, n_servers))
            return false;
    return true;
}

// ---- greedy -------------------------------------------------------------------------------------

// How many servers of its best type a load asks for; INFINITY: no type holds any.
static double load_in_servers(const struct provision_problem *problem, uint32_t service)
{
    double best_qps = 0;
    for (uint32_t h = 0; h < problem->n_types; h++)
        if (assignment_usable(problem, h, service))
            best_qps = fmax(best_qps, problem->qps[assignment_cell(problem, h, service)]);
    double demand_qps = assignment_demand_qps(problem, service);
    return demand_qps > 0 ? demand_qps / best_qps : 0;
}

// The type to take next of those that are not taken yet; n_types: none.
static uint32_t best_type(const struct provision_problem *problem, uint32_t service,
                          const bool *taken)
{
    uint32_t best = problem->n_types;
    double best_worth = 0, best_qps = 0;
    for (uint32_t h = 0; h < problem->n_types; h++) {
        if (taken[h] || !assignment_usable(problem, h, service))
            continue;
        double qps = problem->qps[assignment_cell(problem, h, service)];
        double worth = qps / problem->price[assignment_cell(problem, h, service)];
        if (best == problem->n_types || worth > best_worth ||
            (worth == best_worth && qps > best_qps)) {
            best = h;
            best_worth = worth;
            best_qps = qps;
        }
    }
    return best;
}

// As many of a type as the service still needs, or as there are.
static void take_type(const struct provision_problem *problem, uint32_t type, uint32_t service,
                      uint32_t *n_servers)
{
    uint32_t *n = &n_servers[assignment_cell(problem, type, service)];
    int64_t left = assignment_left(problem, n_servers, type);
    double lacking_qps =
        assignment_demand_qps(problem, service) - assignment_held_qps(problem, n_servers, service);
    double need = ceil(lacking_qps / problem->qps[assignment_cell(problem, type, service)]);
    *n = need < (double)left ? (uint32_t)fmax(need, 0) : (uint32_t)left;
    // A quotient may round to either side of a whole number.
    while (*n < left && !assignment_serves(problem, n_servers, service))
        (*n)++;
    for (; *n > 0; (*n)--) {
        uint32_t fewer = *n - 1, kept = *n;
        *n = fewer;
        bool enough = assignment_serves(problem, n_servers, service);
        *n = kept;
        if (!enough)
            return;
    }
}

static bool greedy_service(const struct provision_problem *problem, uint32_t service,
                           uint32_t *n_servers)
{
    bool *taken = mem_calloc(problem->n_types, sizeof *taken);
    while (!assignment_serves(problem, n_servers, service)) {
        uint32_t h = best_type(problem, service, taken);
        if (h == problem->n_types)
            break;
        take_type(problem, h, service, n_servers);
        taken[h] = true;
    }
    mem_free(taken);
    return assignment_serves(problem, n_servers, service);
}

static bool greedy(const struct provision_problem *problem, uint32_t *n_servers)
{
    bool *done = mem_calloc(problem->n_services, sizeof *done), served = true;
    for (uint32_t i = 0; i < problem->n_services && served; i++) {
        uint32_t next = problem->n_services;
        for (uint32_t m = 0; m < problem->n_services; m++)
            if (!done[m] && (next == problem->n_services ||
                             load_in_servers(problem, m) > load_in_servers(problem, next)))
                next = m;
        done[next] = true;
        served = greedy_service(problem, next, n_servers);
    }
    mem_free(done);
    return served;
}

// ---- optimal ------------------------------------------------------------------------------------

// The cheaper of two plans, or the only one, into *plan; false: there is none.
static bool keep_cheaper(const struct provision_problem *problem, bool found, uint32_t *plan,
                         bool other_found, const uint32_t *other)
{
    if (other_found && (!found || assignment_cost(problem, other) < assignment_cost(problem, plan)))
        memcpy(plan, other, n_cells(problem) * sizeof *plan);
    return found || other_found;
}

// Starts from the better of blind and greedy. *answer as the programme's, but for what that start
// adds: a plan where it found none.
static int optimal(const struct provision_problem *problem, uint32_t *plan,
                   struct programme_answer *answer, struct err *err)
{
    uint32_t *other = mem_calloc(n_cells(problem), sizeof *other);
    bool found = greedy(problem, plan);
    bool blind_found = blind(problem, other);
    found = keep_cheaper(problem, found, plan, blind_found, other);
    int rc = programme_solve(problem, found ? plan : NULL, other, answer, err);
    bool solved = rc == 0 && answer->state == PROGRAMME_SOLVED;
    if (keep_cheaper(problem, found, plan, solved, other) && rc == 0)
        answer->state = PROGRAMME_SOLVED;
    mem_free(other);
    return rc;
}

// ---- the three ----------------------------------------------------------------------------------

static void check(const struct provision_problem *problem)
{
    assert(problem->headroom_frac > -1 && isfinite(problem->headroom_frac));
    for (uint32_t m = 0; m < problem->n_services; m++)
        assert(problem->load_qps[m] >= 0 && isfinite(problem->load_qps[m]));
    for (uint32_t h = 0; h < problem->n_types; h++)
        for (uint32_t m = 0; m < problem->n_services; m++) {
            double price = problem->price[assignment_cell(problem, h, m)];
            assert(!assignment_usable(problem, h, m) || (price > 0 && isfinite(price)));
            (void)price;
        }
}

// Takes the plan over.
static void found_plan(const struct provision_problem *problem, uint32_t *plan, double bound,
                       bool proven, struct provision *provision)
{
    double cost = assignment_cost(problem, plan);
    provision->n_servers = plan;
    provision->objective = cost;
    provision->bound = bound > cost || proven ? cost : bound;
    provision->proven = proven;
}

static int find_shortage(const struct provision_problem *problem, bool whole,
                         struct provision_shortage *shortage, struct err *err)
{
    shortage->missing_qps = mem_calloc(problem->n_services, sizeof *shortage->missing_qps);
    if (programme_shortage(problem, whole, shortage->missing_qps, err) == 0)
        return 0;
    provision_release_shortage(shortage);
    return -1;
}

// What the exact solution says where the method is that, or has no plan of its own.
static enum provision_state state_of(const struct programme_answer *answer,
                                     enum provision_method method)
{
    if (answer->state == PROGRAMME_SOLVED && method == PROVISION_OPTIMAL)
        return PROVISION_FOUND;
    if (answer->state == PROGRAMME_SOLVED || answer->state == PROGRAMME_UNFINISHED)
        return PROVISION_FAILED;
    return PROVISION_IMPOSSIBLE;
}

int provision_solve(const struct provision_problem *problem, enum provision_method method,
                    enum provision_state *state, struct provision *provision,
                    struct provision_shortage *shortage, struct err *err)
{
    check(problem);
    *provision = (struct provision){0};
    *shortage = (struct provision_shortage){0};
    uint32_t *plan = mem_calloc(n_cells(problem), sizeof *plan);
    struct programme_answer answer;
    if ((method == PROVISION_BLIND && blind(problem, plan)) ||
        (method == PROVISION_GREEDY && greedy(problem, plan))) {
        *state = PROVISION_FOUND;
        found_plan(problem, plan, NAN, false, provision);
        return 0;
    }
    memset(plan, 0, n_cells(problem) * sizeof *plan);
    int rc = optimal(problem, plan, &answer, err);
    if (rc == 0)
        *state = state_of(&answer, method);
    if (rc == 0 && *state == PROVISION_FOUND) {
        found_plan(problem, plan, answer.bound, answer.proven, provision);
        return 0;
    }
    if (rc == 0 && *state == PROVISION_IMPOSSIBLE)
        rc = find_shortage(problem, answer.state == PROGRAMME_NOT_WHOLE, shortage, err);
    mem_free(plan);
    return rc;
}

void provision_release(struct provision *provision)
{
    mem_free(provision->n_servers);
    *provision = (struct provision){0};
}

void provision_release_shortage(struct provision_shortage *shortage)
{
    mem_free(shortage->missing_qps);
    *shortage = (struct provision_shortage){0};
}
