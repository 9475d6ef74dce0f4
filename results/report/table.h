// SPDX-License-Identifier: Apache-2.0
// table: aligned columns of text, and numbers as a person reads them.
//
// Cells are collected row by row and printed with every column as wide as its widest cell; UTF-8
// counts by characters, so a "±" does not bend the columns. The first column is flush left, or the
// first few, the others flush right.
//
//     struct table *t = table_create(3);
//     table_row(t, (const char *[]){"service", "served", "p95"});
//     table_row(t, (const char *[]){"feed", "12000 qps", "7.13 ±0.02 ms"});
//     table_print(t, &out, "services");
//     table_destroy(t);
#ifndef RESULTS_REPORT_TABLE_H
#define RESULTS_REPORT_TABLE_H

#include "results/report/report_out.h"

struct table;

// 0 columns: as many as the first line has, which table_line() ends.
struct table *table_create(int n_columns);
void table_destroy(struct table *table); // NULL: no effect

// One row of n_columns texts, copied. NULL is an empty cell.
void table_row(struct table *table, const char *const *cells);

// The next cell, from left to right, row by row; the table owns the text from now on and
// mem_free()s it. NULL is an empty cell. Rows are whole when the table is printed.
void table_cell(struct table *table, char *owned);
// The same, with the number behind the text, for programs; and with that of an estimate. In the
// unit that the column's name says. NaN: not known.
void table_value(struct table *table, char *owned, double value);
void table_estimate(struct table *table, char *owned, double value, double half_95);
// The head of a column, which programs know by `name`, copied. Without it they take the text.
void table_head(struct table *table, char *owned, const char *name);
// The next cells, from copies of texts[], up to a NULL.
void table_texts(struct table *table, const char *const *texts);
// The first line is whole: its cells are the columns.
void table_line(struct table *table);

// The first n columns are flush left; 1 before.
void table_left(struct table *table, int n);

// The first n lines are heads, the last of them the columns' own; 1 before.
void table_heads(struct table *table, int n);

// Rows that HTML and Markdown show at most, with a count of the rest.
#define TABLE_MARKED_UP_ROWS 500

// As text no blanks stand at the end of a line. For programs it is called `name`, a column without
// a head is left out, and a name in a line of heads above goes in front of those below it.
void table_print(const struct table *table, struct report_out *out, const char *name);

// The text, or "-" for NULL and "".
const char *table_or_dash(const char *text);

// Columns that a text takes on the page: its characters.
int table_width_of(const char *text);

// "7.132 ±0.021": the half-width with two significant digits and the value with as many decimals.
// Without a half-width (NaN) "7.132 ±n/a"; without a value "n/a". Both are multiplied by `scale`
// first. Caller mem_free()s.
char *table_interval(double value, double half_width, double scale);

// So many significant digits, never in exponent form below 10^15; "n/a" for NaN. Caller
// mem_free()s.
char *table_digits(double value, int digits);
// Four of them.
char *table_number(double value);

// The same, and `decimals` digits behind the point, but "-" for NaN and infinity: where there is
// nothing to know. Caller mem_free()s.
char *table_known(double value);
char *table_fixed(double value, int decimals);

// Seconds or a multiple of them that suits a value of `typical_s`.
struct table_unit {
    const char *name; // "us" "ms" "s"
    double scale;     // seconds times this are in that unit
};
struct table_unit table_time_unit(double typical_s);

#endif
