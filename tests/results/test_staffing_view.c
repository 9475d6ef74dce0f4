// SPDX-License-Identifier: Apache-2.0
#include "results/staffing_view.h"

#include <math.h>

#include "base/mem.h"
#include "results/fixture_staffing.h"
#include "support/suite.h"

static void is_text(char *text, const char *wanted)
{
    ck_assert_str_eq(text, wanted);
    mem_free(text);
}

// The cheapest plan is the best, unless it misses more targets, or was not found.
START_TEST(best_plan)
{
    struct staffing *s = fixture_staffing();
    struct staffing_plan best;
    ck_assert(staffing_view_best(s, &best));
    ck_assert_uint_eq(staffing_plan_at(s, best.scheduler, best.allocation, best.provisioning), 11);
    s->totals[11].n_missed = 1;
    ck_assert(staffing_view_best(s, &best));
    ck_assert_uint_eq(best.allocation, 1); // greedy, follow: 360 kWh, less than optimal at the peak
    ck_assert_uint_eq(best.provisioning, 1);
    s->totals[9].state = STAFFING_BEYOND;
    ck_assert(staffing_view_best(s, &best));
    ck_assert_uint_eq(staffing_plan_at(s, best.scheduler, best.allocation, best.provisioning), 10);
    for (uint32_t i = 0; i < 12; i++)
        s->totals[i].state = STAFFING_BEYOND;
    ck_assert(!staffing_view_best(s, &best));
    staffing_destroy(s);
}
END_TEST

// Without an objective hours of servers decide, then energy; of equals it is the first.
START_TEST(best_without_objective)
{
    struct staffing *s = fixture_staffing_day();
    struct staffing_plan best;
    ck_assert(staffing_view_best(s, &best));
    ck_assert_uint_eq(best.scheduler, 0);
    s->totals[1].simulated_kwh -= 1;
    ck_assert(staffing_view_best(s, &best));
    ck_assert_uint_eq(best.scheduler, 1);
    s->totals[1].server_h += 1;
    ck_assert(staffing_view_best(s, &best));
    ck_assert_uint_eq(best.scheduler, 0);
    staffing_destroy(s);
}
END_TEST

// The service nearest to its target is found by the ratio, not by the latency; what is not known is
// left out.
START_TEST(worst_service)
{
    struct staffing *s = fixture_staffing_day();
    const struct staffing_plan plan = {1, 0, 0};
    uint32_t service;
    s->target_s[1] = 0.08; // 50 ms of it
    ck_assert_double_eq_tol(staffing_view_worst(s, &plan, 0, &service), 0.625, 1e-12);
    ck_assert_uint_eq(service, 1);
    s->target_s[1] = NAN;
    ck_assert_double_eq_tol(staffing_view_worst(s, &plan, 0, &service), 0.5, 1e-12);
    ck_assert_uint_eq(service, 0);
    s->target_s[0] = NAN;
    ck_assert_double_nan(staffing_view_worst(s, &plan, 0, &service));
    staffing_destroy(s);
}
END_TEST

// Views point at the rows of their plan.
START_TEST(rows)
{
    struct staffing *s = fixture_staffing();
    const struct staffing_plan plan = {1, 2, 0};
    ck_assert_ptr_eq(staffing_view_total(s, &plan), &s->totals[10]);
    ck_assert_ptr_eq(staffing_view_step(s, &plan, 3), &s->steps[43]);
    ck_assert_ptr_eq(staffing_view_trial(s, &plan, 3, 1), &s->trials[87]);
    ck_assert_ptr_eq(staffing_view_day(s, &plan, 1), &s->days[21]);
    ck_assert(staffing_view_has_plans(s));
    staffing_destroy(s);
    s = fixture_staffing_sizes();
    ck_assert(!staffing_view_has_plans(s));
    staffing_destroy(s);
}
END_TEST

// Times, verdicts, savings and intervals as they stand in the tables.
START_TEST(texts)
{
    struct staffing *s = fixture_staffing();
    is_text(staffing_view_time(s, 3), "18:00");
    s->interval_s = 300;
    is_text(staffing_view_time(s, 287), "23:55");
    s->interval_s = 2.5;
    is_text(staffing_view_time(s, 2), "00:00:05");
    s->interval_s = NAN;
    is_text(staffing_view_time(s, 7), "7");
    is_text(staffing_view_saving(3, 2), "33.3");
    is_text(staffing_view_saving(2, 3), "-50.0");
    is_text(staffing_view_saving(NAN, 3), "-");
    is_text(staffing_view_saving(0, 0), "-");
    is_text(staffing_view_interval(0.024, 0.001, 1e3), "24.0 ±1.0");
    is_text(staffing_view_interval(NAN, 0.001, 1e3), "-");
    ck_assert_str_eq(staffing_view_verdict(STAFFING_MISSED), "MISSED");
    ck_assert_str_eq(staffing_view_verdict(STAFFING_NOT_ASKED), "-");
    ck_assert_int_eq(staffing_view_worse(STAFFING_MET, STAFFING_UNSURE), STAFFING_UNSURE);
    ck_assert_int_eq(staffing_view_worse(STAFFING_NOT_ASKED, STAFFING_MET), STAFFING_MET);
    ck_assert_int_eq(staffing_view_worse(STAFFING_MISSED, STAFFING_MET), STAFFING_MISSED);
    ck_assert_str_eq(staffing_view_unit(s).name, "ms");
    staffing_destroy(s);
}
END_TEST

// However short the intervals, no table has more than 48 lines of them.
START_TEST(strides)
{
    struct staffing s = {.n_intervals = 24};
    ck_assert_uint_eq(staffing_view_stride(&s), 1);
    s.n_intervals = 48;
    ck_assert_uint_eq(staffing_view_stride(&s), 1);
    s.n_intervals = 49;
    ck_assert_uint_eq(staffing_view_stride(&s), 2);
    s.n_intervals = 1440;
    ck_assert_uint_eq(staffing_view_stride(&s), 30);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", best_plan},     {"core", best_without_objective},
                                       {"core", worst_service}, {"core", rows},
                                       {"core", texts},         {"limits", strides}};
    return suite_run("staffing_view", tests, sizeof tests / sizeof *tests);
}
