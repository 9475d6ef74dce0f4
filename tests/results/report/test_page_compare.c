// SPDX-License-Identifier: Apache-2.0
#include "results/report/page_compare.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/fixture_capacity.h"
#include "results/file/fixture_sweep.h"
#include "results/report/shown.h"
#include "support/suite.h"

// Runs of these levels (fixture_sweep.h), called 0.h5 and so on, of no common traffic.
static char *page_of(const double *levels, uint32_t n, int format)
{
    struct compare_sides sides = {0};
    struct shown shown;
    struct err err = {0};
    for (uint32_t i = 0; i < n; i++) {
        struct run_result *run = fixture_load(levels[i], 1, 1);
        mem_free(run->path);
        run->path = mem_printf("%u.h5", i);
        mem_free(run->meta->policy);
        run->meta->policy = mem_printf("policy<%u>", i);
        compare_side_add_run(&sides, run);
        run_result_destroy(run);
    }
    struct compare *c = compare_create(&sides, NULL, &err);
    ck_assert_msg(c != NULL, "%s", err.text);
    struct report_out *out = shown_open(&shown);
    out->format = format;
    page_compare_print(out, c, NULL, 0);
    compare_destroy(c);
    compare_side_release(&sides);
    return shown_text(&shown);
}

// Of two the numbers are counted: everything of the second is twice the first's, with intervals of
// a percent, so all is told apart; of them served and goodput are better, and no QPS/W. In the
// picture twice is 100 % more, with a half-width of sqrt(1 + 4) % in the units of the first.
START_TEST(two)
{
    char *text = page_of((const double[]){10, 20}, 2, REPORT_HTML);
    const char *const wanted[] = {
        "B (policy=policy&lt;1&gt;) is better than A (policy=policy&lt;0&gt;) in ",
        "<figure id=\"differences\">", "no difference", "<h2 id=\"tables\">", "</html>"};
    shown_has(text, wanted, sizeof wanted / sizeof *wanted);
    ck_assert_ptr_null(strstr(text, "nan"));
    ck_assert_ptr_null(strstr(text, "policy<0>"));
    ck_assert_uint_lt(strlen(text), 300000);
    mem_free(text);
    text = page_of((const double[]){10, 20}, 2, REPORT_CSV);
    const char *line = strstr(text, "\ndifferences,");
    int n = 0;
    for (; line && strncmp(line, "\ndifferences,", 13) == 0; line = strchr(line + 1, '\n')) {
        double percent, from, to;
        const char *at = strstr(line, "),");
        ck_assert_int_eq(sscanf(at, "),%lf,%*[^,],%lf,%lf", &percent, &from, &to), 3);
        ck_assert(fabs(percent - 100) < 1e-9 || fabs(percent) < 1e-9); // power is the same
        if (percent > 50)
            ck_assert_double_eq_tol((to - from) / 2, sqrt(5), 0.3);
        n++;
    }
    ck_assert_int_ge(n, 8);
    mem_free(text);
}
END_TEST

// Of several the one with the lowest p95 is named, with its number and the baseline's; every side
// has a row of its numbers.
START_TEST(many)
{
    char *text = page_of((const double[]){10, 20, 8, 5}, 4, REPORT_MD);
    const char *const wanted[] = {"of 3 compared with their baseline, 2 are better, 1 worse and 0 "
                                  "not distinguishable; the largest gain: D "};
    shown_has(text, wanted, 1);
    mem_free(text);
    text = page_of((const double[]){10, 20, 8, 5}, 4, REPORT_CSV);
    int n = 0;
    for (const char *at = text; (at = strstr(at, "\nresults,")); at++)
        n++;
    ck_assert_int_eq(n, 4);
    mem_free(text);
}
END_TEST

// More sides than a picture tells apart have a row each, for the number that says most.
START_TEST(very_many)
{
    double levels[30];
    for (int i = 0; i < 30; i++)
        levels[i] = 10 + i;
    char *text = page_of(levels, 30, REPORT_CSV);
    int n = 0;
    for (const char *at = text; (at = strstr(at, "\ndifferences,")); at++)
        n++;
    ck_assert_int_eq(n, PAGE_COMPARE_ROWS);
    mem_free(text);
}
END_TEST

// What has no p95 is led by its first number: servers of a capacity search.
START_TEST(other_numbers)
{
    struct capacity_result *s = fixture_capacity_sizes();
    struct compare_sides sides = {0};
    struct shown shown;
    struct err err = {0};
    compare_side_add_capacity(&sides, "c.h5", s);
    struct compare *c = compare_create(&sides, "type=skylake", &err);
    struct report_out *out = shown_open(&shown);
    out->format = REPORT_HTML;
    page_compare_print(out, c, NULL, 0);
    char *text = shown_text(&shown);
    shown_has(text, (const char *const[]){"a comparison by recfleet, with type=skylake"}, 1);
    ck_assert_ptr_null(strstr(text, "nan"));
    mem_free(text);
    compare_destroy(c);
    compare_side_release(&sides);
    capacity_result_destroy(s);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", two}, {"core", many}, {"core", other_numbers}, {"limits", very_many}};
    return suite_run("page_compare", tests, sizeof tests / sizeof *tests);
}
