// SPDX-License-Identifier: Apache-2.0
#include "results/data_field.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "support/suite.h"

static const char *const colours[] = {"red", "blue", NULL};

struct row {
    double number;
    struct ci estimate;
    uint64_t count;
    uint32_t count32, label;
    int32_t whole, colour;
    bool flag;
    int64_t time_ns;
    char *text;
    int kept; // named by no field
};

#define ROW struct row
static const struct data_field fields[] = {DATA_NUMBER(number, "W", "a number"),
                                           DATA_ESTIMATE(estimate, "s", "an estimate"),
                                           DATA_COUNT(count, "1", "a count"),
                                           DATA_COUNT32(count32, "items", "a short count"),
                                           DATA_INT(whole, "1", "a whole one"),
                                           DATA_CODE(colour, "its colour", colours, 1),
                                           DATA_BOOL(flag, "yes or no"),
                                           DATA_TIME_AS("time_s", time_ns, "a time"),
                                           DATA_TEXT_AS("words", text, "a text"),
                                           DATA_LABEL(label, "disk", "a name's number"),
                                           {0}};
#undef ROW

// A cleared row says nothing in every kind; what no field names is left alone.
START_TEST(clears)
{
    struct row row;
    memset(&row, 7, sizeof row);
    data_field_clear(fields, &row);
    ck_assert_double_nan(row.number);
    ck_assert_double_nan(row.estimate.value);
    ck_assert_double_nan(row.estimate.half_95);
    ck_assert_uint_eq(row.count, 0);
    ck_assert_int_eq(row.colour, 1);
    ck_assert(!row.flag);
    ck_assert_int_eq(row.time_ns, 0);
    ck_assert_ptr_null(row.text);
    ck_assert_int_eq(row.kept, 0x07070707);
    ck_assert(data_field_is_clear(fields, &row));
}
END_TEST

// Any one member that says something makes the row known.
START_TEST(is_clear)
{
    for (const struct data_field *f = fields; f->name; f++) {
        struct row row = {0};
        data_field_clear(fields, &row);
        memset((char *)&row + f->offset, 0, data_field_bytes(f->kind));
        bool zero_is_nothing = f->kind != DATA_KIND_NUMBER && f->kind != DATA_KIND_ESTIMATE &&
                               f->kind != DATA_KIND_CODE;
        ck_assert_msg(data_field_is_clear(fields, &row) == zero_is_nothing, "%s", f->name);
        memset((char *)&row + f->offset, 1, data_field_bytes(f->kind));
        ck_assert_msg(!data_field_is_clear(fields, &row), "%s", f->name);
    }
}
END_TEST

// Found by its name in the file; texts are released once.
START_TEST(finds_and_releases)
{
    struct row row = {.text = mem_strdup("x")};
    ck_assert_ptr_eq(data_field_find(fields, "time_s"), &fields[7]);
    ck_assert_ptr_null(data_field_find(fields, "time_ns"));
    ck_assert_uint_eq(data_field_n_codes(colours), 2);
    ck_assert_uint_eq(data_field_n_codes(NULL), 0);
    data_field_release(fields, &row);
    ck_assert_ptr_null(row.text);
    data_field_release(fields, &row);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", clears}, {"core", is_clear}, {"core", finds_and_releases}};
    return suite_run("data_field", tests, sizeof tests / sizeof *tests);
}
