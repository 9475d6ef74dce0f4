// SPDX-License-Identifier: Apache-2.0
#include "results/report/report_tuning.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/fixture_tuning.h"
#include "results/report/shown.h"
#include "support/suite.h"

static char *report_of(const struct tuning_result *tuning)
{
    char *text = NULL;
    size_t n = 0;
    struct report_out out = {.file = open_memstream(&text, &n)};
    report_tuning_print(&out, tuning);
    fclose(out.file);
    return text;
}

// Of few points everything is said, a line per point and policy in each table.
START_TEST(few_points)
{
    struct tuning_result *t = fixture_tuning(2);
    char *text = report_of(t);
    const char *const wanted[] = {
        "study grid",
        "p95 is within its target, p99 within 2 times it",
        "model  target  platform       policy        B items  T items     held QPS  missed QPS",
        "rmc1   low     cpu + gpu, ti  deeprecsched      251      320         4000        4040    "
        "2.00    1.0  13.33\n",
        "rmc1   low     skylake        static             25        -         1000        1010    "
        "1.00   50.5  3.333\n",
        "24.75 ±0.12",
        "32.50 ±0.50",
        "choices",
        "bounded",
        "Mqueries"};
    shown_has(text, wanted, sizeof wanted / sizeof *wanted);
    shown_tidy(text, 120);
    mem_free(text);
    tuning_result_destroy(t);
}
END_TEST

// Of a tuning that was stopped the outcomes that there are, and no totals over what differs.
START_TEST(stopped)
{
    struct tuning_result *t = fixture_tuning(2);
    char *text = report_of(t);
    ck_assert_ptr_nonnull(strstr(text, "\nrmc1   low     skylake        static "));
    size_t n = strlen(text);
    mem_free(text);
    for (uint32_t p = 0; p < t->n_policies; p++)
        *tuning_result_outcome_at(t, t->grid.n_points - 1, p) = tuning_result_outcome_none();
    *tuning_result_outcome_at(t, 0, 1) = tuning_result_outcome_none();
    text = report_of(t);
    ck_assert_uint_lt(strlen(text), n);
    int n_lines = 0;
    for (size_t at = 0; text[at]; at++)
        for (uint32_t i = 0; text[at] == '\n' && i < t->grid.axes[0].n_labels; i++) {
            const char *label = t->grid.axes[0].labels[i];
            n_lines += strncmp(text + at + 1, label, strlen(label)) == 0;
        }
    // The answer, the evidence and the cost of each that is done.
    ck_assert_int_eq(n_lines, 3 * (int)((t->grid.n_points - 1) * t->n_policies - 1));
    ck_assert_ptr_null(strstr(text, "nan"));
    mem_free(text);
    tuning_result_destroy(t);
}
END_TEST

// A point without an answer says what it wanted and what would be the least.
START_TEST(unreachable)
{
    struct tuning_result *t = fixture_tuning(1);
    tuning_result_outcome_at(t, 3, 1)->state = TUNING_UNREACHABLE; // its floor_s is not known
    tuning_result_outcome_at(t, 3, 0)->at_qps.stable =
        VERDICT_MET; // as one that was never filled in
    char *text = report_of(t);
    const char *const wanted[] = {
        "unreachable, model=rmc1, target=medium, platform=cpu + gpu, ti:\n"
        "    static: target 25.00 ms below the latency floor 31.10 ms\n"
        "    deeprecsched: target 25.00 ms missed at any rate\n"
        "    exhaustive: target 25.00 ms missed at any rate, latency floor 20.10 ms\n",
        "25.00             -             -       -    -       -     -     -\n"};
    shown_has(text, wanted, sizeof wanted / sizeof *wanted);
    ck_assert_ptr_null(strstr(text, "nan"));
    mem_free(text);
    tuning_result_destroy(t);
}
END_TEST

// Many points get a line each, with a mark on rates that fresh draws do not bear out.
START_TEST(many_points)
{
    struct tuning_result *t = fixture_tuning(4);
    tuning_result_outcome_at(t, 0, 1)->confirmed = VERDICT_MISSED;
    tuning_result_outcome_at(t, 1, 1)->confirmed_over = VERDICT_UNSURE;
    char *text = report_of(t);
    const char *const wanted[] = {
        "rmc1   low     skylake               25     1000        251/320   2000!    2.00    1.0  ",
        "rmc1   low     cpu + gpu, ti         25     2000        251/320   4000?    2.00    1.0  ",
        "unreach.", "deeprecsched"};
    shown_has(text, wanted, sizeof wanted / sizeof *wanted);
    ck_assert_ptr_null(strstr(text, "Mqueries  wall s\nmodel"));
    shown_tidy(text, 120);
    mem_free(text);
    tuning_result_destroy(t);
}
END_TEST

// What a policy claims, and what it held elsewhere, is shown when it is something else.
START_TEST(rare_columns)
{
    struct tuning_result *t = fixture_tuning(1);
    char *plain = report_of(t);
    ck_assert_ptr_null(strstr(plain, "claims"));
    ck_assert_ptr_null(strstr(plain, "tuned QPS"));
    tuning_result_outcome_at(t, 0, 1)->claimed_qps = 31415;
    tuning_result_outcome_at(t, 0, 2)->tuned_qps = 27182;
    t->sla_quantile = 0.9;
    char *text = report_of(t);
    const char *const wanted[] = {"claims QPS", "31415", "tuned QPS", "27182", "p90 ms"};
    shown_has(text, wanted, sizeof wanted / sizeof *wanted);
    shown_tidy(text, 120);
    mem_free(plain);
    mem_free(text);
    tuning_result_destroy(t);
}
END_TEST

// Labels too long for a column are listed once, and points go by number.
START_TEST(long_labels)
{
    struct tuning_result *t = fixture_tuning(4);
    mem_free(t->grid.axes[0].labels[1]);
    t->grid.axes[0].labels[1] = mem_strdup("a model with quite a long name");
    char *text = report_of(t);
    const char *const wanted[] = {
        "point 5: model=a model with quite a long name, target=low, platform=cpu + gpu, ti\n",
        "\n5             25     6000 "};
    shown_has(text, wanted, sizeof wanted / sizeof *wanted);
    shown_tidy(text, 120);
    mem_free(text);
    tuning_result_destroy(t);
}
END_TEST

// One point, one policy, no axes, and even nothing known of it.
START_TEST(least)
{
    struct tuning_result *t = fixture_tuning_least(), *nothing = tuning_result_create(0, 1, 1);
    char *text = report_of(t);
    const char *const wanted[] = {"\nfixed       251      320      1234        1246    1.00"};
    shown_has(text, wanted, 1);
    ck_assert_ptr_null(strstr(text, "over all points"));
    ck_assert_ptr_null(strstr(text, "exhaustive"));
    shown_tidy(text, 120);
    nothing->policies[0] = mem_strdup("x");
    nothing->sla_quantile = 0.95;
    char *empty = report_of(nothing);
    shown_tidy(empty, 120);
    mem_free(empty);
    mem_free(text);
    tuning_result_destroy(nothing);
    tuning_result_destroy(t);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", few_points},   {"core", stopped},
                                       {"core", unreachable},  {"core", many_points},
                                       {"core", rare_columns}, {"limits", long_labels},
                                       {"limits", least}};
    return suite_run("report_tuning", tests, sizeof tests / sizeof *tests);
}
