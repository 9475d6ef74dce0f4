// SPDX-License-Identifier: Apache-2.0
// On any number of ranks.
#include "capacity/unloaded.h"

#include "capacity/capacity_fixture.h"
#include "capacity/efficiency.h"
#include "support/suite_mpi.h"

static const struct measurement *find(struct capacity_fixture *f, const char *text)
{
    struct err err = {0};
    capacity_fixture_open(f, text, NULL);
    efficiency_give(&f->context);
    ck_assert_msg(unloaded_find(&f->context, true, &err) == 0, "%s", err.text);
    return f->context.answer->unloaded;
}

#define EXPONENTIAL(targets)                                                                       \
    "duration: 1s\n"                                                                               \
    "traffic:\n" targets                                                                           \
    "fleet: {groups: [{cores: 2, servers: 1, cost: {kind: synthetic, fixed: 1ms}, noise: "         \
    "exponential}]}\n"                                                                             \
    "balancer: {policy: random, dispatch_delay: 0, status_delay: 0}\n"                             \
    "capacity: {queries: 5000, max_queries: 200000}\n"
#define SERVICE(name, target)                                                                      \
    "  - {service: " name ", rate: 1500qps, sizes: {distribution: fixed, items: 1}, sla: " target  \
    "}\n"

// Exponential service times of 1 ms: p95 is 3.00 ms, p99 4.61 ms, so nothing is served within a p95
// of 2.9 ms or a p99 of 4.3 ms, and all is within 3.1 ms and 5 ms; a service without a target
// asks nothing.
START_TEST(percentiles_are_those_of_the_service)
{
    struct capacity_fixture f;
    const struct measurement *m =
        find(&f, EXPONENTIAL(SERVICE("a", "{p95: 2.9ms}") SERVICE("b", "{p95: 3.1ms}")
                                 SERVICE("c", "{p99: 4.3ms}") SERVICE("d", "{p99: 5ms}")));
    ck_assert_int_eq(m[0].sla, VERDICT_MISSED);
    ck_assert_int_eq(m[1].sla, VERDICT_MET);
    ck_assert_int_eq(m[2].sla, VERDICT_MISSED);
    ck_assert_int_eq(m[3].sla, VERDICT_MET);
    ck_assert_double_eq_tol(m[0].sla_latency_s.value, 2.996e-3, 0.1e-3);
    ck_assert_double_eq_tol(m[2].sla_latency_s.value, 4.605e-3, 0.2e-3);
    ck_assert_uint_gt(f.context.n_queries, 4 * 5000); // the first run does not decide
    capacity_fixture_close(&f);
}
END_TEST

// Of a million exponential times of 10 ms, 1.11 % are above 45 ms and 0.91 % above 47 ms: both are
// told from 1 %, though one server would take years for so many queries. Above 46 ms are 1.005 %,
// and 46.1 ms 0.995 %: neither is, but the percentile is known to 0.6 %. The truth is 46.052 ms.
START_TEST(near_targets_are_decided_or_left_open)
{
    const int32_t expected[4] = {VERDICT_MISSED, VERDICT_UNSURE, VERDICT_UNSURE, VERDICT_MET};
    struct capacity_fixture f;
    const struct measurement *m = find(
        &f,
        "duration: 1s\n"
        "traffic:\n" SERVICE("a", "{p99: 45ms}") SERVICE("b", "{p99: 46ms}")
            SERVICE("c", "{p99: 46.1ms}") SERVICE(
                "d",
                "{p99: 47ms}") "fleet: {groups: [{cores: 1, servers: 1, cost: {kind: synthetic, "
                               "fixed: 10ms}, "
                               "noise: exponential}]}\n"
                               "balancer: {policy: random, dispatch_delay: 0, status_delay: 0}\n"
                               "capacity: {queries: 5000, max_queries: 1000000}\n");
    for (int i = 0; i < 4; i++) {
        ck_assert_msg(m[i].sla == expected[i], "%d: %d", i, m[i].sla);
        ck_assert_double_eq_tol(m[i].sla_latency_s.value, 46.052e-3,
                                1.5 * m[i].sla_latency_s.half_95);
    }
    ck_assert_double_lt(m[1].sla_latency_s.half_95, 0.006 * 46.052e-3);
    ck_assert_uint_gt(m[1].n_queries, 980000);
    ck_assert(capacity_result_out_of_reach(f.context.answer)); // of b and c nothing is shown
    capacity_fixture_close(&f);
}
END_TEST

