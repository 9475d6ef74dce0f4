// SPDX-License-Identifier: Apache-2.0
#include "models/cost_table.h"

#include "support/suite.h"

// Batch 1, 4, 16 at 1 and 5 busy cores. Binary fractions, so that expected values are exact.
static double batches[] = {1, 4, 16}, busy[] = {1, 5};
static double seconds[] = {1, 4, 2.5, 2, 8, 32};
static double load[] = {0.5, 0.5, 2}, compute[] = {1, 2, 3};

static struct cost_table made(void)
{
    return (struct cost_table){.name = "t",
                               .model = "m",
                               .platform = "p",
                               .batches_items = {3, batches},
                               .busy_cores = {2, busy},
                               .seconds_s = {6, seconds}};
}

// Knots come back as they are.
START_TEST(knots_are_exact)
{
    struct cost_table table = made();
    for (int b = 0; b < 2; b++)
        for (int i = 0; i < 3; i++)
            ck_assert_double_eq(cost_table_cpu_s(&table, (uint32_t)batches[i], (uint32_t)busy[b]),
                                seconds[3 * b + i]);
}
END_TEST

// Between knots time is linear in the batch; a logarithm would give other values. (4, 4)-(16, 2.5)
// falls, as measured kernels do, and is followed.
START_TEST(batches_are_linear)
{
    struct cost_table table = made();
    ck_assert_double_eq(cost_table_cpu_s(&table, 2, 1), 2);
    ck_assert_double_eq(cost_table_cpu_s(&table, 8, 1), 3.5);
    ck_assert_double_eq(cost_table_cpu_s(&table, 10, 5), 20);
}
END_TEST

// Between measured busy counts too: 3 of 1..5 is half-way.
START_TEST(busy_cores_are_linear)
{
    struct cost_table table = made();
    ck_assert_double_eq(cost_table_cpu_s(&table, 1, 3), 1.5);
    ck_assert_double_eq(cost_table_cpu_s(&table, 4, 2), 5);
}
END_TEST

// Beyond the last batch its segment goes on: slope 2 at 5 busy. A falling one holds, as it would
// reach zero; below the first batch the first knot holds.
START_TEST(batches_outside_the_table)
{
    struct cost_table table = made();
    ck_assert_double_eq(cost_table_cpu_s(&table, 20, 5), 40);
    ck_assert_double_eq(cost_table_cpu_s(&table, 1000, 1), 2.5);
    double from_four[] = {4, 8, 16};
    table.batches_items.v = from_four;
    ck_assert_double_eq(cost_table_cpu_s(&table, 1, 1), 1);
}
END_TEST

// More cores busy than measured: the last row.
START_TEST(busy_cores_outside_the_table)
{
    struct cost_table table = made();
    ck_assert_double_eq(cost_table_cpu_s(&table, 4, 9), 8);
    double from_two[] = {2, 5};
    table.busy_cores.v = from_two;
    ck_assert_double_eq(cost_table_cpu_s(&table, 4, 1), 4);
}
END_TEST

// One batch and one busy count are a table too.
START_TEST(a_single_knot_is_a_constant)
{
    struct cost_table table = made();
    table.batches_items.n = table.busy_cores.n = table.seconds_s.n = 1;
    ck_assert_int_eq(cost_table_check(&table, NULL), 0);
    ck_assert_double_eq(cost_table_cpu_s(&table, 1, 1), 1);
    ck_assert_double_eq(cost_table_cpu_s(&table, 500, 3), 1);
}
END_TEST

// Through the interface: CPU and accelerator times, linear alike.
START_TEST(the_interface_reads_the_table)
{
    struct cost_table table = made();
    struct platform platform = {.cores = 8, .sockets = 1, .power = {.gamma = 1}};
    struct cost_config config = {.kind = cost_type_find("table"), .measured = &table};
    struct cost *cost = cost_create(&config, NULL, &platform, NULL);
    ck_assert_double_eq(cost_cpu_s(cost, 8, 1), 3.5);
    ck_assert(cost_depends_on_busy(cost));
    ck_assert(!cost_has_accel(cost));
    cost_destroy(cost);

    table.accel_load_s = (struct reals){3, load};
    table.accel_compute_s = (struct reals){3, compute};
    table.busy_cores.n = 1;
    table.seconds_s.n = 3;
    platform.has_accelerator = true;
    platform.accelerator = (struct accelerator){.streams = 1, .power = {.gamma = 1}};
    cost = cost_create(&config, NULL, &platform, NULL);
    ck_assert(cost_has_accel(cost));
    ck_assert(!cost_depends_on_busy(cost));
    ck_assert_double_eq(cost_accel_load_s(cost, 8), 1);
    ck_assert_double_eq(cost_accel_compute_s(cost, 10), 2.5);
    cost_destroy(cost);
}
END_TEST

