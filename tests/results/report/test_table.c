// SPDX-License-Identifier: Apache-2.0
#include "results/report/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
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

// Columns are aligned by characters, not bytes.
START_TEST(aligned)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    struct table *t = table_create(2);
    table_row(t, (const char *const[]){"name", "p95"});
    table_row(t, (const char *const[]){"x", "1 ±2"});
    table_row(t, (const char *const[]){"y", NULL});
    table_print(t, out);
    table_destroy(t);
    fclose(out);
    ck_assert_str_eq(text, "name   p95\nx     1 ±2\ny\n");
    mem_free(text);
}
END_TEST

// Texts made for the table are its own from then on; no text is an empty cell.
START_TEST(owned_cells)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    struct table *t = table_create(2);
    table_cell(t, mem_strdup("a"));
    table_cell(t, mem_printf("%d", 10));
    table_cell(t, NULL);
    table_cell(t, mem_strdup("2"));
    table_print(t, out);
    table_destroy(t);
    fclose(out);
    ck_assert_str_eq(text, "a  10\n    2\n");
    mem_free(text);
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

// The first columns may be flush left, and no line ends in blanks.
START_TEST(flush_left)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    struct table *t = table_create(3);
    table_row(t, (const char *[]){"a", "b", "c"});
    table_row(t, (const char *[]){"long", "longer", "1"});
    table_row(t, (const char *[]){"", "x", NULL});
    table_left(t, 2);
    table_print(t, out);
    table_destroy(t);
    fclose(out);
    ck_assert_str_eq(text, "a     b       c\nlong  longer  1\n      x\n");
    mem_free(text);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", intervals},  {"core", numbers},     {"core", aligned}, {"core", flush_left},
        {"core", time_units}, {"core", owned_cells}, {"core", dashes},  {"limits", unknowns}};
    return suite_run("table", tests, sizeof tests / sizeof *tests);
}
