// SPDX-License-Identifier: Apache-2.0
#include "results/report/tuning_totals.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/fixture_tuning.h"
#include "support/suite.h"

static struct tuning_totals totals_of(const struct tuning_result *tuning, uint32_t policy)
{
    struct tuning_rows v = tuning_rows_of(tuning);
    return tuning_totals_of(&v, policy);
}

static char *text_of(const struct tuning_result *tuning)
{
    struct tuning_rows v = tuning_rows_of(tuning);
    char *text = NULL;
    size_t n = 0;
    struct report_out out = {.file = open_memstream(&text, &n)};
    tuning_totals_print(&out, &v);
    fclose(out.file);
    return text;
}

// Only points with an answer under both policies count, and the means are as printed.
START_TEST(summary)
{
    struct tuning_result *t = fixture_tuning(1);
    // Gains 2 and 8 and 2: arithmetic mean 4, geometric 32^(1/3) = 3.17.
    tuning_result_outcome_at(t, 1, 1)->qps *= 4;
    char *text = text_of(t);
    const char *const wanted[] = {
        "deeprecsched       4/4    4.00         3.17     2.00    8.00     2.00         3/3",
        "static             3/4    1.00         1.00     1.00    1.00     1.00         0/3",
        "deeprecsched           4/4          4/4       96       10.0   960     19.20       10.0"};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        ck_assert_msg(strstr(text, wanted[i]) != NULL, "no '%s' in\n%s", wanted[i], text);
    mem_free(text);
    tuning_result_destroy(t);
}
END_TEST

// The fixture's gains are all 2, without rounding; 1 % below exhaustive is near enough, static's
// half of it is not.
START_TEST(sums)
{
    struct tuning_result *t = fixture_tuning(1);
    struct tuning_totals s = totals_of(t, 1), base = totals_of(t, 0);
    ck_assert_uint_eq(s.n_points, 4);
    ck_assert_uint_eq(s.n_found, 4);
    ck_assert_uint_eq(s.n_gains, 3); // static has no answer at the last point
    ck_assert(s.gain_least == 2 && s.gain_most == 2 && s.gain_sum == 6);
    ck_assert_uint_eq(s.n_gaps, 3);
    ck_assert_uint_eq(s.n_close, 3);
    ck_assert_uint_eq(base.n_close, 0);
    tuning_result_destroy(t);
}
END_TEST

// Nothing known: no sum, and no "nan" on the page.
START_TEST(nothing)
{
    struct tuning_result *t = tuning_result_create(0, 2, 1);
    t->policies[0] = mem_strdup("x");
    struct tuning_totals s = totals_of(t, 0);
    ck_assert_uint_eq(s.n_found, 0);
    ck_assert_uint_eq(s.n_gains, 0);
    char *text = text_of(t);
    ck_assert_ptr_null(strstr(text, "nan"));
    ck_assert_ptr_nonnull(strstr(text, "0/2"));
    mem_free(text);
    tuning_result_destroy(t);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", summary}, {"core", sums}, {"limits", nothing}};
    return suite_run("tuning_totals", tests, sizeof tests / sizeof *tests);
}
