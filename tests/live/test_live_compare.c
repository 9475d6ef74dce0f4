// SPDX-License-Identifier: Apache-2.0
#include "live/live_compare.h"

#include <math.h>

#include "base/simtime.h"
#include "live/live_fixture.h"
#include "live/live_record.h"
#include "support/suite.h"

static const struct live_window window = {0, 10, 2};

static struct record *record_of(const struct live_plan *plan, int64_t service_ns)
{
    struct live_log *log = live_fixture_log(plan, service_ns);
    const struct record_shape shape = {.n_services = 1,
                                       .n_groups = 1,
                                       .n_bins = 10,
                                       .n_servers = 1,
                                       .end_ns = plan->fleet->duration_ns};
    struct record *record = record_create(&shape);
    live_record_fill(log, record);
    live_log_destroy(log);
    return record;
}

// Short queries that never meet: twice the service is an error of 100 % of everything, and of
// every batch, so that its interval is next to nothing.
START_TEST(twice)
{
    struct study *study = live_fixture_study(NULL, NULL, NULL);
    struct live_plan *plan = live_fixture_plan(study);
    struct record *once = record_of(plan, 8), *twice = record_of(plan, 16);
    struct fidelity_row row;
    live_compare_row(&window, once, twice, &row);
    for (int i = 0; i < N_FIDELITY_NUMBERS; i++) {
        ck_assert_double_eq_tol(row.number[i].error_frac.value, 1, 1e-9);
        ck_assert_double_lt(row.number[i].error_frac.half_95, 1e-6);
    }
    ck_assert_double_eq_tol(row.number[FIDELITY_P95].value, 16e-9, 1e-12);
    ck_assert_double_eq_tol(row.number[FIDELITY_BUSY].value,
                            16e-9 * (double)plan->n_queries / 2 / 0.2, 1e-12);
    record_destroy(once);
    record_destroy(twice);
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

// What was measured has no error of its own; next to itself it has none either.
START_TEST(itself)
{
    struct study *study = live_fixture_study(NULL, NULL, NULL);
    struct live_plan *plan = live_fixture_plan(study);
    struct record *record = record_of(plan, 700 * SIMTIME_US);
    struct fidelity_row alone, same;
    live_compare_row(&window, record, NULL, &alone);
    live_compare_row(&window, record, record, &same);
    for (int i = 0; i < N_FIDELITY_NUMBERS; i++) {
        ck_assert(isnan(alone.number[i].error_frac.value));
        ck_assert_double_eq(same.number[i].error_frac.value, 0);
        ck_assert_double_eq(same.number[i].value, alone.number[i].value);
    }
    record_destroy(record);
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", twice}, {"limits", itself}};
    return suite_run("live_compare", tests, sizeof tests / sizeof *tests);
}
