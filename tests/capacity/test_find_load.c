// SPDX-License-Identifier: Apache-2.0
// On any number of ranks.
#include "capacity/find_load.h"

#include <math.h>

#include "capacity/efficiency.h"
#include "capacity/capacity_fixture.h"
#include "support/suite_mpi.h"

static const struct capacity_load *find(struct capacity_fixture *f, const char *text)
{
    struct err err = {0};
    capacity_fixture_open(f, text, NULL);
    ck_assert_msg(efficiency_find(&f->context, true, &err) == 0, "%s", err.text);
    ck_assert_msg(find_load_run(&f->context, &err) == 0, "%s", err.text);
    return f->context.answer->loads;
}

#define NEAR_IDLE(target)                                                                          \
    "duration: 10s\n"                                                                              \
    "traffic: [{service: a, rate: 100qps, sizes: {distribution: fixed, items: 1}, sla: "           \
    "{p99: " target "}}]\n"                                                                        \
    "fleet: {groups: [{cores: 1, servers: 1, cost: {kind: synthetic, fixed: 10ms}, noise: "        \
    "exponential}]}\n"                                                                             \
    "balancer: {policy: random, dispatch_delay: 0, status_delay: 0}\n"                             \
    "tune: {queries: 5000, max_queries: 40000}\n"

// Four M/M/8 servers with random choice, 95 % of sojourns within four service times: Erlang C puts
// the crossing at 85.51 % of 32000 queries per second.
#define CROSSING_QPS (0.8551 * 32000)

// The bracket holds the crossing; it is as narrow as half a million queries make it.
START_TEST(holds_what_theory_says)
{
    struct capacity_fixture f;
    const struct capacity_load *row =
        find(&f, ASK_SYNTHETIC "capacity: {find: load, accuracy: 3%, max_queries: 500000}\n");
    ck_assert_int_eq(row->state, CAPACITY_FOUND);
    ck_assert_double_lt(row->held_qps, CROSSING_QPS);
    ck_assert_double_gt(row->held_qps, 0.93 * CROSSING_QPS);
    ck_assert_double_gt(row->missed_qps, CROSSING_QPS);
    ck_assert_double_lt(row->missed_qps, 1.05 * CROSSING_QPS);
    ck_assert_double_eq_tol(row->asked_qps, 20000, 1e-6);
    ck_assert_double_eq_tol(row->cost_usd_per_h, 8, 1e-9);
    ck_assert_int_eq(row->at_held.sla, VERDICT_MET);
    ck_assert_double_eq_tol(1.1 * row->planned_qps, row->held_qps, 1e-6);
    ck_assert(f.context.answer->load_services[0].late_frac.value == row->at_held.late_frac.value);
    ck_assert_double_eq_tol(row->at_held.cpu_util_frac, row->held_qps / 32000, 0.02);
    capacity_fixture_close(&f);
}
END_TEST

// M/M/1 at 100 a second: 95 % of sojourns within ln 20 / (100 - rate) seconds, up to exactly 90.
// All queries are of one item; that they might be larger, were the study another, is no reason to
// refuse.
START_TEST(sizes_as_they_occur)
{
    struct capacity_fixture f;
    const struct capacity_load *row =
        find(&f, "duration: 60s\n"
                 "traffic: [{service: a, rate: 90qps, sizes: {distribution: fixed, items: 1}, sla: "
                 "{p95: 299.573ms}}]\n"
                 "fleet: {groups: [{cores: 1, servers: 1, cost: {kind: synthetic, fixed: 10ms}, "
                 "noise: exponential}]}\n"
                 "balancer: {policy: random, dispatch_delay: 0, status_delay: 0}\n"
                 "capacity: {find: load, accuracy: 2%}\n");
    ck_assert_int_eq(row->state, CAPACITY_FOUND);
    ck_assert_double_eq_tol(row->held_qps, 90, 0.02 * 90);
    ck_assert_double_gt(row->missed_qps, 90);
    ck_assert_double_lt(row->missed_qps, 1.02 * 90);
    capacity_fixture_close(&f);
}
END_TEST

// A target below the service time is missed at any load, and nothing is held.
START_TEST(says_what_is_out_of_reach)
{
    struct capacity_fixture f;
    const struct capacity_load *row =
        find(&f, "duration: 1s\n"
                 "traffic: [{service: a, rate: 9qps, sizes: {distribution: fixed, items: 1}, sla: "
                 "{p95: 1ms}}]\n"
                 "fleet: {groups: [{cores: 8, servers: 3, cost: {kind: synthetic, fixed: 2ms}}]}\n"
                 "capacity: {find: load, queries: 2000, max_queries: 10000}\n"
                 "tune: {queries: 2000, max_queries: 10000}\n");
    ck_assert_int_eq(row->state, CAPACITY_BEYOND);
    ck_assert(isnan(row->held_qps));
    ck_assert(isnan(row->cost_usd_per_h)); // no price was given
    capacity_fixture_close(&f);
}
END_TEST

// An M/M/1 queue of 10 ms, whose p99 is 46.05 ms: a p99 of 50 ms is held up to
// 100 - ln 100 / 0.05 = 7.90 qps. The highest rate that was shown to be held lies below the
// others that were, so it is not the last that was looked at; its row is there all the same.
START_TEST(the_row_is_there_near_the_limit)
{
    struct capacity_fixture f;
    if (capacity_fixture_eval().n_ranks > 1) // many short runs, in which ranks wait for each other
        return;
    const struct capacity_load *row =
        find(&f, NEAR_IDLE("50ms") "capacity: {find: load, queries: 5000, max_queries: 80000}\n");
    ck_assert_int_eq(row->state, CAPACITY_FOUND);
    ck_assert_double_lt(row->held_qps, 7.90);
    ck_assert_double_gt(row->missed_qps, 7.90);
    ck_assert_double_eq_tol(row->at_held.cpu_util_frac, row->held_qps / 100, 0.002);
    ck_assert_double_eq_tol(row->at_held.sla_latency_s.value, 4.60517 / (100 - row->held_qps),
                            2e-3);
    capacity_fixture_close(&f);
}
END_TEST

// Runs of few queries cannot show that an idle fleet is within 49 ms: no load is held, and the row
// says what there is at vanishing load.
START_TEST(too_short_to_show_any)
{
    struct capacity_fixture f;
    if (capacity_fixture_eval().n_ranks > 1) // many short runs, in which ranks wait for each other
        return;
    const struct capacity_load *row =
        find(&f, NEAR_IDLE("49ms") "capacity: {find: load, queries: 5000, max_queries: 20000}\n");
    ck_assert_int_eq(row->state, CAPACITY_BEYOND);
    ck_assert_double_eq_tol(row->at_held.sla_latency_s.value, 46.05e-3, 2e-3);
    ck_assert_double_lt(row->at_held.cpu_util_frac, 0.002);
    capacity_fixture_close(&f);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", holds_what_theory_says},
                                       {"core", sizes_as_they_occur},
                                       {"limits", the_row_is_there_near_the_limit},
                                       {"limits", too_short_to_show_any},
                                       {"limits", says_what_is_out_of_reach}};
    return suite_mpi_run(&argc, &argv, "find_load", tests, sizeof tests / sizeof *tests);
}
