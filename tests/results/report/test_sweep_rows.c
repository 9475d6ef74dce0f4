// SPDX-License-Identifier: Apache-2.0
#include "results/report/sweep_rows.h"

#include <math.h>

#include "base/mem.h"
#include "results/file/fixture_sweep.h"
#include "support/suite.h"

// With replications a row is a case with their interval (12, 13, 14 ... ms of the two services);
// without them a point with its run's.
START_TEST(rows)
{
    struct sweep_result *p = fixture_sweep();
    struct sweep_rows *v = sweep_rows_create(p);
    ck_assert_uint_eq(v->n, 4);
    ck_assert_double_eq_tol(v->rows[0].latency_s.value, 12e-3, 1e-12); // 11, 12, 13 ms
    ck_assert_str_eq(v->rows[0].service, "ads, banner");
    ck_assert(v->rows[2].overloaded && isnan(v->rows[2].latency_s.value));
    ck_assert(sweep_rows_holds(v, 0) && !sweep_rows_holds(v, 1) && !sweep_rows_holds(v, 2));
    sweep_rows_destroy(v);
    p->replication = -1;
    v = sweep_rows_create(p);
    ck_assert_uint_eq(v->n, 12);
    ck_assert_double_eq_tol(v->rows[0].latency_s.value, 11e-3, 1e-12);
    ck_assert_double_eq_tol(v->rows[0].latency_s.half_95, 11e-3 * FIXTURE_HALF_95, 1e-12);
    ck_assert_double_eq_tol(v->rows[0].served_qps.half_95, 10e3 * FIXTURE_HALF_95, 1e-9);
    ck_assert(!v->rows[4].done && !sweep_rows_holds(v, 4));
    sweep_rows_destroy(v);
    sweep_result_destroy(p);
}
END_TEST

static struct sweep_result *two_axes(const char *name, const char *const *labels)
{
    const char *const policies[] = {"b", "a"};
    struct sweep_result *p = sweep_result_create(2, 6);
    point_axes_set(&p->grid, 0, name, labels, 3);
    point_axes_set(&p->grid, 1, "policy", policies, 2);
    for (uint32_t i = 0; i < 6; i++) {
        struct run_result *run = fixture_load(10 + i, 1, 1);
        run->summary->services[1].offered_qps.value = 1000 * (3 - i / 2);
        p->values[2 * i] = i / 2;
        p->values[2 * i + 1] = i % 2;
        sweep_result_take(p, i, run);
        run_result_destroy(run);
    }
    return p;
}

// Load lies along x: by its unit, by its name, and where its labels are words by what arrived; then
// whatever has numbers.
START_TEST(along_x)
{
    const struct {
        const char *name, *labels[3];
        int axis;
        bool is_load;
        double x[3]; // in the order of the series
    } cases[] = {{"speed", {"3kqps", "1kqps", "2kqps"}, 0, true, {1000, 2000, 3000}},
                 {"scale", {"0.5", "1", "2"}, 0, true, {0.5, 1, 2}},
                 {"rate", {"high", "middle", "low"}, 0, true, {1000, 2000, 3000}},
                 {"servers", {"8", "4", "16"}, 0, false, {4, 8, 16}},
                 {"report", {"5ms", "1ms", "0"}, 0, false, {0, 0.001, 0.005}},
                 {"platform", {"skylake", "broadwell", "8"}, -1, false, {NAN, NAN, NAN}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sweep_result *p = two_axes(cases[i].name, cases[i].labels);
        struct sweep_rows *v = sweep_rows_create(p);
        ck_assert_int_eq(v->x_axis, cases[i].axis);
        ck_assert(v->x_is_load == cases[i].is_load);
        ck_assert_uint_eq(v->n_series, cases[i].axis < 0 ? 6 : 2);
        for (uint32_t k = 0; k < 3 && cases[i].axis >= 0; k++) {
            ck_assert_double_eq_tol(sweep_rows_x(v, v->order[k]), cases[i].x[k], 1e-12);
            char *name = sweep_rows_name(v, v->order[k], ", ", v->x_axis, -1);
            ck_assert_str_eq(name, "b");
            mem_free(name);
        }
        sweep_rows_destroy(v);
        sweep_result_destroy(p);
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", rows}, {"core", along_x}};
    return suite_run("sweep_rows", tests, sizeof tests / sizeof *tests);
}