// A query of 100 items of 10 us takes 1 ms in one request, 250 us in four on four cores, and 300 us
// on the accelerator that takes queries of 50 and more; which of these the group does decides.
START_TEST(the_scheduler_decides)
{
    struct capacity_fixture f;
    const struct measurement *m = find(
        &f, "duration: 1s\n"
            "traffic: [{service: a, rate: 100qps, sizes: {distribution: fixed, items: 100}, sla: "
            "{p95: 400us}}]\n"
            "fleet:\n"
            "  groups:\n"
            "    - {name: whole, cores: 4, scheduler: {batch_items: 100}, servers: 1,\n"
            "       cost: {kind: synthetic, per_item: 10us}}\n"
            "    - {name: split, cores: 4, scheduler: {batch_items: 25}, servers: 1,\n"
            "       cost: {kind: synthetic, per_item: 10us}}\n"
            "    - {name: off, cores: 4, accelerator: {name: x, streams: 1}, servers: 1,\n"
            "       scheduler: {batch_items: 100, offload_items: 50},\n"
            "       cost: {kind: synthetic, per_item: 10us, accel_per_item: 3us}}\n"
            "balancer: {policy: random, dispatch_delay: 0, status_delay: 0}\n"
            "capacity: {queries: 2000}\n");
    const double takes_s[3] = {1e-3, 250e-6, 300e-6};
    for (int g = 0; g < 3; g++) {
        ck_assert_double_eq_tol(m[g].sla_latency_s.value, takes_s[g], 2e-3 * takes_s[g]);
        ck_assert_int_eq(m[g].sla, g == 0 ? VERDICT_MISSED : VERDICT_MET);
    }
    ck_assert(capacity_result_unreachable(f.context.answer, 0, 0, NULL));
    ck_assert(!capacity_result_unreachable(f.context.answer, 0, 1, NULL));
    ck_assert(!capacity_result_out_of_reach(f.context.answer)); // on another type it can be
    capacity_fixture_close(&f);
}
END_TEST

// Where cores are counted, a query has as many as it can use: ten requests of 100 us, not one core.
START_TEST(cores_are_as_many_as_are_of_use)
{
    struct capacity_fixture f;
    const struct measurement *m =
        find(&f, "duration: 1s\n"
                 "traffic: [{service: a, rate: 100qps, sizes: {distribution: fixed, items: 100}, "
                 "sla: {p95: 200us}}]\n"
                 "fleet: {groups: [{cores: 1, servers: 1, scheduler: {batch_items: 10}, cost: "
                 "{kind: synthetic, per_item: 10us}}]}\n"
                 "balancer: {policy: random, dispatch_delay: 0, status_delay: 0}\n"
                 "capacity: {find: cores, queries: 2000}\n");
    ck_assert_int_eq(m->sla, VERDICT_MET);
    ck_assert_double_eq_tol(m->sla_latency_s.value, 100e-6, 1e-6);
    capacity_fixture_close(&f);
}
END_TEST

// Servers that fail half of the time make queries late or lost, not the target impossible; nor does
// a study whose own load is far too much.
START_TEST(failures_and_load_do_not_count)
{
    struct capacity_fixture f;
    const struct measurement *m =
        find(&f, "duration: 1s\n"
                 "traffic: [{service: a, rate: 100000qps, sizes: {distribution: fixed, items: 1}, "
                 "sla: {p95: 2ms}, arrivals: {process: diurnal, period: 4s, curve: [1, 3]}}]\n"
                 "fleet: {groups: [{cores: 2, servers: 1, cost: {kind: synthetic, fixed: 1ms}}]}\n"
                 "balancer: {policy: random, dispatch_delay: 0, status_delay: 0}\n"
                 "failures: {mtbf: 100ms, mttr: 100ms}\n"
                 "capacity: {queries: 2000}\n");
    ck_assert_int_eq(m->sla, VERDICT_MET);
    ck_assert_double_eq_tol(m->late_frac.value, 0, 1e-9);
    capacity_fixture_close(&f);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", percentiles_are_those_of_the_service},
                                       {"core", near_targets_are_decided_or_left_open},
                                       {"core", the_scheduler_decides},
                                       {"core", cores_are_as_many_as_are_of_use},
                                       {"limits", failures_and_load_do_not_count}};
    return suite_mpi_run(&argc, &argv, "unloaded", tests, sizeof tests / sizeof *tests);
}
