// SPDX-License-Identifier: Apache-2.0
#include "results/report/capacity_rows.h"

#include <math.h>

#include "base/mem.h"
#include "results/file/fixture_capacity.h"
#include "support/suite.h"

static void is_text(char *text, const char *wanted)
{
    ck_assert_str_eq(text, wanted);
    mem_free(text);
}

// The cheapest plan is the best, unless it misses more targets, or was not found.
START_TEST(best_plan)
{
    struct capacity_result *s = fixture_capacity();
    struct capacity_plan best;
    ck_assert(capacity_rows_best(s, &best));
    ck_assert_uint_eq(
        capacity_result_plan_at(s, best.scheduler, best.allocation, best.provisioning), 11);
    s->totals[11].n_missed = 1;
    ck_assert(capacity_rows_best(s, &best));
    ck_assert_uint_eq(best.allocation, 1); // greedy, follow: 360 kWh, less than optimal at the peak
    ck_assert_uint_eq(best.provisioning, 1);
    s->totals[9].state = CAPACITY_BEYOND;
    ck_assert(capacity_rows_best(s, &best));
    ck_assert_uint_eq(
        capacity_result_plan_at(s, best.scheduler, best.allocation, best.provisioning), 10);
    for (uint32_t i = 0; i < 12; i++)
        s->totals[i].state = CAPACITY_BEYOND;
    ck_assert(!capacity_rows_best(s, &best));
    capacity_result_destroy(s);
}
END_TEST

// Without an objective hours of servers decide, then energy; of equals it is the first.
START_TEST(best_without_objective)
{
    struct capacity_result *s = fixture_capacity_day();
    struct capacity_plan best;
    ck_assert(capacity_rows_best(s, &best));
    ck_assert_uint_eq(best.scheduler, 0);
    s->totals[1].simulated_kwh -= 1;
    ck_assert(capacity_rows_best(s, &best));
    ck_assert_uint_eq(best.scheduler, 1);
    s->totals[1].server_h += 1;
    ck_assert(capacity_rows_best(s, &best));
    ck_assert_uint_eq(best.scheduler, 0);
    capacity_result_destroy(s);
}
END_TEST

// The service nearest to its target is found by the ratio, not by the latency; what is not known is
// left out.
START_TEST(worst_service)
{
    struct capacity_result *s = fixture_capacity_day();
    const struct capacity_plan plan = {1, 0, 0};
    uint32_t service;
    s->target_s[1] = 0.08; // 50 ms of it
    ck_assert_double_eq_tol(capacity_rows_worst(s, &plan, 0, &service), 0.625, 1e-12);
    ck_assert_uint_eq(service, 1);
    s->target_s[1] = NAN;
    ck_assert_double_eq_tol(capacity_rows_worst(s, &plan, 0, &service), 0.5, 1e-12);
    ck_assert_uint_eq(service, 0);
    s->target_s[0] = NAN;
    ck_assert_double_nan(capacity_rows_worst(s, &plan, 0, &service));
    capacity_result_destroy(s);
}
END_TEST

// Views point at the rows of their plan.
START_TEST(rows)
{
    struct capacity_result *s = fixture_capacity();
    const struct capacity_plan plan = {1, 2, 0};
    ck_assert_ptr_eq(capacity_rows_total(s, &plan), &s->totals[10]);
    ck_assert_ptr_eq(capacity_rows_step(s, &plan, 3), &s->steps[43]);
    ck_assert_ptr_eq(capacity_rows_trial(s, &plan, 3, 1), &s->trials[87]);
    ck_assert_ptr_eq(capacity_rows_day(s, &plan, 1), &s->days[21]);
    ck_assert(capacity_rows_has_plans(s));
    capacity_result_destroy(s);
    s = fixture_capacity_sizes();
    ck_assert(!capacity_rows_has_plans(s));
    capacity_result_destroy(s);
}
END_TEST

// Times, verdicts, savings and intervals as they stand in the tables.
START_TEST(texts)
{
    struct capacity_result *s = fixture_capacity();
    is_text(capacity_rows_time(s, 3), "18:00");
    s->interval_s = 300;
    is_text(capacity_rows_time(s, 287), "23:55");
    s->interval_s = 2.5;
    is_text(capacity_rows_time(s, 2), "00:00:05");
    s->interval_s = NAN;
    is_text(capacity_rows_time(s, 7), "7");
    is_text(capacity_rows_saving(3, 2), "33.3");
    is_text(capacity_rows_saving(2, 3), "-50.0");
    is_text(capacity_rows_saving(NAN, 3), "-");
    is_text(capacity_rows_saving(0, 0), "-");
    is_text(capacity_rows_interval(0.024, 0.001, 1e3), "24.0 ±1.0");
    is_text(capacity_rows_interval(NAN, 0.001, 1e3), "-");
    ck_assert_str_eq(capacity_rows_verdict(VERDICT_MISSED), "MISSED");
    ck_assert_str_eq(capacity_rows_verdict(VERDICT_NOT_ASKED), "-");
    ck_assert_str_eq(capacity_rows_unit(s).name, "ms");
    capacity_result_destroy(s);
}
END_TEST

// However short the intervals, no table has more than 48 lines of them.
START_TEST(strides)
{
    struct capacity_result s = {.n_intervals = 24};
    ck_assert_uint_eq(capacity_rows_stride(&s), 1);
    s.n_intervals = 48;
    ck_assert_uint_eq(capacity_rows_stride(&s), 1);
    s.n_intervals = 49;
    ck_assert_uint_eq(capacity_rows_stride(&s), 2);
    s.n_intervals = 1440;
    ck_assert_uint_eq(capacity_rows_stride(&s), 30);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", best_plan},     {"core", best_without_objective},
                                       {"core", worst_service}, {"core", rows},
                                       {"core", texts},         {"limits", strides}};
    return suite_run("capacity_rows", tests, sizeof tests / sizeof *tests);
}
