// SPDX-License-Identifier: Apache-2.0
#include "results/file/dataset.h"

#include <string.h>

#include "base/mem.h"
#include "results/file/farm.h"
#include "support/suite.h"

// New rows say nothing, in every kind, also in the arrays inside a row.
START_TEST(starts_unknown)
{
    struct farm farm = {.n_disks = 2, .n_days = 1, .n_events = 1, .n_edges = 3};
    dataset_create(&farm_layout, &farm);
    ck_assert_double_nan(farm.readings[1].wait_s[1].value);
    ck_assert_double_nan(farm.readings[0].parts[1].share_frac);
    ck_assert_int_eq(farm.readings[0].state, FARM_NOT_ASKED);
    ck_assert_uint_eq(farm.readings[0].n_reads, 0);
    ck_assert_ptr_null(farm.readings[0].note);
    ck_assert_double_nan(farm.sample.window_s);
    ck_assert_double_nan(farm.edges_s[2]);
    ck_assert_double_nan(farm.day_s);
    ck_assert_ptr_null(farm.counts); // for others: not allocated
    for (const struct dataset_array *a = farm_layout.arrays; a->name; a++)
        ck_assert_msg(!dataset_is_known(&farm_layout, &farm, a), "%s says something", a->name);
    dataset_destroy(&farm_layout, &farm);
    ck_assert_ptr_null(farm.readings);
}
END_TEST

// One number anywhere makes its array known, in the last row and inside an inner array, and no
// other.
START_TEST(known_arrays)
{
    struct farm farm = {.n_disks = 2, .n_days = 2, .n_events = 2};
    dataset_create(&farm_layout, &farm);
    farm.readings[3].parts[1].share_frac = 0;
    farm.events[1].model = 1;
    for (const struct dataset_array *a = farm_layout.arrays; a->name; a++) {
        bool wanted = strcmp(a->name, "readings") == 0 || strcmp(a->name, "events") == 0;
        ck_assert_msg(dataset_is_known(&farm_layout, &farm, a) == wanted, "%s", a->name);
    }
    dataset_destroy(&farm_layout, &farm);
}
END_TEST

// Rows and lengths follow from the dimensions; names are found where there are some.
START_TEST(looks_up)
{
    struct farm farm = farm_make(0);
    const struct dataset_array *readings = dataset_find(&farm_layout, "readings");
    const struct dataset_dim *disk = dataset_dim(&farm_layout, "disk");
    ck_assert_uint_eq(dataset_n_rows(&farm_layout, &farm, readings), 6);
    ck_assert_ptr_eq(dataset_rows(&farm, readings), farm.readings);
    ck_assert_ptr_eq(dataset_rows(&farm, dataset_find(&farm_layout, "sample")), &farm.sample);
    ck_assert_uint_eq(dataset_n_rows(&farm_layout, &farm, dataset_find(&farm_layout, "sample")), 1);
    ck_assert_uint_eq(dataset_n_rows(&farm_layout, &farm, dataset_find(&farm_layout, "events")), 0);
    ck_assert_uint_eq(dataset_length(disk, &farm), 2);
    ck_assert_str_eq(dataset_names(disk, &farm)[0], "a + b, µ");
    ck_assert_str_eq(dataset_names(dataset_dim(&farm_layout, "component"), &farm)[1], "head");
    ck_assert_ptr_null(dataset_names(dataset_dim(&farm_layout, "event"), &farm));
    ck_assert_ptr_null(dataset_find(&farm_layout, "nothing"));
    ck_assert_ptr_null(dataset_dim(&farm_layout, "nothing"));
    dataset_destroy(&farm_layout, &farm);
}
END_TEST

// A name that a variable added at run time must not take: variables with their prefixes and
// half-widths, dimensions, groups at any depth.
START_TEST(taken_names)
{
    struct farm farm = farm_make(0);
    const char *const taken[] = {"disk",           "n_reads",   "wait_s",
                                 "wait_s_half_95", "price_usd", "deep",
                                 "events",         "run",       "study",
                                 "text",           "quantile",  "component_power_w_half_95",
                                 "load",           "folded",    "share_frac_half_95"};
    const char *const free_names[] = {
        "dis", "component_share_frac_half_95", "n_reads_half_95", "component_", "policy", "eve",
        "rate"};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        ck_assert_msg(dataset_uses_name(&farm_layout, &farm, taken[i]), "%s", taken[i]);
    for (size_t i = 0; i < sizeof free_names / sizeof *free_names; i++)
        ck_assert_msg(!dataset_uses_name(&farm_layout, &farm, free_names[i]), "%s", free_names[i]);
    dataset_destroy(&farm_layout, &farm);
}
END_TEST

// An axis keeps its name where it can; one that is taken, alone or with "_value" behind it, by the
// file or an axis before, or that no variable can have, becomes another.
START_TEST(axis_variables)
{
    static const char *const names[][2] = {{"policy", "policy"},
                                           {"rate", "rate"},
                                           {"rate_value", "axis_rate_value"},
                                           {"rate", "axis_axis_rate"},
                                           {"x_value", "x_value"},
                                           {"x", "axis_x"},
                                           {"disk", "axis_disk"},
                                           {"load", "axis_load"},
                                           {"wait_s_half_95", "axis_wait_s_half_95"},
                                           {"run", "axis_run"},
                                           {"", "axis"},
                                           {"rate qps/µ", "rate_qps___"},
                                           {"2x", "axis_2x"}};
    enum { N = sizeof names / sizeof *names };
    struct farm farm = farm_make(0);
    struct point_axes axes = point_axes_create(N, 1);
    for (uint32_t a = 0; a < N; a++)
        point_axes_set(&axes, a, names[a][0], (const char *const[]){"1"}, 1);
    char **variables = dataset_axis_variables(&farm_layout, &farm, &axes);
    for (uint32_t a = 0; a < N; a++)
        ck_assert_str_eq(variables[a], names[a][1]);
    dataset_release_names(variables, N);
    point_axes_release(&axes);
    dataset_destroy(&farm_layout, &farm);
}
END_TEST

// What was never created, and what has no rows at all, is destroyed, too.
START_TEST(destroys_anything)
{
    struct farm farm = {0};
    dataset_destroy(&farm_layout, &farm);
    dataset_create(&farm_layout, &farm);
    dataset_destroy(&farm_layout, &farm);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", starts_unknown}, {"core", known_arrays},
                                       {"core", looks_up},       {"core", taken_names},
                                       {"core", axis_variables}, {"limits", destroys_anything}};
    return suite_run("dataset", tests, sizeof tests / sizeof *tests);
}
