// SPDX-License-Identifier: Apache-2.0
#include "native/inputs.h"

#include <string.h>

#include "support/suite.h"

static struct network_table two_tables[] = {{.rows = 1000, .lookups = 3, .pooled = 3},
                                            {.rows = 200, .lookups = 1, .pooled = 1}};
static struct network_bag two_bags[] = {{.table = 1, .n_lookups = 1}, {.table = 0, .n_lookups = 3}};
static const struct network network = {.n_tables = 2,
                                       .tables = two_tables,
                                       .n_bags = 2,
                                       .bags = two_bags,
                                       .dim = 1024,
                                       .features = 5,
                                       .lookups_per_item = 4};

static struct tables make_tables(void)
{
    struct tables tables;
    ck_assert_int_eq(tables_create(&tables, &network, FORMAT_FP32, 0, 1, NULL), 0);
    return tables;
}

// Every row is one of the table that its place in the list is for, and all are drawn alike.
START_TEST(rows_are_of_their_tables)
{
    struct tables tables = make_tables();
    struct inputs inputs;
    double sum = 0;
    inputs_create(&inputs, &network, &tables, 10, 3);
    for (uint64_t i = 0; i < inputs.n_items; i++) {
        const uint32_t *rows = inputs.rows + 4 * i;
        ck_assert_uint_ge(rows[0], 1000);
        ck_assert_uint_lt(rows[0], 1200);
        for (uint32_t k = 1; k < 4; k++)
            ck_assert_uint_lt(rows[k], 1000);
        sum += rows[1];
    }
    ck_assert_double_eq_tol(sum / (double)inputs.n_items, 499.5, 5);
    inputs_release(&inputs);
    tables_release(&tables);
}
END_TEST

// Two workers of different sizes have the same items, and another seed has others.
START_TEST(items_depend_on_the_seed_alone)
{
    struct tables tables = make_tables();
    struct inputs one, two, other;
    inputs_create(&one, &network, &tables, 10, 3);
    inputs_create(&two, &network, &tables, 1000, 3);
    inputs_create(&other, &network, &tables, 10, 4);
    ck_assert_uint_eq(one.n_items, two.n_items);
    ck_assert_mem_eq(one.rows, two.rows, one.n_items * 4 * sizeof(uint32_t));
    ck_assert_mem_eq(one.features, two.features, one.n_featured * 5 * sizeof(float));
    ck_assert_mem_ne(one.rows, other.rows, one.n_items * 4 * sizeof(uint32_t));
    inputs_release(&one);
    inputs_release(&two);
    inputs_release(&other);
    tables_release(&tables);
}
END_TEST

// Requests that follow one another have different items, until the ring is through.
START_TEST(requests_do_not_meet)
{
    struct tables tables = make_tables();
    struct inputs inputs;
    inputs_create(&inputs, &network, &tables, 64, 3);
    ck_assert_ptr_eq(inputs_rows(&inputs, 0, 64), inputs.rows);
    ck_assert_ptr_eq(inputs_rows(&inputs, 1, 64), inputs.rows + 64 * 4);
    ck_assert_ptr_eq(inputs_rows(&inputs, inputs.n_items, 1), inputs.rows);
    ck_assert_ptr_eq(inputs_features(&inputs, 2, 7), inputs.features + 14 * 5);
    inputs_release(&inputs);
    tables_release(&tables);
}
END_TEST

// Those of histories and of requests are of their own tables, and others than those of items; there
// are no features.
START_TEST(histories_have_rings_of_their_own)
{
    static struct network_table tables_of[] = {
        {.rows = 1000, .lookups = 1, .pooled = 2, .history_lookups = 2},
        {.rows = 200, .pooled = 1, .request_lookups = 1}};
    static struct network_bag bags[] = {{.table = 0, .n_lookups = 1}};
    static struct network_bag history[] = {{.table = 0, .n_lookups = 2}};
    static struct network_bag request[] = {{.table = 1, .n_lookups = 1}};
    static const struct network reads = {.n_tables = 2,
                                         .tables = tables_of,
                                         .n_bags = 1,
                                         .n_history_bags = 1,
                                         .n_request_bags = 1,
                                         .bags = bags,
                                         .history_bags = history,
                                         .request_bags = request,
                                         .dim = 64,
                                         .lookups_per_item = 1,
                                         .lookups_per_history = 2,
                                         .lookups_per_request = 1};
    struct tables tables;
    struct inputs items, histories, requests;
    ck_assert_int_eq(tables_create(&tables, &reads, FORMAT_FP32, 0, 1, NULL), 0);
    inputs_create(&items, &reads, &tables, 8, 3);
    inputs_create_of(&histories, NETWORK_HISTORY, &reads, &tables, 8, 3);
    inputs_create_of(&requests, NETWORK_REQUEST, &reads, &tables, 8, 3);
    uint32_t equal = 0;
    for (uint64_t i = 0; i < 2000; i++) {
        ck_assert_uint_lt(histories.rows[i], 1000);
        ck_assert(requests.rows[i] >= 1000 && requests.rows[i] < 1200);
        equal += histories.rows[i] == items.rows[i];
    }
    ck_assert_uint_lt(equal, 20);
    ck_assert_uint_eq(histories.lookups_per_item, 2);
    ck_assert_uint_eq(histories.n_features, 0);
    ck_assert_ptr_eq(inputs_rows(&histories, 3, 5), histories.rows + 30);
    inputs_release(&items);
    inputs_release(&histories);
    inputs_release(&requests);
    tables_release(&tables);
}
END_TEST

// A request at the end of a ring finds the beginning behind it, also one longer than the ring.
START_TEST(rings_close)
{
    struct tables tables = make_tables();
    struct inputs inputs;
    const uint32_t most = 150000;
    inputs_create(&inputs, &network, &tables, most, 3);
    for (uint64_t i = inputs.n_items; i < inputs.n_items + most; i += 997)
        ck_assert_mem_eq(inputs.rows + 4 * i, inputs.rows + 4 * (i % inputs.n_items), 16);
    for (uint64_t i = inputs.n_featured; i < inputs.n_featured + most; i += 997)
        ck_assert_mem_eq(inputs.features + 5 * i, inputs.features + 5 * (i % inputs.n_featured),
                         20);
    inputs_release(&inputs);
    inputs_release(NULL);
    tables_release(&tables);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", rows_are_of_their_tables},
        {"core", items_depend_on_the_seed_alone},
        {"core", requests_do_not_meet},
        {"core", histories_have_rings_of_their_own},
        {"limits", rings_close},
    };
    return suite_run("inputs", tests, sizeof tests / sizeof *tests);
}
