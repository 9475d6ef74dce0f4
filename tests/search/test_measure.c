// SPDX-License-Identifier: Apache-2.0
#include "search/measure.h"

#include "support/suite.h"

// Points come back in the order in which they were added, over several growths.
START_TEST(trials_in_order)
{
    struct trials trials = {0};
    struct measurement result = measurement_none(VERDICT_UNSURE);
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
    struct measurement result = measurement_none(VERDICT_UNSURE);
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
    struct measurement result = measurement_none(VERDICT_UNSURE);
    trials_add(&trials, &point, &result);
    trials_release(&trials);
    ck_assert_uint_eq(trials.n, 0);
    trials_add(&trials, &point, &result);
    ck_assert_uint_eq(trials.v[0].point.n_queries, 3);
    trials_release(&trials);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", trials_in_order}, {"core", trials_appended}, {"limits", trials_filled_again}};
    return suite_run("measure", tests, sizeof tests / sizeof *tests);
}
