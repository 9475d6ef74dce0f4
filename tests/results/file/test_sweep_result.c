// SPDX-License-Identifier: Apache-2.0
#include "results/file/sweep_result.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/fixture_sweep.h"
#include "support/suite.h"

// What a point takes over is its own, whatever becomes of the run that it came from.
START_TEST(takes)
{
    struct sweep_result *p = sweep_result_create(0, 2);
    struct run_result *run = fixture_load(12, 2, 1);
    sweep_result_take(p, 1, run);
    run_result_destroy(run);
    const struct sweep_point *point = &p->points[1];
    ck_assert_int_eq(point->state, SWEEP_DONE);
    ck_assert_uint_eq(point->random_seed, 12);
    ck_assert_str_eq(point->policy_name, "jsq");
    ck_assert_str_eq(point->info.date, "2020-01-02T03:04:12Z");
    ck_assert_str_eq(point->info.job_id, "77_12");
    ck_assert_str_eq(point->info.nodes, "node[01-02]");
    ck_assert_uint_eq(point->info.n_restarts, 11);
    ck_assert_str_eq(point->study_digest, "00112233445566778899aabbccddeeff");
    ck_assert_double_eq(point->duration_s, 10);
    ck_assert_uint_eq(point->n_services, 2);
    ck_assert_uint_eq(p->n_services, 2);
    ck_assert_str_eq(p->service_names[3].name, "ads, banner");
    ck_assert_str_eq(p->service_names[3].model, "dlrm-rmc1");
    ck_assert_double_eq(p->services[3].sla_latency_s.value, 13 * 1e-3);
    ck_assert_double_eq(p->totals[1].served_qps.value, 12000);
    ck_assert_double_eq(p->groups[1].parts[PART_CPU].util_frac.value, 12 * 0.05);
    ck_assert_uint_eq(p->group_names[1].n_servers, 4);
    ck_assert_double_eq(p->fleets[1].power_w.value, 300);
    sweep_result_destroy(p);
}
END_TEST

// Names, labels and states are as they were set.
START_TEST(named)
{
    struct sweep_result *p = fixture_sweep();
    char *name = sweep_result_name(p, 7);
    ck_assert_str_eq(name, "policy=power of 2,servers=100,replication=1");
    ck_assert_str_eq(sweep_result_label(p, 7, 0), "power of 2");
    ck_assert_uint_eq(sweep_result_count(p, SWEEP_DONE), 9);
    ck_assert_uint_eq(sweep_result_count(p, SWEEP_MISSING), 1);
    ck_assert_uint_eq(sweep_result_count(p, SWEEP_FAILED), 1);
    ck_assert_uint_eq(sweep_result_count(p, SWEEP_FOREIGN), 1);
    ck_assert_str_eq(p->points[4].note, "no space left on the disk"); // in one line
    ck_assert_uint_eq(p->points[8].random_seed, UINT64_C(0xfedcba9876543210) + 8);
    mem_free(name);
    sweep_result_destroy(p);
}
END_TEST

// Points with more services than those before make room; what a point lacks is NaN and 0.
START_TEST(differ)
{
    struct sweep_result *p = sweep_result_create(0, 3);
    struct run_result *small = fixture_load(1, 1, 1), *large = fixture_load(2, 2, 2);
    sweep_result_take(p, 0, small);
    sweep_result_take(p, 2, large);
    run_result_destroy(small);
    run_result_destroy(large);
    ck_assert_uint_eq(p->n_services, 2);
    ck_assert_uint_eq(p->n_groups, 2);
    ck_assert_double_eq(p->services[0].served_qps.value, 1000);
    ck_assert_double_nan(p->services[1].served_qps.value);
    ck_assert_double_nan(p->services[1].latency_s[4].half_95);
    ck_assert_uint_eq(p->services[1].n_queries, 0);
    ck_assert_ptr_null(p->service_names[1].name);
    ck_assert_double_nan(p->groups[1].power_w.value);
    ck_assert_double_nan(p->totals[1].served_qps.value);
    ck_assert_double_eq(p->services[5].served_qps.value, 3000);
    ck_assert_str_eq(p->group_names[5].platform, "broadwell");
    sweep_result_destroy(p);
}
END_TEST

// The order in which points are taken changes nothing, nor does taking one twice.
START_TEST(any_order)
{
    struct sweep_result *forward = sweep_result_create(0, 4), *backward = sweep_result_create(0, 4);
    for (uint32_t i = 0; i < 4; i++) {
        struct run_result *a = fixture_load(1 + i, 1 + i % 2, 1 + i / 2);
        struct run_result *b = fixture_load(4 - i, 1 + (3 - i) % 2, 1 + (3 - i) / 2);
        sweep_result_take(forward, i, a);
        sweep_result_take(backward, 3 - i, b);
        sweep_result_take(backward, 3 - i, b);
        run_result_destroy(a);
        run_result_destroy(b);
    }
    fixture_sweep_same(forward, backward);
    sweep_result_destroy(forward);
    sweep_result_destroy(backward);
}
END_TEST

// A point that is found not to be done after all keeps its seed and nothing else of its run.
START_TEST(forgets)
{
    struct sweep_result *p = sweep_result_create(0, 1), *fresh = sweep_result_create(0, 1);
    struct run_result *run = fixture_load(3, 1, 1);
    sweep_result_take(p, 0, run);
    sweep_result_set_state(p, 0, SWEEP_MISSING, NULL);
    sweep_result_set_seed(fresh, 0, 3);
    fixture_sweep_same(p, fresh);
    run_result_destroy(run);
    sweep_result_destroy(p);
    sweep_result_destroy(fresh);
}
END_TEST

// One point without axes has a name, too: none.
START_TEST(least)
{
    struct sweep_result *p = fixture_points_least();
    char *name = sweep_result_name(p, 0);
    ck_assert_str_eq(name, "");
    ck_assert_int_eq(p->points[0].state, SWEEP_MISSING);
    ck_assert_str_eq(p->points[0].note, "");
    ck_assert_double_nan(p->points[0].info.wall_s);
    mem_free(name);
    sweep_result_destroy(p);
    sweep_result_destroy(NULL);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", takes},     {"core", named},     {"core", differ},
                                       {"core", any_order}, {"limits", forgets}, {"limits", least}};
    return suite_run("sweep_result", tests, sizeof tests / sizeof *tests);
}
