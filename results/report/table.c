// SPDX-License-Identifier: Apache-2.0
#include "results/report/table.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

#define GAP 2
#define MARKED_WIDTH 40 // characters that a page shows of a text on the left

struct cell {
    char *text; // owned, as is the name
    char *name; // of a head, for programs; NULL: the text
    bool has_value, has_half;
    double value, half_95;
};

struct table {
    int n_columns, n_left, n_heads;
    size_t n_cells, cap;
    struct cell *cells;
};

struct table *table_create(int n_columns)
{
    struct table *table = mem_calloc(1, sizeof *table);
    table->n_columns = n_columns;
    table->n_left = table->n_heads = 1;
    return table;
}

void table_destroy(struct table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->n_cells; i++) {
        mem_free(table->cells[i].text);
        mem_free(table->cells[i].name);
    }
    mem_free(table->cells);
    mem_free(table);
}

static struct cell *add_cell(struct table *table, char *owned)
{
    if (table->n_cells == table->cap) {
        table->cap = table->cap ? 2 * table->cap : 64;
        table->cells = mem_realloc(table->cells, table->cap, sizeof *table->cells);
    }
    struct cell *cell = &table->cells[table->n_cells++];
    *cell = (struct cell){.text = owned ? owned : mem_strdup("")};
    err_one_line(cell->text); // labels of other programs' files, too
    return cell;
}

void table_cell(struct table *table, char *owned)
{
    add_cell(table, owned);
}

void table_value(struct table *table, char *owned, double value)
{
    struct cell *cell = add_cell(table, owned);
    cell->has_value = true;
    cell->value = value;
}

void table_estimate(struct table *table, char *owned, double value, double half_95)
{
    struct cell *cell = add_cell(table, owned);
    cell->has_value = cell->has_half = true;
    cell->value = value;
    cell->half_95 = half_95;
}

void table_head(struct table *table, char *owned, const char *name)
{
    add_cell(table, owned)->name = mem_strdup(name);
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
        int width = table_width_of(table->cells[i].text);
        if (width > most)
            most = width;
    }
    return most;
}

void table_left(struct table *table, int n)
{
    table->n_left = n;
}

void table_heads(struct table *table, int n)
{
    table->n_heads = n;
}

