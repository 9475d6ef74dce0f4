// SPDX-License-Identifier: Apache-2.0
// On any number of ranks.
#include "capacity/efficiency.h"

#include <math.h>

#include "runs/memo.h"
#include "capacity/capacity_fixture.h"
#include "base/mem.h"
#include "support/suite_mpi.h"
#include "cluster/sched.h"

#define TWO_TYPES                                                                                  \
    "duration: 1s\n"                                                                               \
    "traffic:\n"                                                                                   \
    "  - {service: a, rate: 100qps, sizes: {distribution: fixed, items: 80}, sla: {p95: 20ms}}\n"  \
    "  - {service: b, rate: 100qps, sizes: {distribution: fixed, items: 40}, sla: {p95: 20ms}}\n"  \
    "fleet:\n"                                                                                     \
    "  groups:\n"                                                                                  \
    "    - {name: x, cores: 4, servers: 6, idle_power: 50W, busy_power: 100W,\n"                   \
    "       cost: {kind: synthetic, fixed: 1ms, per_item: 10us}}\n"                                \
    "    - {name: y, cores: 8, servers: 2, scheduler: {batch_items: 20},\n"                        \
    "       cost: {kind: synthetic, fixed: 1ms, per_item: 10us}}\n"                                \
    "balancer: {policy: random, dispatch_delay: 1us, status_delay: 1us}\n"                         \
    "tune: {accuracy: 5%, queries: 3000, max_queries: 20000}\n"

// Rates lie below where the cores have no time left, and near it: a target of ten times the service
// time is missed only close to saturation. Power follows from utilisation.
START_TEST(finds_what_a_server_holds)
{
    struct capacity_fixture f;
    struct err err = {0};
    capacity_fixture_open(&f, TWO_TYPES, NULL);
    ck_assert_msg(efficiency_find(&f.context, true, &err) == 0, "%s", err.text);
    const struct capacity_tuple *t = f.context.answer->tuples;
    // Seconds of a core per query: x splits over its four cores, y into requests of 20 items.
    const double core_s[4] = {4 * 1.2e-3, 4 * 1.1e-3, 4 * 1.2e-3, 2 * 1.2e-3};
    const double cores[4] = {4, 4, 8, 8};
    const uint32_t batches[4] = {20, 10, 20, 20};
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(t[i].state, CAPACITY_FOUND);
        ck_assert_double_lt(t[i].qps, cores[i] / core_s[i]);
        ck_assert_double_gt(t[i].qps, 0.75 * cores[i] / core_s[i]);
        ck_assert_double_gt(t[i].missed_qps, t[i].qps);
        // Offered work is the utilisation, within what 20 000 queries leave open.
        ck_assert_double_eq_tol(t[i].at_qps.cpu_util_frac, t[i].qps * core_s[i] / cores[i], 0.02);
        ck_assert_int_eq(sched_needs(&capacity_context_choices(&f.context, 0)[i]).batch_items,
                         batches[i]);
    }
    ck_assert_double_eq_tol(t[0].at_qps.power_w, 50 + 50 * t[0].at_qps.cpu_util_frac, 1e-6);
    ck_assert_double_eq_tol(t[0].idle_w, 50, 1e-9);
    ck_assert_uint_gt(f.context.n_queries, 10000);
    capacity_fixture_close(&f);
}
END_TEST

// What is in the memo is not simulated again, and is the same; the climb finds at least what the
// fixed choice holds, within its accuracy.
START_TEST(keeps_what_it_found)
{
    struct capacity_fixture first, again;
    struct err err = {0};
    char path[64];
    struct memo *memo = capacity_fixture_memo(path);
    const char *text = TWO_TYPES "capacity: {schedulers: [fixed, deeprecsched]}\n";
    capacity_fixture_open(&first, text, memo);
    int rc = efficiency_find(&first.context, true, &err);
    size_t n = memo_n(memo);
    capacity_fixture_open(&again, text, memo);
    int rc_again = efficiency_find(&again.context, true, &err);
    size_t n_again = memo_n(memo);
    memo_close(memo, true);
    ck_assert_msg(rc == 0 && rc_again == 0, "%s", err.text);
    ck_assert_uint_eq(n, 8);
    ck_assert_uint_eq(n_again, 8);
    ck_assert_uint_eq(first.context.n_queries, again.context.n_queries);
    for (int i = 0; i < 8; i++)
        ck_assert(first.context.answer->tuples[i].qps == again.context.answer->tuples[i].qps);
    for (int i = 0; i < 4; i++)
        ck_assert_double_gt(first.context.answer->tuples[4 + i].qps,
                            0.95 * first.context.answer->tuples[i].qps);
    capacity_fixture_close(&first);
    capacity_fixture_close(&again);
}
END_TEST

// Without rates, given choices cost nothing: the study's, and the largest query over all cores.
START_TEST(given_choices_are_taken)
{
    struct capacity_fixture f;
    struct err err = {0};
    capacity_fixture_open(&f, TWO_TYPES "capacity: {schedulers: [fixed, static]}\n", NULL);
    ck_assert_msg(efficiency_find(&f.context, false, &err) == 0, "%s", err.text);
    const struct capacity_tuple *t = f.context.answer->tuples;
    ck_assert_uint_eq(f.context.n_queries, 0);
    ck_assert(isnan(t[0].qps) && isnan(t[7].qps));
    ck_assert_uint_eq(t[2].settings[0], 20);
    ck_assert_uint_eq(t[4].settings[0], 20); // 80 items over 4 cores
    ck_assert_uint_eq(t[7].settings[0], 5);  // 40 over 8
    capacity_fixture_close(&f);
}
END_TEST

// A target below the service time is out of reach at any rate.
START_TEST(says_what_is_out_of_reach)
{
    struct capacity_fixture f;
    struct err err = {0};
    capacity_fixture_open(
        &f,
        "duration: 1s\n"
        "traffic: [{service: a, rate: 9qps, sizes: {distribution: fixed, items: 1}, "
        "sla: {p95: 1ms}}]\n"
        "fleet: {groups: [{cores: 8, servers: 3, cost: {kind: synthetic, fixed: "
        "2ms}}]}\n"
        "tune: {queries: 2000, max_queries: 10000}\n",
        NULL);
    ck_assert_msg(efficiency_find(&f.context, true, &err) == 0, "%s", err.text);
    ck_assert_int_eq(f.context.answer->tuples[0].state, CAPACITY_BEYOND);
    ck_assert(isnan(f.context.answer->tuples[0].qps));
    ck_assert_int_eq(sched_needs(capacity_context_choices(&f.context, 0)).batch_items, 1);
    capacity_fixture_close(&f);
}
END_TEST

// An idle server draws what its parts draw.
START_TEST(idle_power_is_of_all_parts)
{
    struct platform platform = {.power = {50, 100, 1}};
    ck_assert_double_eq_tol(efficiency_idle_w(&platform), 50, 1e-12);
    platform.has_accelerator = true;
    platform.accelerator.power = (struct power_curve){15, 250, 1};
    ck_assert_double_eq_tol(efficiency_idle_w(&platform), 65, 1e-12);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", finds_what_a_server_holds},
                                       {"core", keeps_what_it_found},
                                       {"core", given_choices_are_taken},
                                       {"core", idle_power_is_of_all_parts},
                                       {"limits", says_what_is_out_of_reach}};
    return suite_mpi_run(&argc, &argv, "efficiency", tests, sizeof tests / sizeof *tests);
}
