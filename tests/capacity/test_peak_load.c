// SPDX-License-Identifier: Apache-2.0
// On any number of ranks.
#include "capacity/peak_load.h"

#include <math.h>
#include <string.h>

#include "capacity/capacity_fixture.h"
#include "base/mem.h"
#include "cluster/sched.h"
#include "support/suite_mpi.h"

static struct peak_load *open_offer(struct capacity_fixture *f, const char *text)
{
    struct err err = {0};
    capacity_fixture_open(f, text, NULL);
    struct peak_load *peak = peak_load_create(&f->context, &err);
    ck_assert_msg(peak != NULL, "%s", err.text);
    return peak;
}

static void measure(struct peak_load *peak, const struct peak_load_point *point,
                    struct measurement *result, struct measurement *trial)
{
    struct err err = {0};
    struct peak_load_trial found;
    ck_assert_msg(peak_load_measure(peak, point, result, &found, &err) == 0, "%s", err.text);
    *trial = found.all;
    mem_free(found.services);
}

// A curve of 1, 3 and 2 has its peak at 1.5 times its mean; services without one keep their rate;
// the headroom comes on top.
START_TEST(peaks_are_the_curves)
{
    struct capacity_fixture f;
    struct peak_load *peak = open_offer(
        &f, "duration: 1s\n"
            "traffic:\n"
            "  - {service: a, rate: 1000qps, sizes: {distribution: fixed, items: 1}, sla: "
            "{p95: 4ms}, arrivals: {process: diurnal, period: 24h, curve: [1, 3, 2]}}\n"
            "  - {service: b, rate: 500qps, sizes: {distribution: fixed, items: 1}, sla: "
            "{p95: 4ms}}\n"
            "fleet: {groups: [{cores: 8, servers: 4, cost: {kind: synthetic, fixed: "
            "1ms}}]}\n"
            "capacity: {headroom: 20%}\n");
    ck_assert_double_eq_tol(peak_load_service_qps(peak, 0), 1800, 1e-6);
    ck_assert_double_eq_tol(peak_load_service_qps(peak, 1), 600, 1e-6);
    ck_assert_double_eq_tol(peak_load_qps(peak), 2400, 1e-6);
    peak_load_destroy(peak);
    capacity_fixture_close(&f);
}
END_TEST

// Eight cores of 1 ms a query have no time left at 8000 a second, of one service or all.
START_TEST(saturation_is_where_no_time_is_left)
{
    struct capacity_fixture f;
    struct peak_load *peak = open_offer(&f, ASK_SYNTHETIC);
    const struct settings choice = sched_plain(&sched_split, 1, 1);
    ck_assert_double_eq_tol(peak_load_saturation_qps(peak, 0, &choice, 0), 8000, 1e-6);
    ck_assert_double_eq_tol(peak_load_saturation_qps(peak, 0, &choice, 1), 8000, 1e-6);
    peak_load_destroy(peak);
    capacity_fixture_close(&f);
}
END_TEST

// Four servers at 20000 queries per second are busy for 62.5 % and draw 4 (100 + 62.5) W; twice the
// rate is too much. A tenth of the run is warm-up. Tolerances: four standard deviations of the
// number of queries.
START_TEST(measures_a_fleet_at_a_scale)
{
    struct capacity_fixture f;
    struct peak_load *peak = open_offer(&f, ASK_SYNTHETIC);
    const uint32_t n_servers[1] = {4};
    const struct fleet_variant fleet = {.n_servers = n_servers, .n_cells = 1};
    struct peak_load_point point = {&fleet, 1, 40000, STREAM_TUNE};
    struct measurement result;
    struct measurement trial;
    measure(peak, &point, &result, &trial);
    ck_assert_uint_eq(result.n_queries, f.context.n_queries);
    ck_assert_double_eq_tol((double)trial.n_queries, 36000, 4 * sqrt(36000));
    ck_assert_double_eq_tol(trial.cpu_util_frac, 0.625, 0.625 * 4 / sqrt(36000) * sqrt(2));
    ck_assert_double_eq_tol(trial.power_w, 400 + 400 * trial.cpu_util_frac, 1e-3);
    ck_assert_int_eq(trial.stable, VERDICT_MET);
    ck_assert(trial.lost_frac == 0);
    point.scale = 2;
    measure(peak, &point, &result, &trial);
    ck_assert_int_eq(trial.stable, VERDICT_MISSED);
    ck_assert_int_eq(trial.sla, VERDICT_MISSED);
    peak_load_destroy(peak);
    capacity_fixture_close(&f);
}
END_TEST

