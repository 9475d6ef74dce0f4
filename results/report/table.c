// SPDX-License-Identifier: Apache-2.0
#include "results/report/table.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"

#define GAP 2

struct table {
    int n_columns, n_left;
    size_t n_cells, cap;
    char **cells;
};

struct table *table_create(int n_columns)
{
    struct table *table = mem_calloc(1, sizeof *table);
    table->n_columns = n_columns;
    table->n_left = 1;
    return table;
}

void table_destroy(struct table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->n_cells; i++)
        mem_free(table->cells[i]);
    mem_free(table->cells);
    mem_free(table);
}

void table_cell(struct table *table, char *owned)
{
    if (table->n_cells == table->cap) {
        table->cap = table->cap ? 2 * table->cap : 64;
        table->cells = mem_realloc(table->cells, table->cap, sizeof *table->cells);
    }
    table->cells[table->n_cells++] = owned ? owned : mem_strdup("");
    err_one_line(table->cells[table->n_cells - 1]); // labels of other programs' files, too
}

void table_texts(struct table *table, const char *const *texts)
{
    while (*texts)
        table_cell(table, mem_strdup(*texts++));
}

void table_line(struct table *table)
{
    table->n_columns = (int)table->n_cells;
}

void table_row(struct table *table, const char *const *cells)
{
    for (int i = 0; i < table->n_columns; i++)
        table_cell(table, cells[i] ? mem_strdup(cells[i]) : NULL);
}

const char *table_or_dash(const char *text)
{
    return text && text[0] ? text : "-";
}

// Characters are the bytes that do not continue one.
int table_width_of(const char *text)
{
    int width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

// Widths are only known when all rows are there, so cells are kept until the table is printed.
static int column_width(const struct table *table, int column)
{
    int most = 0;
    for (size_t i = (size_t)column; i < table->n_cells; i += (size_t)table->n_columns) {
        int width = table_width_of(table->cells[i]);
        if (width > most)
            most = width;
    }
    return most;
}

void table_left(struct table *table, int n)
{
    table->n_left = n;
}

void table_print(const struct table *table, FILE *out)
{
    assert(table->n_cells % (size_t)table->n_columns == 0);
    int *widths = mem_calloc((size_t)table->n_columns, sizeof *widths);
    for (int c = 0; c < table->n_columns; c++)
        widths[c] = column_width(table, c);
    int blanks = 0; // owed before the next text; none is printed at the end of a line
    for (size_t i = 0; i < table->n_cells; i++) {
        int column = (int)(i % (size_t)table->n_columns);
        int pad = widths[column] - table_width_of(table->cells[i]);
        bool left = column < table->n_left;
        blanks += (column > 0 ? GAP : 0) + (left ? 0 : pad);
        if (table->cells[i][0]) {
            fprintf(out, "%*s%s", blanks, "", table->cells[i]);
            blanks = 0;
        }
        blanks += left ? pad : 0;
        if (column == table->n_columns - 1) {
            fputc('\n', out);
            blanks = 0;
        }
    }
    mem_free(widths);
}

// Decimals that show `x` with `digits` significant digits, 0..12.
static int decimals_for(double x, int digits)
{
    if (!(fabs(x) > 0) || !isfinite(x))
        return digits - 1;
    int decimals = digits - 1 - (int)floor(log10(fabs(x)));
    return decimals < 0 ? 0 : decimals > 12 ? 12 : decimals;
}

// Never an exponent: people compare columns digit by digit.
char *table_number(double value)
{
    if (!isfinite(value))
        return mem_strdup("n/a");
    if (value == 0)
        return mem_strdup("0");
    return mem_printf("%.*f", decimals_for(value, 4), value);
}

char *table_known(double value)
{
    return isfinite(value) ? table_number(value) : mem_strdup("-");
}

char *table_fixed(double value, int decimals)
{
    return isfinite(value) ? mem_printf("%.*f", decimals, value) : mem_strdup("-");
}

// Digits beyond the half-width's second say nothing about the value, and a value with fewer would
// hide what is known.
char *table_interval(double value, double half_width, double scale)
{
    double v = value * scale, h = half_width * scale;
    if (!isfinite(v))
        return mem_strdup("n/a");
    if (!isfinite(h)) {
        char *number = table_number(v), *text = mem_printf("%s ±n/a", number);
        mem_free(number);
        return text;
    }
    if (h <= 1e-5 * fabs(v)) { // beyond what is shown of the value
        char *number = table_number(v), *text = mem_printf("%s ±0", number);
        mem_free(number);
        return text;
    }
    int decimals = decimals_for(h, 2);
    return mem_printf("%.*f ±%.*f", decimals, v, decimals, h);
}

// Milliseconds are what latency is spoken of in, so they are kept over six decades.
struct table_unit table_time_unit(double typical_s)
{
    if (typical_s > 0 && typical_s < 100e-6)
        return (struct table_unit){"us", 1e6};
    if (typical_s >= 100)
        return (struct table_unit){"s", 1};
    return (struct table_unit){"ms", 1e3};
}
