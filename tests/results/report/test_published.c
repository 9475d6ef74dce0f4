// SPDX-License-Identifier: Apache-2.0
#include "results/report/published.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/fixture_tuning.h"
#include "results/report/shown.h"
#include "support/suite.h"

// Of the fixture's four points, two targets by two servers, deeprecsched over static.
static struct published_row *add(struct published *p, const char *figure, double value)
{
    struct published_row *row = published_add(p);
    row->figure = mem_strdup(figure);
    row->source = mem_strdup("a <paper>");
    row->policy = 1;
    row->baseline = 0;
    row->value = value;
    return row;
}

// 2000 and 6000 queries per second over the 1000 of the first target: 2 and 6 times, whose means
// are 4 and the root of 12, each rate up to 1 % more.
START_TEST(means)
{
    struct tuning_result *t = fixture_tuning(1);
    struct published *p = published_create("x.csv", t->grid.n_axes);
    struct published_row *row = add(p, "f", 3);
    row->at[2] = 0;
    row->baseline_at[1] = 0;
    struct published_mean m = published_mean_of(row, t);
    ck_assert_uint_eq(m.n, 2);
    ck_assert_uint_eq(m.n_all, 2);
    ck_assert_double_eq_tol(m.arithmetic, 4, 1e-12);
    ck_assert_double_eq_tol(m.arithmetic_low, 4 / 1.01, 1e-12);
    ck_assert_double_eq_tol(m.arithmetic_high, 4 * 1.01, 1e-12);
    ck_assert_double_eq_tol(m.geometric, sqrt(12), 1e-12);
    ck_assert_double_eq_tol(m.geometric_low, sqrt(12) / 1.01, 1e-12);
    ck_assert_double_eq_tol(m.geometric_high, sqrt(12) * 1.01, 1e-12);
    row->quantity = PUBLISHED_QUERIES_PER_J;
    m = published_mean_of(row, t);
    ck_assert_double_eq_tol(m.arithmetic, 4, 1e-12);
    ck_assert(isnan(m.arithmetic_low) && isnan(m.geometric_high));
    row->baseline = -1;
    ck_assert_double_eq_tol(published_mean_of(row, t).arithmetic, (2000 + 6000) / 600.0, 1e-9);
    published_destroy(p);
    tuning_result_destroy(t);
}
END_TEST

// A point counts where both have an answer that is known to half of it; without any there is no
// mean.
START_TEST(left_out)
{
    struct tuning_result *t = fixture_tuning(1);
    struct published *p = published_create("x.csv", t->grid.n_axes);
    struct published_row *row = add(p, "f", 3);
    struct published_mean m = published_mean_of(row, t);
    ck_assert(m.n == 3 && m.n_all == 4); // static has no answer at the last
    tuning_result_outcome_at(t, 1, 1)->missed_qps = 1.51 * 4000;
    tuning_result_outcome_at(t, 2, 0)->missed_qps = NAN;
    m = published_mean_of(row, t);
    ck_assert(m.n == 1 && m.n_all == 4);
    row->at[2] = 1;
    m = published_mean_of(row, t);
    ck_assert(m.n == 0 && m.n_all == 2 && isnan(m.arithmetic) && isnan(m.geometric));
    published_destroy(p);
    tuning_result_destroy(t);
}
END_TEST

// A picture for each figure, with the labels that tell its rows apart; what is known of a mean is
// its whisker; the file is there as it is, line by line.
START_TEST(shown_in_all_forms)
{
    struct tuning_result *t = fixture_tuning(1);
    struct published *p = published_create("some/where/x.csv", t->grid.n_axes);
    p->text = mem_strdup("# <b>\nfigure\n");
    p->n_left_out = 1;
    for (uint32_t target = 0; target < 2; target++)
        add(p, "both", 3 + target)->at[1] = target;
    struct published_row *row = add(p, "power", 2);
    row->quantity = PUBLISHED_QUERIES_PER_J;
    row->at[2] = 0;
    struct shown shown;
    struct report_out *out = shown_open(&shown);
    out->format = REPORT_CSV;
    published_print(out, p, t);
    char *csv = shown_text(&shown);
    const char *const rows[] = {
        "published-0,published,3,low,,\npublished-0,published,4,medium,,\n",
        "\npublished-0,\"here, arithmetic mean\",2,low,1.98019801980198,2.02\n",
        "\npublished-0,\"here, geometric mean\",2,medium,1.98019801980198,2.02\n",
        "\npublished-1,\"here, arithmetic mean\",2,skylake\n",
        "published,both,low,a <paper>,3,2,1.98019801980198,2.02,2,-33.3333333333333,2,2\n"};
    shown_has(csv, rows, sizeof rows / sizeof *rows);
    out = shown_open(&shown);
    out->format = REPORT_HTML;
    published_print(out, p, t);
    char *html = shown_text(&shown);
    const char *const parts[] = {"id=\"published-0\"", "id=\"published-1\"", "a &lt;paper&gt;",
                                 "<summary>x.csv</summary>\n<pre># &lt;b&gt;\nfigure\n</pre>",
                                 "1 of the 4 rows of some/where/x.csv"};
    shown_has(html, parts, sizeof parts / sizeof *parts);
    ck_assert_ptr_null(strstr(html, "nan"));
    mem_free(csv);
    mem_free(html);
    published_destroy(p);
    tuning_result_destroy(t);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", means}, {"core", shown_in_all_forms}, {"limits", left_out}};
    return suite_run("published", tests, sizeof tests / sizeof *tests);
}
