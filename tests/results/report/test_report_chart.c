// SPDX-License-Identifier: Apache-2.0
#include "results/report/report_chart.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "results/report/shown.h"
#include "support/suite.h"

// Programs get a line per point, names for numbers of names, and the interval where there is one.
START_TEST(table_behind)
{
    struct shown shown;
    struct report_out *out = shown_open(&shown);
    out->format = REPORT_CSV;
    struct chart *c = chart_create("time", "t");
    chart_axis_x(c, SCALE_LINEAR, "mean", "ms");
    chart_axis_y(c, 0, SCALE_NAMES, "part", "");
    chart_axis_names(&c->panels[0].y, (const char *const[]){"wait", "service"}, 2);
    uint32_t s = chart_series(c, 0, CHART_BARS, "feed");
    chart_add_ci(c, s, 1.25, 0, 0.5);
    chart_add(c, s, NAN, 1);
    chart_rule(c, 0, CHART_RULE_X, "target", 9);
    report_chart(out, c);
    char *text = shown_text(&shown);
    ck_assert_str_eq(text, "table,series,\"mean, ms\",part,from,to\n"
                           "time,feed,1.25,wait,0.75,1.75\n"
                           "time,feed,,service,,\n");
    mem_free(text);
}
END_TEST

static int n_lines_of(int format, uint32_t n_points, bool *says_more)
{
    struct shown shown;
    struct report_out *out = shown_open(&shown);
    out->format = format;
    struct chart *c = chart_create("many", "t");
    uint32_t s = chart_series(c, 0, CHART_LINE, "a");
    for (uint32_t i = 0; i < n_points; i++)
        chart_add(c, s, i, i);
    report_chart(out, c);
    char *text = shown_text(&shown);
    int n = shown_lines(text);
    *says_more = strstr(text, "and 100 more") != NULL;
    mem_free(text);
    return n;
}

// People get so many rows and a count of the rest, programs all; a picture has what can be seen.
START_TEST(many)
{
    bool more;
    ck_assert_int_eq(n_lines_of(REPORT_CSV, REPORT_CHART_ROWS + 100, &more),
                     1 + REPORT_CHART_ROWS + 100);
    ck_assert(!more);
    n_lines_of(REPORT_HTML, REPORT_CHART_ROWS + 100, &more);
    ck_assert(more);
    n_lines_of(REPORT_HTML, REPORT_CHART_ROWS, &more);
    ck_assert(!more);
}
END_TEST

// Nothing known: no picture, no table, in any form.
START_TEST(nothing)
{
    for (int format = 0; format < N_REPORT_FORMATS; format++) {
        struct shown shown;
        struct report_out *out = shown_open(&shown);
        out->format = format;
        struct chart *c = chart_create("x", "t");
        chart_add(c, chart_series(c, 0, CHART_LINE, "a"), 1, NAN);
        report_chart(out, c);
        char *text = shown_text(&shown);
        ck_assert_str_eq(text, "");
        mem_free(text);
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", table_behind}, {"limits", many}, {"limits", nothing}};
    return suite_run("report_chart", tests, sizeof tests / sizeof *tests);
}
