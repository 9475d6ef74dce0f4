// SPDX-License-Identifier: Apache-2.0
#include "search/measure.h"

#include <math.h>
#include <stdbool.h>

#include "support/suite.h"

// The worst of the three verdicts decides, whichever it is.
START_TEST(worst_decides)
{
    for (int32_t stable = 0; stable < N_VERDICTS; stable++)
        for (int32_t sla = 0; sla < N_VERDICTS; sla++)
            for (int32_t tail = 0; tail < N_VERDICTS; tail++) {
                struct measure_result result = {.stable = stable, .sla = sla, .tail = tail};
                bool missed =
                    stable == VERDICT_MISSED || sla == VERDICT_MISSED || tail == VERDICT_MISSED;
                bool met = stable == VERDICT_MET && sla == VERDICT_MET && tail == VERDICT_MET;
                ck_assert_int_eq(measure_overall(&result), missed ? VERDICT_MISSED
                                                           : met  ? VERDICT_MET
                                                                  : VERDICT_UNSURE);
            }
}
END_TEST

// Every verdict has its name.
START_TEST(names)
{
    ck_assert_str_eq(measure_verdict_names[VERDICT_MET], "met");
    ck_assert_str_eq(measure_verdict_names[VERDICT_UNSURE], "unsure");
    ck_assert_str_eq(measure_verdict_names[VERDICT_MISSED], "missed");
    ck_assert_ptr_null(measure_verdict_names[N_VERDICTS]);
}
END_TEST

// Points come back in the order in which they were added, over several growths.
START_TEST(trials_in_order)
{
    struct trials trials = {0};
    struct measure_result result = measure_nothing();
    for (uint64_t i = 0; i < 1000; i++) {
        struct measure_point point = {.n_queries = i};
        result.n_queries = 2 * i;
        trials_add(&trials, &point, &result);
    }
    ck_assert_uint_eq(trials.n, 1000);
    for (uint64_t i = 0; i < 1000; i++) {
        ck_assert_uint_eq(trials.v[i].point.n_queries, i);
        ck_assert_uint_eq(trials.v[i].result.n_queries, 2 * i);
    }
    trials_release(&trials);
}
END_TEST

// Appending puts one list behind the other and leaves the other alone; nothing may be appended.
START_TEST(trials_appended)
{
    struct trials a = {0}, b = {0}, none = {0};
    struct measure_result result = measure_nothing();
    struct measure_point point = {.n_queries = 1};
    trials_add(&a, &point, &result);
    point.n_queries = 2;
    trials_add(&b, &point, &result);
    trials_append(&a, &b);
    trials_append(&a, &none);
    ck_assert_uint_eq(a.n, 2);
    ck_assert_uint_eq(a.v[1].point.n_queries, 2);
    ck_assert_uint_eq(b.n, 1);
    trials_release(&a);
    trials_release(&b);
}
END_TEST

// What was released is empty and may be filled again.
START_TEST(trials_filled_again)
{
    struct trials trials = {0};
    struct measure_point point = {.n_queries = 3};
    struct measure_result result = measure_nothing();
    trials_add(&trials, &point, &result);
    trials_release(&trials);
    ck_assert_uint_eq(trials.n, 0);
    trials_add(&trials, &point, &result);
    ck_assert_uint_eq(trials.v[0].point.n_queries, 3);
    trials_release(&trials);
}
END_TEST

// A result that says nothing neither meets nor misses a target, and has no number.
START_TEST(nothing_is_unsure)
{
    struct measure_result nothing = measure_nothing();
    ck_assert_int_eq(measure_overall(&nothing), VERDICT_UNSURE);
    ck_assert(isnan(nothing.latency_s) && isnan(nothing.late_frac) && isnan(nothing.power_w));
    ck_assert_uint_eq(nothing.n_queries, 0);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", worst_decides},       {"core", names},
        {"core", trials_in_order},     {"core", trials_appended},
        {"limits", nothing_is_unsure}, {"limits", trials_filled_again}};
    return suite_run("measure", tests, sizeof tests / sizeof *tests);
}
