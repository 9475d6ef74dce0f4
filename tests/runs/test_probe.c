// SPDX-License-Identifier: Apache-2.0
// On any number of ranks; MPI starts once, in main.
#include "runs/probe.h"

#include <math.h>
#include <string.h>

#include "runs/runs_fixture.h"
#include "cluster/sched.h"

// 8 cores, 1 ms a request of 100 items, 1.01 ms one of 101 and so on: all sizes are 100.
#define FLEET                                                                                      \
    "fleet: {groups: [{cores: 8, servers: 2, cost: {kind: synthetic, fixed: 0us, "                 \
    "per_item: 10us}}]}\n"
static const char *const text =
    "duration: 1s\n"
    "traffic: [{service: a, rate: 100qps, sizes: {distribution: fixed, items: 100}, "
    "sla: {p95: 2ms}}]\n" FLEET "balancer: {policy: random, dispatch_delay: 1us, "
    "return_delay: 0us}\n";

static struct measurement measure(struct probe *probe, uint32_t batch, double rate_qps,
                                  uint32_t stream)
{
    const struct measure_point point = {sched_plain(&sched_split, batch, 1), rate_qps, 20000,
                                        stream};
    struct measurement result;
    struct err err = {0};
    ck_assert_msg(probe_measure(probe, runs_fixture_eval()->comm, &point, &result, &err) == 0, "%s",
                  err.text);
    return result;
}

// Member by member: what lies between members is nobody's.
static void expect_same(const struct measurement *a, const struct measurement *b)
{
    ck_assert_int_eq(measurement_overall(a), measurement_overall(b));
    ck_assert(a->sla_latency_s.value == b->sla_latency_s.value &&
              a->sla_latency_s.half_95 == b->sla_latency_s.half_95);
    ck_assert(a->p99_s.value == b->p99_s.value && a->late_frac.value == b->late_frac.value);
    ck_assert(a->served_qps == b->served_qps && a->power_w == b->power_w);
    ck_assert(a->cpu_util_frac == b->cpu_util_frac);
    ck_assert_uint_eq(a->n_queries, b->n_queries);
}

// 2 servers of 8 cores at 1 ms a query have no time left at 16 000 queries per second, whatever the
// batch, since a request costs only its items.
START_TEST(bound_is_where_the_cores_have_no_time_left)
{
    struct study *study = runs_fixture_study(text, NULL);
    struct probe *probe = probe_create(study, false);
    const struct settings whole = sched_plain(&sched_split, 100, 1);
    const struct settings tenths = sched_plain(&sched_split, 10, 1);
    const struct settings larger = sched_plain(&sched_split, 5000, 1);
    ck_assert_double_eq_tol(probe_bound_qps(probe, &whole), 16000, 1e-6);
    ck_assert_double_eq_tol(probe_bound_qps(probe, &tenths), 16000, 1e-6);
    ck_assert_double_eq_tol(probe_bound_qps(probe, &larger), 16000, 1e-6);
    ck_assert_uint_eq(probe_facts(probe)->max_items, 100);
    ck_assert(!probe_facts(probe)->accel_cost);
    const struct tuner_backend backend = probe_backend(probe);
    ck_assert(isnan(backend.accel_s(probe, 100)));
    ck_assert_double_eq_tol(backend.cpu_s(probe, 100), 1e-3, 1e-12);
    probe_destroy(probe);
    study_destroy(study);
}
END_TEST

// Far below the bound the target is met, above it nothing is stable, and a batch cuts the latency
// of a query that meets idle cores: ten requests of 0.1 ms on eight cores take 0.2 ms.
START_TEST(judges_points)
{
    struct study *study = runs_fixture_study(text, NULL);
    struct probe *probe = probe_create(study, false);
    struct measurement low = measure(probe, 100, 200, STREAM_TUNE);
    ck_assert_int_eq(measurement_overall(&low), VERDICT_MET);
    // 1 ms of service and 1 us of travel; histogram buckets are 0.1 % wide.
    ck_assert_double_eq_tol(low.sla_latency_s.value, 1.001e-3, 1e-6);
    ck_assert_double_eq_tol(low.sla_s, 2e-3, 1e-12);
    struct measurement cut = measure(probe, 10, 200, STREAM_TUNE);
    ck_assert_double_eq_tol(cut.sla_latency_s.value, 0.201e-3, 0.2e-6);
    struct measurement high = measure(probe, 100, 17000, STREAM_TUNE);
    ck_assert_int_eq(high.stable, VERDICT_MISSED);
    ck_assert_int_eq(measurement_overall(&high), VERDICT_MISSED);
    probe_destroy(probe);
    study_destroy(study);
}
END_TEST

// A point's answer does not depend on what was measured before, and another stream is other
// queries.
START_TEST(answers_stand_alone)
{
    struct study *study = runs_fixture_study(text, NULL);
    struct probe *probe = probe_create(study, false);
    struct measurement first = measure(probe, 100, 12000, STREAM_TUNE);
    measure(probe, 10, 3000, STREAM_TUNE);
    struct measurement other = measure(probe, 100, 12000, STREAM_CONFIRM);
    struct measurement again = measure(probe, 100, 12000, STREAM_TUNE);
    expect_same(&first, &again);
    ck_assert(other.served_qps != first.served_qps);
    probe_destroy(probe);
    study_destroy(study);
}
END_TEST

