// SPDX-License-Identifier: Apache-2.0
#include "search/assignment.h"

#include <math.h>

#include "support/suite.h"

enum { N_TYPES = 2, N_SERVICES = 2 };

// The first type holds both services; the second one only, and says so in two ways.
static const double qps[N_TYPES * N_SERVICES] = {10, 20, 0, 5};
static const double price[N_TYPES * N_SERVICES] = {1, 1, NAN, 0.25};
static const double load_qps[N_SERVICES] = {10, 30};
static const uint32_t available[N_TYPES] = {3, 4};
static const struct provision_problem problem = {N_TYPES,  N_SERVICES, qps, price,
                                                 load_qps, available,  0.5};

// Headroom is on top of the load; a type that holds nothing, or no number, adds nothing.
START_TEST(sums)
{
    const uint32_t n[N_TYPES * N_SERVICES] = {2, 1, 7, 2};
    ck_assert_double_eq(assignment_demand_qps(&problem, 0), 15);
    ck_assert_double_eq(assignment_demand_qps(&problem, 1), 45);
    ck_assert_double_eq(assignment_held_qps(&problem, n, 0), 20);
    ck_assert_double_eq(assignment_held_qps(&problem, n, 1), 30);
    ck_assert(assignment_usable(&problem, 0, 0) && !assignment_usable(&problem, 1, 0));
    ck_assert(assignment_serves(&problem, n, 0) && !assignment_serves(&problem, n, 1));
    ck_assert_int_eq(assignment_left(&problem, n, 0), 0);
    ck_assert_int_eq(assignment_left(&problem, n, 1), -5);
}
END_TEST

// A plan serves all with what there is; unused types cost nothing, whatever their price.
START_TEST(plans)
{
    const uint32_t short_of[] = {2, 1, 0, 4}, plan[] = {1, 2, 0, 1}, enough[] = {2, 1, 0, 5};
    struct provision_problem half = problem;
    half.headroom_frac = 0;
    ck_assert(!assignment_is_plan(&problem, short_of));
    ck_assert(assignment_is_plan(&half, plan));
    ck_assert(assignment_serves(&problem, enough, 1) && !assignment_is_plan(&problem, enough));
    ck_assert_double_eq(assignment_cost(&half, plan), 3.25);
}
END_TEST

// Seven tenths, ten times, are seven: a sum that is off by rounding is enough, one query less is
// not.
START_TEST(rounding_is_forgiven)
{
    const double tenths = 0.1, one = 1, load = 3 * 0.1;
    const uint32_t all = 10, three = 3, two = 2;
    const struct provision_problem p = {1, 1, &tenths, &one, &load, &all, 0};
    ck_assert(assignment_serves(&p, &three, 0) && !assignment_serves(&p, &two, 0));
    const double more = load * (1 + 1e-11);
    const struct provision_problem q = {1, 1, &tenths, &one, &more, &all, 0};
    ck_assert(!assignment_serves(&q, &three, 0));
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", sums},
        {"core", plans},
        {"limits", rounding_is_forgiven},
    };
    return suite_run("assignment", tests, sizeof tests / sizeof *tests);
}
