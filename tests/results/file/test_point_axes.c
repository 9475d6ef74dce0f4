// SPDX-License-Identifier: Apache-2.0
#include "results/file/point_axes.h"

#include <string.h>

#include "results/file/sweep_layout.h"
#include "support/suite.h"

// One axis of the given name and labels, as it stands in the file.
static struct point_axis *view_of(struct sweep_result **p, const char *name,
                                  const char *const *labels, uint32_t n)
{
    *p = sweep_result_create(1, 1);
    sweep_result_set_axis(*p, 0, name, labels, n);
    return point_axes_create(*p, &sweep_layout_names);
}

static void is_called(const char *axis, const char *variable)
{
    struct sweep_result *p;
    struct point_axis *view = view_of(&p, axis, (const char *const[]){"a"}, 1);
    ck_assert_str_eq(view[0].variable, variable);
    point_axes_destroy(view, 1);
    sweep_result_destroy(p);
}

// Names that axes often have are theirs.
START_TEST(usual_names)
{
    const char *const names[] = {"policy", "seed",  "model",   "platform", "servers",
                                 "rate",   "batch", "service", "group",    "replication"};
    for (size_t i = 0; i < 7; i++)
        is_called(names[i], names[i]);
    is_called(names[9], "replication");
    is_called("service", "axis_service"); // a dimension of the file
}
END_TEST

// Names that the file has, alone or with something behind them, and what cannot stand in it.
START_TEST(taken_names)
{
    is_called("state", "axis_state");
    is_called("served_qps_half_95", "axis_served_qps_half_95");
    is_called("component_util_frac", "axis_component_util_frac");
    is_called("note", "axis_note");
    is_called("run", "axis_run");
    is_called("", "axis");
    is_called("rate qps/µ", "rate_qps___");
    is_called("2x", "axis_2x");
}
END_TEST

// Two axes never share a variable, nor does one have the other's numbers' name.
START_TEST(apart)
{
    const char *const one[] = {"1"};
    const char *const names[] = {"rate", "rate_value", "rate", "x_value", "x"};
    struct sweep_result *p = sweep_result_create(5, 1);
    for (uint32_t a = 0; a < 5; a++)
        sweep_result_set_axis(p, a, names[a], one, 1);
    struct point_axis *view = point_axes_create(p, &sweep_layout_names);
    ck_assert_str_eq(view[0].variable, "rate");
    ck_assert_str_eq(view[1].variable, "axis_rate_value");
    ck_assert_str_eq(view[2].variable, "axis_axis_rate"); // axis_rate_value is the one before
    ck_assert_str_eq(view[3].variable, "x_value");
    ck_assert_str_eq(view[4].variable, "axis_x");
    point_axes_destroy(view, 5);
    sweep_result_destroy(p);
}
END_TEST

// Plain decimal numbers are numbers, if all labels are.
START_TEST(numbers)
{
    const char *const labels[] = {"100", "-2.5e3", ".5"};
    struct sweep_result *p;
    struct point_axis *view = view_of(&p, "servers", labels, 3);
    ck_assert_str_eq(view[0].value_variable, "servers_value");
    ck_assert_double_eq(view[0].numbers[0], 100);
    ck_assert_double_eq(view[0].numbers[1], -2500);
    ck_assert_double_eq(view[0].numbers[2], 0.5);
    point_axes_destroy(view, 1);
    sweep_result_destroy(p);
}
END_TEST

// So are quantities of one unit, in SI.
START_TEST(quantities)
{
    static const struct {
        const char *labels[2], *units;
        double numbers[2];
    } cases[] = {{{"9kqps", "10500qps"}, "s-1", {9000, 10500}},
                 {{"0", "25ms"}, "s", {0, 0.025}},
                 {{"5%", "50%"}, "1", {0.05, 0.5}},
                 {{"1kW", "350W"}, "W", {1000, 350}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sweep_result *p;
        struct point_axis *view = view_of(&p, "rate", cases[i].labels, 2);
        ck_assert_msg(view[0].numbers != NULL, "%s", cases[i].labels[0]);
        ck_assert_str_eq(view[0].units, cases[i].units);
        ck_assert_double_eq(view[0].numbers[0], cases[i].numbers[0]);
        ck_assert_double_eq(view[0].numbers[1], cases[i].numbers[1]);
        point_axes_destroy(view, 1);
        sweep_result_destroy(p);
    }
}
END_TEST

// Two units, nothing, infinity, other bases and words are not.
START_TEST(no_numbers)
{
    const char *const labels[] = {"9000qps", "", "inf", "nan", "0x10", "1e999", " 1", "e", "1-2"};
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        struct sweep_result *p;
        struct point_axis *view = view_of(&p, "servers", (const char *const[]){"1", labels[i]}, 2);
        ck_assert_msg(!view[0].numbers && !view[0].value_variable, "'%s'", labels[i]);
        point_axes_destroy(view, 1);
        sweep_result_destroy(p);
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", usual_names}, {"core", numbers},
                                       {"core", quantities},  {"limits", taken_names},
                                       {"limits", apart},     {"errors", no_numbers}};
    return suite_run("point_axes", tests, sizeof tests / sizeof *tests);
}