// A fleet of many cells is measured on some of them where the queries asked for are few, and its
// power is still that of the whole.
START_TEST(some_cells_stand_for_all)
{
    struct capacity_fixture f;
    struct peak_load *peak = open_offer(&f, ASK_SYNTHETIC);
    const uint32_t n_servers[1] = {400};
    const struct fleet_variant fleet = {.n_servers = n_servers, .n_cells = 100};
    const struct peak_load_point point = {&fleet, 100, 20000, STREAM_TUNE};
    struct measurement result;
    struct measurement trial;
    measure(peak, &point, &result, &trial);
    // 20 times 4 ms of two million queries per second are 160000; an eighth of the cells is 13.
    ck_assert_double_eq_tol((double)result.n_queries, 13 * 20000 * 0.08, 4 * sqrt(20800));
    ck_assert_double_eq_tol(trial.power_w, 100 * (400 + 400 * trial.cpu_util_frac), 1);
    ck_assert_double_eq_tol(trial.served_qps, 2e6, 2e6 * 4 / sqrt(20800));
    peak_load_destroy(peak);
    capacity_fixture_close(&f);
}
END_TEST

// Of two services each has its own numbers; the one with the tighter target is nearest to missing.
START_TEST(services_are_told_apart)
{
    struct capacity_fixture f;
    struct peak_load *peak = open_offer(
        &f, "duration: 1s\n"
            "traffic:\n"
            "  - {service: slow, rate: 3000qps, sizes: {distribution: fixed, items: 1}, sla: {p95: "
            "9ms}}\n"
            "  - {service: fast, rate: 1000qps, sizes: {distribution: fixed, items: 1}, sla: {p95: "
            "4ms}}\n"
            "fleet: {groups: [{name: web, cores: 8, servers: 1, cost: {kind: synthetic, fixed: "
            "1ms}, noise: exponential}]}\n"
            "balancer: {policy: random, dispatch_delay: 0, status_delay: 0}\n");
    const uint32_t n_servers[1] = {1};
    const struct fleet_variant fleet = {.n_servers = n_servers, .n_cells = 1};
    const struct peak_load_point point = {&fleet, 1, 40000, STREAM_TUNE};
    struct measurement result;
    struct peak_load_trial trial;
    struct err err = {0};
    ck_assert_int_eq(peak_load_measure(peak, &point, &result, &trial, &err), 0);
    ck_assert_uint_eq(peak_load_binding(peak, &trial), 1);
    ck_assert_double_eq_tol(trial.all.sla_s, 4e-3, 1e-9);
    ck_assert(trial.all.late_frac.value == trial.services[1].late_frac.value);
    ck_assert_double_eq_tol(trial.services[0].served_qps, 3000, 3000 * 4 / sqrt(27000));
    ck_assert_double_eq_tol(trial.services[1].served_qps, 1000, 1000 * 4 / sqrt(9000));
    ck_assert_double_eq_tol(trial.services[0].sla_s, 9e-3, 1e-9);
    ck_assert_double_lt(trial.services[0].late_frac.value, 1e-3); // exp(-9)
    ck_assert(trial.services[0].cpu_util_frac == trial.all.cpu_util_frac);
    mem_free(trial.services);
    peak_load_destroy(peak);
    capacity_fixture_close(&f);
}
END_TEST

// What slices cannot do is said with the study's name.
START_TEST(refuses_a_list_of_failures)
{
    struct capacity_fixture f;
    struct err err = {0};
    capacity_fixture_open(
        &f, ASK_SYNTHETIC "failures: {events: [{at: 1s, for: 1s, group: web, server: 0}]}\n", NULL);
    ck_assert_ptr_null(peak_load_create(&f.context, &err));
    ck_assert_msg(strstr(err.text, "s.yaml: failures.events") != NULL, "%s", err.text);
    capacity_fixture_close(&f);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {
        {"core", peaks_are_the_curves},        {"core", saturation_is_where_no_time_is_left},
        {"core", measures_a_fleet_at_a_scale}, {"core", services_are_told_apart},
        {"limits", some_cells_stand_for_all},  {"errors", refuses_a_list_of_failures}};
    return suite_mpi_run(&argc, &argv, "peak_load", tests, sizeof tests / sizeof *tests);
}
