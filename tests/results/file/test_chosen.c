// SPDX-License-Identifier: Apache-2.0
#include "results/file/chosen.h"

#include "base/schema.h"
#include "results/file/fixture_tuning.h"
#include "support/suite.h"

// Another scheduler: one key in common with the fixture's, one of its own.
struct batcher {
    int64_t wait_ns, batch_items;
};
static const struct field fields[] = {
    FIELD(batcher, "wait", FIELD_TIME, UNIT_TIME, wait_ns, 0, 1e9, "1ms", "longest wait"),
    FIELD(batcher, "batch_items", FIELD_INT, UNIT_ITEMS, batch_items, 1, 1000, "8", "most items"),
    FIELD_END};
static const struct settings_axis axes[] = {
    {"batch_items", SETTINGS_FACTORS, false, "B"}, {"wait", SETTINGS_STEPS, false, "W"}, {0}};

// Columns have the words of the scheduler's own table, each key once.
START_TEST(columns)
{
    struct chosen chosen = fixture_chosen();
    ck_assert_uint_eq(chosen.n, 2);
    ck_assert_str_eq(chosen.fields[0].name, "batch_items");
    ck_assert_str_eq(chosen.fields[0].units, "items");
    ck_assert_int_eq(chosen_add(&chosen, axes, fields, NULL), 0);
    ck_assert_uint_eq(chosen.n, 3);
    ck_assert_str_eq(chosen.fields[2].name, "wait");
    ck_assert_str_eq(chosen.fields[2].units, "s");
    ck_assert_str_eq(chosen.fields[2].long_name, "longest wait");
    ck_assert_int_eq(chosen.fields[2].kind, DATA_KIND_TIME);
    ck_assert_uint_eq(chosen.fields[2].offset, 2 * sizeof(uint64_t));
    ck_assert_ptr_null(chosen.fields[3].name);
    ck_assert_str_eq(chosen.axes[2]->symbol, "W");
}
END_TEST

// A row has the values of its own scheduler; what that does not have is 0.
START_TEST(values)
{
    struct chosen chosen = fixture_chosen();
    uint64_t values[CHOSEN_MOST] = {9, 9, 9, 9};
    struct settings settings = settings_of(fields, &(struct batcher){2500000, 64});
    ck_assert_int_eq(chosen_add(&chosen, axes, fields, NULL), 0);
    chosen_values(&chosen, &settings, values);
    ck_assert_uint_eq(values[0], 64);
    ck_assert_uint_eq(values[1], 0); // offload_items
    ck_assert_uint_eq(values[2], 2500000);
    ck_assert_uint_eq(values[3], 0);
}
END_TEST

// More settings than there is room for are an error, and nothing is written behind the room.
START_TEST(too_many)
{
    static const char *const keys[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};
    struct chosen chosen = {0};
    struct err err = {0};
    ck_assert_uint_eq(sizeof keys / sizeof *keys, CHOSEN_MOST + 1);
    for (uint32_t i = 0; i <= CHOSEN_MOST; i++) {
        const struct field own[] = {
            {keys[i], FIELD_INT, UNIT_ITEMS, 0, 1, 9, "1", NULL, "a number"}, FIELD_END};
        const struct settings_axis axis[] = {{keys[i], SETTINGS_STEPS, false, "X"}, {0}};
        ck_assert_int_eq(chosen_add(&chosen, axis, own, &err), i < CHOSEN_MOST ? 0 : -1);
    }
    ck_assert_str_eq(err.text, "a search varies 8 settings at most, \"i\" is one more");
    ck_assert_uint_eq(chosen.n, CHOSEN_MOST);
    ck_assert_ptr_null(chosen.fields[CHOSEN_MOST].name);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", columns}, {"core", values}, {"limits", too_many}};
    return suite_run("chosen", tests, sizeof tests / sizeof *tests);
}
