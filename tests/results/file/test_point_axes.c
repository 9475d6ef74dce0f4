// SPDX-License-Identifier: Apache-2.0
#include "results/file/point_axes.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "support/suite.h"

// Points are called by their labels; a line's end in a text becomes a blank.
START_TEST(names)
{
    struct point_axes grid = point_axes_create(2, 4), none = point_axes_create(0, 1);
    point_axes_set(&grid, 0, "policy", (const char *const[]){"random", "power\nof 2"}, 2);
    point_axes_set(&grid, 1, "rate", (const char *const[]){"1kqps", "2kqps"}, 2);
    grid.values[3 * 2] = grid.values[3 * 2 + 1] = 1;
    char *name = point_axes_name(&grid, 3, ", "), *nothing = point_axes_name(&none, 0, ",");
    ck_assert_str_eq(name, "policy=power of 2, rate=2kqps");
    ck_assert_str_eq(point_axes_label(&grid, 0, 1), "1kqps");
    ck_assert_str_eq(nothing, "");
    mem_free(name);
    mem_free(nothing);
    point_axes_set(&grid, 1, "other", (const char *const[]){"x", "y"}, 2); // instead
    ck_assert_str_eq(point_axes_label(&grid, 3, 1), "y");
    point_axes_release(&grid);
    point_axes_release(&none);
    point_axes_release(&none);
}
END_TEST

// For people: what differs, without the names that words do not need.
START_TEST(short_names)
{
    struct point_axes grid = point_axes_create(3, 2);
    point_axes_set(&grid, 0, "policy", (const char *const[]){"random", "jsq"}, 2);
    point_axes_set(&grid, 1, "servers", (const char *const[]){"4", "8"}, 2);
    point_axes_set(&grid, 2, "model", (const char *const[]){"wnd"}, 1);
    grid.values[3] = grid.values[4] = 1;
    char *all = point_axes_short(&grid, 1, " with ", NULL, 0),
         *some = point_axes_short(&grid, 1, ", ", (const int[]){-1, 0}, 2),
         *none = point_axes_short(&grid, 1, ", ", (const int[]){1, 0}, 2);
    ck_assert_str_eq(all, "jsq with servers=8");
    ck_assert_str_eq(some, "servers=8");
    ck_assert_str_eq(none, "");
    mem_free(all);
    mem_free(some);
    mem_free(none);
    point_axes_release(&grid);
}
END_TEST

// Labels point by point become values in the order in which they come first.
START_TEST(taken_in_order)
{
    static const char *const labels[] = {"b", "a", "b", "", "c", "a"};
    const uint32_t wanted[] = {0, 1, 0, 2, 3, 1};
    struct point_axes grid = point_axes_create(2, 6);
    point_axes_take(&grid, 1, "x", labels);
    ck_assert_uint_eq(grid.axes[1].n_labels, 4);
    for (uint32_t p = 0; p < 6; p++) {
        ck_assert_uint_eq(grid.values[2 * p + 1], wanted[p]);
        ck_assert_str_eq(point_axes_label(&grid, p, 1), labels[p]);
    }
    point_axes_release(&grid);
}
END_TEST

// As many labels as points are no trouble.
START_TEST(many_labels)
{
    enum { N = 20000 };
    char(*texts)[8] = mem_calloc(N, sizeof *texts);
    const char **labels = mem_calloc(N, sizeof *labels);
    for (uint32_t i = 0; i < N; i++) {
        snprintf(texts[i], sizeof texts[i], "%u", (i * 7919) % N);
        labels[i] = texts[i];
    }
    struct point_axes grid = point_axes_create(1, N);
    point_axes_take(&grid, 0, "x", labels);
    ck_assert_uint_eq(grid.axes[0].n_labels, N);
    ck_assert_uint_eq(grid.values[N - 1], N - 1);
    point_axes_release(&grid);
    mem_free(labels);
    mem_free(texts);
}
END_TEST

// Of an axis of these labels.
static double *numbers_of(const char *const *labels, uint32_t n, const char **units)
{
    struct point_axes grid = point_axes_create(1, 1);
    point_axes_set(&grid, 0, "x", labels, n);
    double *numbers = point_axes_numbers(&grid.axes[0], units);
    point_axes_release(&grid);
    return numbers;
}

// Plain decimal numbers and quantities of one unit are numbers, in SI, if all labels are.
START_TEST(numbers)
{
    static const struct {
        const char *labels[2], *units;
        double numbers[2];
    } cases[] = {{{"100", "-2.5e3"}, "1", {100, -2500}},
                 {{".5", "0"}, "1", {0.5, 0}},
                 {{"9kqps", "10500qps"}, "s-1", {9000, 10500}},
                 {{"0", "25ms"}, "s", {0, 0.025}},
                 {{"5%", "50%"}, "1", {0.05, 0.5}},
                 {{"1kW", "350W"}, "W", {1000, 350}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *units;
        double *numbers = numbers_of(cases[i].labels, 2, &units);
        ck_assert_msg(numbers != NULL, "%s", cases[i].labels[0]);
        ck_assert_str_eq(units, cases[i].units);
        ck_assert_mem_eq(numbers, cases[i].numbers, sizeof cases[i].numbers);
        mem_free(numbers);
    }
}
END_TEST

// Two units, nothing, infinity, other bases and words are none.
START_TEST(no_numbers)
{
    const char *const labels[] = {"9000qps", "", "inf", "nan", "0x10", "1e999", "e", "1-2"};
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        const char *units;
        ck_assert_msg(!numbers_of((const char *const[]){"1", labels[i]}, 2, &units), "'%s'",
                      labels[i]);
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", names},          {"core", short_names},
                                       {"core", taken_in_order}, {"core", numbers},
                                       {"limits", many_labels},  {"errors", no_numbers}};
    return suite_run("point_axes", tests, sizeof tests / sizeof *tests);
}
