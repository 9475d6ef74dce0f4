// SPDX-License-Identifier: Apache-2.0
#include "results/chart/chart_term.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "support/suite.h"

static char *drawn(const struct chart *c)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    chart_term_write(c, out);
    fclose(out);
    char *copy = mem_strdup(text);
    free(text);
    return copy;
}

// A line from corner to corner, and where it must be.
START_TEST(line)
{
    struct chart *c = chart_create("x", "A line");
    chart_axis_x(c, SCALE_LINEAR, "load", "qps");
    chart_axis_y(c, 0, SCALE_LINEAR, "p95", "ms");
    uint32_t s = chart_series(c, 0, CHART_LINE, "up");
    chart_add(c, s, 0, 0);
    chart_add(c, s, 10, 20);
    chart_rule(c, 0, CHART_RULE_Y, "target", 20);
    char *text = drawn(c);
    ck_assert_int_eq(strncmp(text, "A line\n  a up   - target\n  p95, ms\n          20 |---", 51),
                     0);
    ck_assert_ptr_nonnull(strstr(text, "\n           0 |aa"));
    ck_assert_ptr_nonnull(strstr(text, "load, qps\n"));
    ck_assert_ptr_nonnull(strstr(text, "-aa\n")); // the end of the line, at the target
    for (const char *p = text; *p; p++)
        ck_assert(*p == '\n' || (*p >= ' ' && *p <= '~'));
    mem_free(text);
    chart_destroy(c);
}
END_TEST

// A line to infinity goes up to the first row.
START_TEST(beyond)
{
    struct chart *c = chart_create("x", "A line");
    chart_axis_range(&c->panels[0].y, 0, 10);
    uint32_t s = chart_series(c, 0, CHART_LINE, "up");
    chart_add(c, s, 0, 0);
    chart_add(c, s, 1, INFINITY);
    char *text = drawn(c);
    ck_assert_ptr_nonnull(strstr(text, "          10 | "));
    const char *first = strstr(text, "          10 |"), *a = strchr(first, 'a');
    ck_assert(a && a < strchr(first, '\n'));
    mem_free(text);
    chart_destroy(c);
}
END_TEST

// Bars along x are as long as they should be beside each other.
START_TEST(bars)
{
    struct chart *c = chart_create("x", "Bars");
    chart_axis_x(c, SCALE_LINEAR, "time", "ms");
    chart_axis_names(&c->panels[0].y, (const char *const[]){"one", "two"}, 2);
    uint32_t s = chart_series(c, 0, CHART_BARS, "feed");
    chart_add(c, s, 5, 0);
    chart_add(c, s, 10, 1);
    chart_add(c, s, NAN, 1);
    char *text = drawn(c), *one = strstr(text, "one "), *two = strstr(text, "two ");
    ck_assert_ptr_nonnull(one);
    ck_assert_ptr_nonnull(two);
    one = strchr(one, '#');
    two = strchr(two, '#');
    ck_assert_uint_eq(strspn(two, "#"), 2 * strspn(one, "#"));
    ck_assert_ptr_nonnull(strstr(two, "# 10\n"));
    mem_free(text);
    chart_destroy(c);
}
END_TEST

// The more, the darker; each cell as wide as it is.
START_TEST(cells)
{
    struct chart *c = chart_create("x", "Cells");
    chart_axis_range(&c->x, 0, 2);
    chart_axis_names(&c->panels[0].y, (const char *const[]){"row"}, 1);
    uint32_t s = chart_series(c, 0, CHART_CELLS, "cells");
    chart_point(c, s, (struct chart_point){0, 0, 0, 1, 0.1});
    chart_point(c, s, (struct chart_point){1, 0, 1, 2, 0.9});
    char *text = drawn(c), *row = strstr(text, "row |");
    ck_assert_ptr_nonnull(row);
    ck_assert_uint_eq(strspn(row + 5, " "), 29);
    ck_assert_uint_eq(strspn(row + 34, "@"), 29);
    mem_free(text);
    chart_destroy(c);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", line}, {"core", beyond}, {"core", bars}, {"core", cells}};
    return suite_run("chart_term", tests, sizeof tests / sizeof *tests);
}
