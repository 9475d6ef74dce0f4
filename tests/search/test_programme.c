// SPDX-License-Identifier: Apache-2.0
#include "search/programme.h"

#include <math.h>

#include "support/suite.h"

static struct programme_answer solve(const struct provision_problem *problem, const uint32_t *start,
                                     uint32_t *plan)
{
    struct programme_answer answer;
    struct err err = {0};
    ck_assert_msg(programme_solve(problem, start, plan, &answer, &err) == 0, "%s", err.text);
    return answer;
}

static void find_missing(const struct provision_problem *problem, bool whole, double *missing_qps)
{
    struct err err = {0};
    ck_assert_msg(programme_shortage(problem, whole, missing_qps, &err) == 0, "%s", err.text);
}

// One type of 10 servers, each of which holds 10 of the one service.
struct one {
    double qps, price, load_qps;
    uint32_t available;
};

static struct provision_problem problem_of(const struct one *one)
{
    return (struct provision_problem){.n_types = 1,
                                      .n_services = 1,
                                      .qps = &one->qps,
                                      .price = &one->price,
                                      .load_qps = &one->load_qps,
                                      .available = &one->available};
}

// A load that the servers hold to the last query, in decimal fractions that no double holds: seven
// of 0.7 in tens. One more query, and there is no plan.
START_TEST(exactly_enough)
{
    struct one one = {.qps = 0.7, .price = 1, .load_qps = 7, .available = 10};
    const struct provision_problem problem = problem_of(&one);
    uint32_t plan[1];
    struct programme_answer answer = solve(&problem, NULL, plan);
    ck_assert_int_eq(answer.state, PROGRAMME_SOLVED);
    ck_assert_uint_eq(plan[0], 10);
    ck_assert(answer.proven);
    one.load_qps = 7.001;
    ck_assert_int_eq(solve(&problem, NULL, plan).state, PROGRAMME_IMPOSSIBLE);
}
END_TEST

// Within the solver's tolerance of a plan, but none: a part in 10^9 is missing, and it is said so.
START_TEST(tolerance_is_not_used)
{
    struct one one = {.qps = 1, .price = 1, .load_qps = 10 * (1 + 1e-9), .available = 10};
    const struct provision_problem problem = problem_of(&one);
    uint32_t plan[1];
    ck_assert_int_ne(solve(&problem, NULL, plan).state, PROGRAMME_SOLVED);
    one.available = 11;
    struct programme_answer answer = solve(&problem, NULL, plan);
    ck_assert_int_eq(answer.state, PROGRAMME_SOLVED);
    ck_assert_uint_eq(plan[0], 11);
    ck_assert_double_le(answer.bound, 11);
}
END_TEST

// Whole prices: the relaxation of 1.5 servers at 3 is 4.5, and the bound 6, since no plan costs
// what is not a multiple of 3.
START_TEST(bound_is_rounded_up)
{
    struct one one = {.qps = 10, .price = 3, .load_qps = 101, .available = 100};
    const struct provision_problem problem = problem_of(&one);
    uint32_t plan[1];
    struct programme_answer answer = solve(&problem, NULL, plan);
    ck_assert(answer.proven);
    ck_assert_uint_eq(plan[0], 11);
}
END_TEST

// A start that is already the best stays it; the programme returns a plan as good.
START_TEST(start_is_kept)
{
    struct one one = {.qps = 10, .price = 2.5, .load_qps = 95, .available = 100};
    const struct provision_problem problem = problem_of(&one);
    const uint32_t start[] = {10};
    uint32_t plan[1] = {0};
    struct programme_answer answer = solve(&problem, start, plan);
    ck_assert_int_eq(answer.state, PROGRAMME_SOLVED);
    ck_assert_uint_eq(plan[0], 10);
}
END_TEST

// Two services that share one server would do with half of it each; whole, there is no plan, and
// one of them is left with nothing.
START_TEST(halves_of_a_server)
{
    const double qps[] = {100, 100}, price[] = {1, 1}, load_qps[] = {40, 40};
    const uint32_t available[] = {1};
    const struct provision_problem problem = {.n_types = 1,
                                              .n_services = 2,
                                              .qps = qps,
                                              .price = price,
                                              .load_qps = load_qps,
                                              .available = available};
    uint32_t plan[2];
    struct programme_answer answer = solve(&problem, NULL, plan);
    // A server of 100 counts as no more than the 40 asked for, so even in halves it is too little.
    ck_assert_int_eq(answer.state, PROGRAMME_IMPOSSIBLE);
    double missing_qps[2];
    find_missing(&problem, false, missing_qps);
    ck_assert_double_eq_tol(missing_qps[0], 20, 1e-6);
    ck_assert_double_eq_tol(missing_qps[1], 20, 1e-6);
    find_missing(&problem, true, missing_qps);
    ck_assert_double_eq(missing_qps[0] + missing_qps[1], 40);
}
END_TEST

// Nothing to serve, or nobody to serve it.
START_TEST(empty)
{
    struct one one = {.qps = 10, .price = 1, .load_qps = 0, .available = 0};
    const struct provision_problem problem = problem_of(&one);
    uint32_t plan[1] = {7};
    struct programme_answer answer = solve(&problem, NULL, plan);
    ck_assert_int_eq(answer.state, PROGRAMME_SOLVED);
    ck_assert_uint_eq(plan[0], 0);
    ck_assert(answer.proven);
    one.load_qps = 5;
    ck_assert_int_eq(solve(&problem, NULL, plan).state, PROGRAMME_IMPOSSIBLE);
    double missing_qps[1];
    find_missing(&problem, false, missing_qps);
    ck_assert_double_eq(missing_qps[0], 5);
}
END_TEST

// The solver's own failures come back as errors, and the next call is not harmed: a bound that is
// not a number ends the simplex method.
START_TEST(failure_is_an_error)
{
    struct one one = {.qps = 10, .price = INFINITY, .load_qps = 95, .available = 100};
    const struct provision_problem problem = problem_of(&one);
    uint32_t plan[1];
    struct programme_answer answer;
    struct err err = {0};
    ck_assert_int_eq(programme_solve(&problem, NULL, plan, &answer, &err), -1);
    ck_assert_str_ne(err.text, "");
    one.price = 1;
    ck_assert_int_eq(solve(&problem, NULL, plan).state, PROGRAMME_SOLVED);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", exactly_enough},        {"core", bound_is_rounded_up},     {"core", start_is_kept},
        {"core", halves_of_a_server},    {"limits", tolerance_is_not_used}, {"limits", empty},
        {"errors", failure_is_an_error},
    };
    return suite_run("programme", tests, sizeof tests / sizeof *tests);
}
