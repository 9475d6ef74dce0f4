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
    uint32_t best;
    ck_assert(capacity_rows_best(s, &best));
    ck_assert_uint_eq(best, 11);
    ck_assert_str_eq(capacity_rows_plan(s, best).scheduler, "deeprecsched");
    ck_assert_str_eq(capacity_rows_plan(s, best).allocation, "optimal");
    ck_assert_str_eq(capacity_rows_plan(s, best).provisioning, "follow");
    s->totals[11].n_missed = 1;
    ck_assert(capacity_rows_best(s, &best));
    ck_assert_uint_eq(best, 9); // greedy, follow: 360 kWh, less than optimal at the peak
    ck_assert_str_eq(capacity_rows_plan(s, best).allocation, "greedy");
    s->totals[9].state = CAPACITY_BEYOND;
    ck_assert(capacity_rows_best(s, &best));
    ck_assert_uint_eq(best, 10);
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
    uint32_t best;
    ck_assert(capacity_rows_best(s, &best));
    ck_assert_uint_eq(best, 0);
    s->totals[1].simulated_kwh -= 1;
    ck_assert(capacity_rows_best(s, &best));
    ck_assert_uint_eq(best, 1);
    s->totals[1].server_h += 1;
    ck_assert(capacity_rows_best(s, &best));
    ck_assert_uint_eq(best, 0);
    capacity_result_destroy(s);
}
END_TEST

// The service nearest to its target is found by the ratio, not by the latency; what is not known is
// left out.
START_TEST(worst_service)
{
    struct capacity_result *s = fixture_capacity_day();
    uint32_t service;
    s->sla_s[1] = 0.08; // 50 ms of it
    ck_assert_double_eq_tol(capacity_rows_worst(s, 1, 0, &service), 0.625, 1e-12);
    ck_assert_uint_eq(service, 1);
    s->sla_s[1] = NAN;
    ck_assert_double_eq_tol(capacity_rows_worst(s, 1, 0, &service), 0.5, 1e-12);
    ck_assert_uint_eq(service, 0);
    s->sla_s[0] = NAN;
    ck_assert_double_nan(capacity_rows_worst(s, 1, 0, &service));
    capacity_result_destroy(s);
}
END_TEST

// Views point at the rows of their plan; where no days were asked for there is no plan.
START_TEST(rows)
{
    struct capacity_result *s = fixture_capacity();
    ck_assert_ptr_eq(capacity_rows_trials(s, 10, 3), &s->trials[86]);
    ck_assert_ptr_eq(capacity_rows_days(s, 10), &s->days[20]);
    ck_assert_uint_eq(capacity_rows_n_plans(s), 12);
    capacity_result_destroy(s);
    s = fixture_capacity_sizes();
    ck_assert_uint_eq(capacity_rows_n_plans(s), 0);
    capacity_result_destroy(s);
}
END_TEST

// Times, verdicts and savings as they stand in the tables.
START_TEST(texts)
{
    struct capacity_result *s = fixture_capacity();
    struct measurement m = measurement_none(VERDICT_NOT_ASKED);
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
    ck_assert_str_eq(capacity_rows_verdict(&m), "-");
    m.stable = VERDICT_MET;
    m.sla = VERDICT_MISSED;
    ck_assert_str_eq(capacity_rows_verdict(&m), "MISSED");
    // What has no target is not "met" because its queues are stable.
    m = (struct measurement){.stable = VERDICT_MET, .sla = VERDICT_NOT_ASKED};
    ck_assert_str_eq(capacity_rows_verdict(&m), "-");
    m.stable = VERDICT_MISSED;
    ck_assert_str_eq(capacity_rows_verdict(&m), "MISSED");
    ck_assert_str_eq(capacity_rows_unit(s).name, "ms");
    capacity_result_destroy(s);
}
END_TEST

// However short the intervals, no table has more than 48 lines of them.
START_TEST(strides)
{
    const uint32_t n[] = {24, 48, 49, 1440}, strides[] = {1, 1, 2, 30};
    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq(capacity_rows_stride(&(struct capacity_result){.n_intervals = n[i]}),
                          strides[i]);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", best_plan},     {"core", best_without_objective},
                                       {"core", worst_service}, {"core", rows},
                                       {"core", texts},         {"limits", strides}};
    return suite_run("capacity_rows", tests, sizeof tests / sizeof *tests);
}