// Every rank of the communicator and a rank by itself get the same answer.
START_TEST(ranks_do_not_matter)
{
    struct study *study = runs_fixture_study(text, NULL);
    struct probe *probe = probe_create(study, false);
    const struct measure_point point = {sched_plain(&sched_split, 100, 1), 12000, 20000,
                                        STREAM_TUNE};
    struct measurement together, alone;
    struct err err = {0};
    ck_assert_int_eq(probe_measure(probe, runs_fixture_eval()->comm, &point, &together, &err), 0);
    ck_assert_int_eq(probe_measure(probe, MPI_COMM_SELF, &point, &alone, &err), 0);
    expect_same(&together, &alone);
    probe_destroy(probe);
    study_destroy(study);
}
END_TEST

// An accelerator that takes the large queries moves the bound to whichever runs out first.
START_TEST(bound_with_an_accelerator)
{
    struct study *study = runs_fixture_study(
        "duration: 1s\n"
        "traffic: [{service: a, rate: 100qps, sizes: {distribution: fixed, items: 100}, "
        "sla: {p95: 2ms}}]\n"
        "fleet: {groups: [{cores: 8, servers: 1, accelerator: {name: x}, cost: {kind: synthetic, "
        "per_item: 10us, accel_fixed: 3ms, accel_load_fixed: 1ms}}]}\n",
        NULL);
    struct probe *probe = probe_create(study, false);
    const struct settings none = sched_plain(&sched_split, 100, 1);
    struct settings all = none;
    settings_set_number(&all, "offload_items", 1);
    ck_assert(probe_facts(probe)->accel_cost);
    ck_assert_double_eq_tol(probe_bound_qps(probe, &none), 8000, 1e-6);
    ck_assert_double_eq_tol(probe_bound_qps(probe, &all), 250, 1e-6); // 4 ms each, one at a time
    probe_destroy(probe);
    study_destroy(study);
}
END_TEST

// What is tuned together shares B and T, so the largest query of all bounds them, and one group
// with an accelerator is enough for thresholds to matter.
START_TEST(all_that_is_tuned_counts)
{
    struct study *study = runs_fixture_study(
        "duration: 1s\n"
        "traffic: [{service: a, rate: 100qps, sizes: {distribution: fixed, items: 8}, "
        "sla: {p95: 2ms}}, {service: b, rate: 100qps, sizes: {distribution: fixed, items: 100}, "
        "sla: {p95: 9ms}}]\n"
        "fleet: {groups: [{name: x, cores: 8, servers: 1, cost: {kind: synthetic, per_item: "
        "10us}}, {name: y, cores: 8, servers: 1, accelerator: {name: x}, cost: {kind: synthetic, "
        "per_item: 10us, accel_fixed: 3ms, accel_load_fixed: 1ms}}]}\n",
        NULL);
    struct probe *probe = probe_create(study, false);
    ck_assert_uint_eq(probe_facts(probe)->max_items, 100);
    ck_assert(probe_facts(probe)->accel_cost);
    ck_assert_double_eq_tol(probe_backend(probe).accel_s(probe, 50), 4e-3, 1e-12);
    probe_destroy(probe);
    study_destroy(study);
}
END_TEST

// None late among too few queries for one to be expected says nothing, however often it is said.
START_TEST(few_queries_do_not_decide)
{
    struct study *study = runs_fixture_study(
        "duration: 1s\n"
        "traffic: [{service: a, rate: 100qps, sizes: {distribution: fixed, items: 100}, "
        "sla: {p99.9: 2ms}}]\n" FLEET,
        NULL);
    struct probe *probe = probe_create(study, false);
    const struct measure_point few = {sched_plain(&sched_split, 100, 1), 1000, 1000, STREAM_TUNE};
    const struct measure_point many = {sched_plain(&sched_split, 100, 1), 1000, 20000, STREAM_TUNE};
    struct measurement result;
    ck_assert_int_eq(probe_measure(probe, runs_fixture_eval()->comm, &few, &result, NULL), 0);
    ck_assert_int_eq(result.sla, VERDICT_UNSURE);
    ck_assert_int_eq(probe_measure(probe, runs_fixture_eval()->comm, &many, &result, NULL), 0);
    ck_assert_int_eq(result.sla, VERDICT_MET);
    probe_destroy(probe);
    study_destroy(study);
}
END_TEST

// Arrivals that have no one rate cannot be searched.
START_TEST(refuses_rates_that_cannot_be_scaled)
{
    struct study *study =
        runs_fixture_study("duration: 1s\n"
                           "traffic: [{service: a, rate: 100qps, arrivals: {process: diurnal, "
                           "curve: [1, 2]},"
                           " sla: {p95: 2ms}}]\n" FLEET,
                           NULL);
    struct err err = {0};
    ck_assert_int_eq(probe_check(study, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "diurnal"));
    study_destroy(study);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", bound_is_where_the_cores_have_no_time_left},
        {"core", judges_points},
        {"core", bound_with_an_accelerator},
        {"core", all_that_is_tuned_counts},
        {"limits", few_queries_do_not_decide},
        {"limits", answers_stand_alone},
        {"limits", ranks_do_not_matter},
        {"errors", refuses_rates_that_cannot_be_scaled},
    };
    return runs_fixture_main("probe", tests, sizeof tests / sizeof *tests);
}