// What a history adds is linear between the busy counts, or the same for all; scales are of it too,
// and a mean over histories counts it.
START_TEST(histories_add_to_it)
{
    double item[] = {0.5, 2.5}, square[] = {0.25}, pair[] = {1, 2};
    struct cost_table table = made();
    struct platform platform = {.cores = 8, .sockets = 1, .power = {.gamma = 1}};
    struct cost_config config = {
        .kind = cost_type_find("table"), .measured = &table, .cpu_scale = 2};
    ck_assert(!cost_table_has_history(&table));
    table.per_history_s = (struct reals){2, item};
    table.per_history_square_s = (struct reals){1, square};
    table.per_item_history_s = (struct reals){2, pair};
    ck_assert(cost_table_has_history(&table));
    struct cost *cost = cost_create(&config, NULL, &platform, NULL);
    ck_assert(cost_has_history(cost));
    struct cost_history of = cost_history(cost, COST_CPU, 3);
    ck_assert_double_eq(of.item_s, 3);
    ck_assert_double_eq(of.square_s, 0.5);
    ck_assert_double_eq(of.item_history_s, 3);
    ck_assert_double_eq(cost_history(cost, COST_CPU, 8).item_s, 5);
    cost_set_history(cost, 10, 104);
    ck_assert_double_eq(cost_cpu_s(cost, 8, 1), 2 * 3.5 + 1 * 10 + 0.5 * 104 + 2 * 8 * 10);
    cost_destroy(cost);
}
END_TEST

// A table belongs to one model on one platform.
START_TEST(tables_match_by_both_names)
{
    struct cost_table table = made();
    ck_assert(cost_table_matches(&table, "m", "p"));
    ck_assert(!cost_table_matches(&table, "m", "q"));
    ck_assert(!cost_table_matches(&table, "n", "p"));
}
END_TEST

// Lengths and order are checked, each with its key.
START_TEST(malformed_tables_are_refused)
{
    struct cost_table table = made();
    struct err err;
    table.seconds_s.n = 5;
    ck_assert_int_eq(cost_table_check(&table, &err), -1);
    ck_assert_str_eq(err.text, "seconds: expected 6 values, got 5");
    table = made();
    double again[] = {1, 4, 4};
    table.batches_items.v = again;
    ck_assert_int_eq(cost_table_check(&table, &err), -1);
    ck_assert_str_eq(err.text, "batches_items: expected values that ascend from 1, got 4");
    table = made();
    table.busy_cores.n = 0;
    ck_assert_int_eq(cost_table_check(&table, &err), -1);
    ck_assert_str_eq(err.text, "busy_cores: expected at least one value");
    table = made();
    double zero[] = {1, 4, 0, 2, 8, 32};
    table.seconds_s.v = zero;
    ck_assert_int_eq(cost_table_check(&table, &err), -1);
    ck_assert_str_eq(err.text, "seconds: expected times above 0, got 0 s");
    table = made();
    table.accel_load_s = (struct reals){3, load};
    ck_assert_int_eq(cost_table_check(&table, &err), -1);
    ck_assert_str_eq(err.text, "accel_compute: expected 3 values, got 0");
    table = made();
    table.per_history_s = (struct reals){3, load};
    ck_assert_int_eq(cost_table_check(&table, &err), -1);
    ck_assert_str_eq(err.text, "per_history: expected one value, or 2 as busy_cores, got 3");
    double less[] = {-1};
    table.per_history_s = (struct reals){0, NULL};
    table.per_item_history_s = (struct reals){1, less};
    ck_assert_int_eq(cost_table_check(&table, &err), -1);
    ck_assert_str_eq(err.text, "per_item_history: expected times of 0 or more, got -1 s");
}
END_TEST

// Without a table the cost says which one is missing: the one named, or the one of the pair.
START_TEST(missing_tables_are_named)
{
    char name[] = "absent", platform_name[] = "p";
    struct platform platform = {
        .name = platform_name, .cores = 8, .sockets = 1, .power = {.gamma = 1}};
    struct cost_config config = {.kind = cost_type_find("table"), .table = name};
    struct err err;
    ck_assert_ptr_null(cost_create(&config, NULL, &platform, &err));
    ck_assert_str_eq(err.text, "table: no measured table \"absent\"");
    config.table = NULL;
    ck_assert_ptr_null(cost_create(&config, NULL, &platform, &err));
    ck_assert_str_eq(err.text, "table: no measured table of model \"\" on platform \"p\"");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", knots_are_exact},
        {"core", batches_are_linear},
        {"core", busy_cores_are_linear},
        {"core", the_interface_reads_the_table},
        {"core", histories_add_to_it},
        {"core", tables_match_by_both_names},
        {"limits", batches_outside_the_table},
        {"limits", busy_cores_outside_the_table},
        {"limits", a_single_knot_is_a_constant},
        {"errors", malformed_tables_are_refused},
        {"errors", missing_tables_are_named},
    };
    return suite_run("cost_table", tests, sizeof tests / sizeof *tests);
}
