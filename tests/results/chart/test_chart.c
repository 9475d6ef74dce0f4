// SPDX-License-Identifier: Apache-2.0
#include "results/chart/chart.h"

#include <math.h>

#include "base/mem.h"
#include "support/suite.h"

// Axes hold all points with their intervals and what is drawn across, but not what another panel
// has.
START_TEST(scales)
{
    struct chart *c = chart_create("x", "title");
    uint32_t below = chart_panel(c, "below");
    chart_axis_x(c, SCALE_LINEAR, "load", "qps");
    uint32_t a = chart_series(c, 0, CHART_LINE, "a"), b = chart_series(c, below, CHART_LINE, "b");
    chart_add_ci(c, a, 10, 4, 3);
    chart_add(c, a, 20, 5);
    chart_add(c, b, 30, 400);
    chart_rule(c, 0, CHART_RULE_Y, "target", 19);
    chart_rule(c, 0, CHART_RULE_X, "here", NAN); // nothing
    struct scale x = chart_scale_x(c, 5), y = chart_scale_y(c, 0, 5),
                 z = chart_scale_y(c, below, 5);
    ck_assert(x.from == 10 && x.to == 30);
    ck_assert(y.from == 0 && y.to == 20);
    ck_assert(z.from <= 400 && z.to >= 400 && z.to < 1000);
    ck_assert_uint_eq(c->n_series, 3);
    chart_axis_range(&c->panels[0].y, 2, NAN);
    y = chart_scale_y(c, 0, 5);
    ck_assert(y.from == 2 && y.to == 20);
    char *title = chart_axis_title(&c->x);
    ck_assert_str_eq(title, "load, qps");
    mem_free(title);
    chart_destroy(c);
}
END_TEST

// Series of one name have one colour; bars begin at zero; names are rows from the first to the
// last.
START_TEST(series)
{
    struct chart *c = chart_create("x", "title");
    chart_axis_names(&c->panels[0].y, (const char *const[]){"one", "two", "three"}, 3);
    uint32_t a = chart_series(c, 0, CHART_BARS, "a"), b = chart_series(c, 0, CHART_BARS, "b");
    uint32_t again = chart_series(c, 0, CHART_POINTS, "a");
    ck_assert_uint_eq(c->series[a].colour, c->series[again].colour);
    ck_assert_uint_ne(c->series[a].colour, c->series[b].colour);
    ck_assert(!chart_has_points(c));
    chart_add_ci(c, a, 7, 0, 2);
    ck_assert(chart_has_points(c) && chart_is_flat(c, 0));
    struct scale x = chart_scale_x(c, 5), y = chart_scale_y(c, 0, 5);
    ck_assert(x.from == 0 && x.to >= 9 && x.to <= 10);
    ck_assert(y.from == -0.5 && y.to == 2.5);
    chart_destroy(c);
    chart_destroy(NULL);
}
END_TEST

// Colours over three decades: the middle one is half as dark only by its logarithm. What has a
// zero among it has no logarithm.
START_TEST(colours)
{
    struct chart *c = chart_create("x", "cells");
    uint32_t s = chart_series(c, 0, CHART_CELLS, "cells");
    struct scale none = chart_scale_z(c);
    ck_assert(isnan(none.from) && chart_shade(&none, 1) == 0.5 && !chart_is_wide(c));
    const double values[] = {1, 31.6227766, 1000, NAN};
    for (int i = 0; i < 4; i++)
        chart_point(c, s, (struct chart_point){i, 0, i, i + 1, values[i]});
    struct scale linear = chart_scale_z(c);
    ck_assert_double_eq_tol(chart_shade(&linear, values[1]), 30.6227766 / 999, 1e-9);
    ck_assert(chart_is_wide(c));
    c->z_kind = SCALE_LOG;
    struct scale log = chart_scale_z(c);
    ck_assert_double_eq_tol(chart_shade(&log, values[1]), 0.5, 1e-8);
    ck_assert_double_eq(chart_shade(&log, 1000), 1);
    chart_point(c, s, (struct chart_point){4, 0, 4, 5, 0});
    ck_assert_int_eq(chart_scale_z(c).kind, SCALE_LINEAR);
    chart_destroy(c);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", scales}, {"core", series}, {"core", colours}};
    return suite_run("chart", tests, sizeof tests / sizeof *tests);
}
