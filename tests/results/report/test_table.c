// SPDX-License-Identifier: Apache-2.0
#include "results/report/table.h"

#include <math.h>

#include "base/mem.h"
#include "results/report/shown.h"
#include "support/suite.h"

static void interval_is(double value, double half, double scale, const char *wanted)
{
    char *text = table_interval(value, half, scale);
    ck_assert_str_eq(text, wanted);
    mem_free(text);
}

static void number_is(double value, const char *wanted)
{
    char *text = table_number(value);
    ck_assert_str_eq(text, wanted);
    mem_free(text);
}

// As many digits as are asked for, and all of those before the point.
START_TEST(digits)
{
    const struct {
        double value;
        int digits;
        const char *text;
    } cases[] = {{0.34123, 2, "0.34"}, {100, 2, "100"}, {1640.4, 3, "1640"}, {9.0249, 3, "9.02"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = table_digits(cases[i].value, cases[i].digits);
        ck_assert_str_eq(text, cases[i].text);
        mem_free(text);
    }
}
END_TEST

// The half-width shows two digits and decides the decimals of the value.
START_TEST(intervals)
{
    interval_is(7.13158e-3, 0.0213e-3, 1e3, "7.132 ±0.021");
    interval_is(12034.7, 113, 1, "12035 ±113");
    interval_is(0.5, 0.01, 100, "50.0 ±1.0");
    interval_is(3, 0, 1, "3.000 ±0");
}
END_TEST

// What is not known is said, never printed as nan or inf.
START_TEST(unknowns)
{
    interval_is(NAN, 1, 1, "n/a");
    interval_is(2, NAN, 1, "2.000 ±n/a");
    interval_is(INFINITY, 1, 1, "n/a");
    number_is(NAN, "n/a");
    number_is(0, "0");
}
END_TEST

// Four significant digits and no exponent.
START_TEST(numbers)
{
    number_is(12345678, "12345678");
    number_is(1.23456, "1.235");
    number_is(0.000123456, "0.0001235");
}
END_TEST

static void table_is(struct table *t, const char *wanted)
{
    struct shown shown;
    table_print(t, shown_open(&shown), "t");
    char *text = shown_text(&shown);
    ck_assert_str_eq(text, wanted);
    mem_free(text);
    table_destroy(t);
}

// Columns are aligned by characters, not bytes; the first may be flush left, and no line ends in
// blanks.
START_TEST(aligned)
{
    struct table *t = table_create(2);
    table_row(t, (const char *const[]){"name", "p95"});
    table_row(t, (const char *const[]){"x", "1 ±2"});
    table_row(t, (const char *const[]){"y", NULL});
    table_is(t, "name   p95\nx     1 ±2\ny\n");
    t = table_create(3);
    table_row(t, (const char *[]){"a", "b", "c"});
    table_row(t, (const char *[]){"long", "longer", "1"});
    table_row(t, (const char *[]){"", "x", NULL});
    table_left(t, 2);
    table_is(t, "a     b       c\nlong  longer  1\n      x\n");
}
END_TEST

// Texts made for the table are its own from then on; no text is an empty cell. The first line may
// say how many columns there are.
START_TEST(owned_cells)
{
    struct table *t = table_create(0);
    table_cell(t, mem_strdup("a"));
    table_cell(t, mem_printf("%d", 10));
    table_line(t);
    table_cell(t, NULL);
    table_texts(t, (const char *const[]){"2", NULL});
    table_is(t, "a  10\n    2\n");
}
END_TEST

// A dash stands where there is nothing to know.
START_TEST(dashes)
{
    char *texts[] = {table_known(NAN), table_known(1.5), table_fixed(INFINITY, 1),
                     table_fixed(1.25, 1)};
    const char *const wanted[] = {"-", "1.500", "-", "1.2"};
    for (int i = 0; i < 4; i++) {
        ck_assert_str_eq(texts[i], wanted[i]);
        mem_free(texts[i]);
    }
    ck_assert_str_eq(table_or_dash(NULL), "-");
    ck_assert_str_eq(table_or_dash(""), "-");
    ck_assert_str_eq(table_or_dash("x"), "x");
}
END_TEST

// The unit suits the value.
START_TEST(time_units)
{
    ck_assert_str_eq(table_time_unit(20e-6).name, "us");
    ck_assert_str_eq(table_time_unit(20e-3).name, "ms");
    ck_assert_str_eq(table_time_unit(200).name, "s");
    ck_assert_str_eq(table_time_unit(NAN).name, "ms");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", digits},     {"core", intervals},   {"core", numbers}, {"core", aligned},
        {"core", time_units}, {"core", owned_cells}, {"core", dashes},  {"limits", unknowns}};
    return suite_run("table", tests, sizeof tests / sizeof *tests);
}