static void print_text(const struct table *table, FILE *out)
{
    int *widths = mem_calloc((size_t)table->n_columns, sizeof *widths);
    for (int c = 0; c < table->n_columns; c++)
        widths[c] = column_width(table, c);
    int blanks = 0; // owed before the next text; none is printed at the end of a line
    for (size_t i = 0; i < table->n_cells; i++) {
        int column = (int)(i % (size_t)table->n_columns);
        int pad = widths[column] - table_width_of(table->cells[i].text);
        bool left = column < table->n_left;
        blanks += (column > 0 ? GAP : 0) + (left ? 0 : pad);
        if (table->cells[i].text[0]) {
            fprintf(out, "%*s%s", blanks, "", table->cells[i].text);
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

// ---- for programs

static const struct cell *cell_at(const struct table *table, size_t row, int column)
{
    return &table->cells[row * (size_t)table->n_columns + (size_t)column];
}

// Its head, in front of it what stands above it or to the left of that; NULL: it has none. Caller
// mem_free()s.
static char *name_below(const struct table *table, int column, bool for_people)
{
    const struct cell *own = cell_at(table, (size_t)table->n_heads - 1, column);
    const char *name = own->name && !for_people ? own->name : own->text, *above = "";
    size_t n = strlen(name);
    for (int c = 0; c <= column && table->n_heads > 1; c++) {
        const char *text = cell_at(table, 0, c)->text;
        above = *text ? text : above;
    }
    while (n > 0 && name[n - 1] == ' ')
        n--;
    return n == 0 ? NULL : mem_printf("%s%s%.*s", above, *above ? " " : "", (int)n, name);
}

static char *name_of(const struct table *table, int column)
{
    return name_below(table, column, false);
}

// The same as people read it; "" where there is none.
static char *name_shown(const struct table *table, int column)
{
    char *name = name_below(table, column, true);
    return name ? name : mem_strdup("");
}

static bool has_halves(const struct table *table, int column)
{
    bool has = false;
    for (size_t i = (size_t)column; i < table->n_cells; i += (size_t)table->n_columns)
        has |= table->cells[i].has_half;
    return has;
}

// As a number that any reader takes: what is text in JSON is "in quotes".
static void put_number(struct report_out *out, double value)
{
    if (isfinite(value))
        fprintf(out->file, "%.15g", value);
    else if (out->format == REPORT_JSON)
        fputs("null", out->file);
}

static void put_text(struct report_out *out, const char *text)
{
    bool json = out->format == REPORT_JSON, quotes = json || strpbrk(text, ",\"\r\n");
    if (quotes)
        fputc('"', out->file);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"')
            fputs(json ? "\\\"" : "\"\"", out->file);
        else if (json && c == '\\')
            fputs("\\\\", out->file);
        else if (json && c < ' ')
            fprintf(out->file, "\\u%04x", c);
        else
            fputc(c, out->file);
    }
    if (quotes)
        fputc('"', out->file);
}

// A text that is a plain number is one; what says that nothing is known is not there.
static void put_cell(struct report_out *out, const struct cell *cell)
{
    char *end = NULL;
    const char *text = cell->text;
    double value = strspn(text, "+-.0123456789") == strlen(text) ? strtod(text, &end) : 0;
    if (cell->has_value)
        put_number(out, cell->value);
    else if (!*text || strcmp(text, "-") == 0 || strcmp(text, "n/a") == 0)
        put_number(out, NAN);
    else if (end && *end == 0)
        put_number(out, value);
    else
        put_text(out, text);
}

// Of the row with that number, in CSV behind the table's name; of heads the names.
static void put_row(const struct table *table, struct report_out *out, const char *table_name,
                    size_t row)
{
    bool json = out->format == REPORT_JSON, names = row < (size_t)table->n_heads;
    const char *between = json ? "{" : ",";
    if (!json)
        put_text(out, names ? "table" : table_name);
    for (int c = 0; c < table->n_columns; c++) {
        const struct cell *cell = cell_at(table, row, c);
        char *name = name_of(table, c);
        for (int half = 0; name && half <= has_halves(table, c); half++) {
            char *key = mem_printf("%s%s", name, half ? "_half_95" : "");
            fputs(between, out->file);
            between = json ? ", " : ",";
            if (json || names)
                put_text(out, key);
            fputs(json ? ": " : "", out->file);
            if (!names && half)
                put_number(out, cell->has_half ? cell->half_95 : (double)NAN);
            else if (!names)
                put_cell(out, cell);
            mem_free(key);
        }
        mem_free(name);
    }
    fputs(json ? "}" : "\n", out->file);
}

static void print_data(const struct table *table, struct report_out *out, const char *name)
{
    size_t n_rows = table->n_cells / (size_t)table->n_columns, first = (size_t)table->n_heads;
    bool json = out->format == REPORT_JSON;
    if (json) {
        fputs(out->n_tables > 0 ? ",\n " : "{\"tables\": [\n ", out->file);
        fputs("{\"table\": ", out->file);
        put_text(out, name);
        fputs(", \"rows\": [", out->file);
    } else {
        fputs(out->n_tables > 0 ? "\n" : "", out->file);
        put_row(table, out, name, 0);
    }
    for (size_t row = first; row < n_rows; row++) {
        if (json)
            fputs(row > first ? ",\n    " : "\n    ", out->file);
        put_row(table, out, name, row);
    }
    if (json)
        fputs("]}", out->file);
}

// ---- marked up

static void put_html_cell(const struct table *table, struct report_out *out, size_t row, int column)
{
    const struct cell *cell = cell_at(table, row, column);
    const char *kind = row < (size_t)table->n_heads ? "th" : "td";
    fprintf(out->file, "<%s%s", kind, column < table->n_left ? " class=\"l\"" : "");
    if (cell->has_value && isfinite(cell->value)) {
        char value[32];
        snprintf(value, sizeof value, "%.10g", cell->value);
        if (!cell->text || strcmp(value, cell->text) != 0) // else the text will do
            fprintf(out->file, " data-v=\"%s\"", value);
    }
    if (column < table->n_left && table_width_of(cell->text) > MARKED_WIDTH) {
        fputs(" title=\"", out->file);
        report_out_escape(out, cell->text);
        fputc('"', out->file);
    }
    fputc('>', out->file);
    report_out_escape(out, cell->text);
    fprintf(out->file, "</%s>", kind);
}

static void print_html(const struct table *table, struct report_out *out, const char *name,
                       size_t n_rows)
{
    size_t n_heads = (size_t)table->n_heads;
    fputs("<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"", out->file);
    report_out_escape(out, name);
    fputs("\"><table><thead>\n", out->file);
    for (size_t row = 0; row < n_rows; row++) {
        fputs(row == n_heads ? "</thead><tbody>\n<tr>" : "<tr>", out->file);
        for (int c = 0; c < table->n_columns; c++)
            put_html_cell(table, out, row, c);
        fputs("</tr>\n", out->file);
    }
    fputs("</tbody></table></div>\n", out->file);
}

// Markdown has one line of heads.
static void print_md(const struct table *table, struct report_out *out, size_t n_rows)
{
    for (size_t row = (size_t)table->n_heads - 1; row < n_rows; row++) {
        bool head = row == (size_t)table->n_heads - 1;
        for (int c = 0; c < table->n_columns; c++) {
            char *name = head ? name_shown(table, c) : NULL;
            fputs(c == 0 ? "| " : " ", out->file);
            report_out_escape(out, head ? name : cell_at(table, row, c)->text);
            fputs(" |", out->file);
            mem_free(name);
        }
        fputc('\n', out->file);
        for (int c = 0; c < table->n_columns && head; c++)
            fputs(c < table->n_left ? "| --- " : "| ---: ", out->file);
        fputs(head ? "|\n" : "", out->file);
    }
    fputc('\n', out->file);
}

static void print_marked_up(const struct table *table, struct report_out *out, const char *name)
{
    size_t n_rows = table->n_cells / (size_t)table->n_columns;
    size_t most = (size_t)table->n_heads + TABLE_MARKED_UP_ROWS, left_out = 0;
    if (n_rows > most) {
        left_out = n_rows - most;
        n_rows = most;
    }
    report_text_end(out);
    if (n_rows <= (size_t)table->n_heads)
        return; // heads alone tell nobody anything
    if (out->format == REPORT_HTML)
        print_html(table, out, name, n_rows);
    else
        print_md(table, out, n_rows);
    if (left_out > 0)
        report_text(out, "and %zu more rows: --format csv has all\n", left_out);
}

void table_print(const struct table *table, struct report_out *out, const char *name)
{
    assert(table->n_cells % (size_t)table->n_columns == 0);
    if (out->format == REPORT_SVG)
        return;
    if (out->format == REPORT_TEXT)
        print_text(table, out->file);
    else if (out->format == REPORT_MD || out->format == REPORT_HTML)
        print_marked_up(table, out, name);
    else
        print_data(table, out, name);
    out->n_tables++;
}

// ---- numbers

// Decimals that show `x` with `digits` significant digits, 0..12.
static int decimals_for(double x, int digits)
{
    if (!(fabs(x) > 0) || !isfinite(x))
        return digits - 1;
    int decimals = digits - 1 - (int)floor(log10(fabs(x)));
    return decimals < 0 ? 0 : decimals > 12 ? 12 : decimals;
}

// Never an exponent: people compare columns digit by digit.
char *table_digits(double value, int digits)
{
    if (!isfinite(value))
        return mem_strdup("n/a");
    if (value == 0)
        return mem_strdup("0");
    return mem_printf("%.*f", decimals_for(value, digits), value);
}

char *table_number(double value)
{
    return table_digits(value, 4);
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
