// SPDX-License-Identifier: Apache-2.0
#include "study/table_csv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/schema.h"
#include "base/units.h"
#include "traces/csv.h"

#define BATCH_MAX 1e6
#define BUSY_MAX 1024
#define LONGEST_S 86400.0
#define MOST_ROWS 100000
#define MOST_QUANTILES 16
#define NAME_MAX_BYTES 64

// ---- what a column is ---------------------------------------------------------------------------

enum role {
    ROLE_OTHER,
    ROLE_BATCH,
    ROLE_BUSY,
    ROLE_TIME,
    ROLE_LOAD,
    ROLE_COMPUTE,
    ROLE_INPUT, // of perf_analyzer: the three parts of its compute time
    ROLE_INFER,
    ROLE_OUTPUT,
    ROLE_QUANTILE,
    ROLE_CV,
    ROLE_DEVICE,
    ROLE_MODEL,
    ROLE_PLATFORM,
    ROLE_PERF, // says that perf_analyzer wrote the file
    N_ROLES
};

static const struct {
    const char *word;
    enum role role;
} words[] = {{"batch", ROLE_BATCH},
             {"batch_size", ROLE_BATCH},
             {"batch_items", ROLE_BATCH},
             {"batches", ROLE_BATCH},
             {"items", ROLE_BATCH},
             {"busy_cores", ROLE_BUSY},
             {"busy", ROLE_BUSY},
             {"concurrency", ROLE_BUSY},
             {"instances", ROLE_BUSY},
             {"time", ROLE_TIME},
             {"latency", ROLE_TIME},
             {"mean", ROLE_TIME},
             {"mean_time", ROLE_TIME},
             {"mean_latency", ROLE_TIME},
             {"avg", ROLE_TIME},
             {"avg_latency", ROLE_TIME},
             {"average_latency", ROLE_TIME},
             {"service_time", ROLE_TIME},
             {"", ROLE_TIME}, // a unit alone: "ms"
             {"load", ROLE_LOAD},
             {"load_time", ROLE_LOAD},
             {"compute", ROLE_COMPUTE},
             {"compute_time", ROLE_COMPUTE},
             {"server_compute_input", ROLE_INPUT},
             {"server_compute_infer", ROLE_INFER},
             {"server_compute_output", ROLE_OUTPUT},
             {"cv", ROLE_CV},
             {"device", ROLE_DEVICE},
             {"model", ROLE_MODEL},
             {"platform", ROLE_PLATFORM},
             {"machine", ROLE_PLATFORM},
             {"inferences/second", ROLE_PERF}};

static const struct {
    const char *word;
    double per_s;
} time_units[] = {{"s", 1},
                  {"sec", 1},
                  {"seconds", 1},
                  {"ms", 1e3},
                  {"msec", 1e3},
                  {"millis", 1e3},
                  {"milliseconds", 1e3},
                  {"us", 1e6},
                  {"usec", 1e6},
                  {"microseconds", 1e6},
                  {"ns", 1e9},
                  {"nanoseconds", 1e9}};

struct column {
    enum role role;
    double per_s;    // of times: its unit is 1 / per_s seconds; 0: none is said
    double quantile; // of ROLE_QUANTILE
    size_t at;       // in the header
};

struct row {
    uint64_t line;
    size_t column; // of its batch, for messages
    bool accel;
    double batch, busy, time_s, load_s, compute_s, cv;
};

struct reader {
    struct csv csv;
    struct column columns[CSV_MAX_FIELDS];
    size_t n_columns, by_role[N_ROLES]; // how many columns, of which the last is at, from 1
    struct table_csv *to;
    bool perf, for_accelerator;
    double batch; // of all lines, from "# batch: 8"; 0: there is a column
    struct row *rows;
    size_t n_rows;
};

// "Time (us)" and "p99 latency" to "time_us" and "p99_latency"; the micro sign to u.
static void plain_name(const struct csv_field *field, char word[NAME_MAX_BYTES])
{
    size_t n = 0;
    for (size_t i = 0; i < field->n && n < NAME_MAX_BYTES - 1; i++) {
        char c = field->text[i];
        if (i + 1 < field->n && (memcmp(field->text + i, "\xc2\xb5", 2) == 0 ||
                                 memcmp(field->text + i, "\xce\xbc", 2) == 0)) {
            c = 'u';
            i++;
        }
        if (strchr(")]\"", c))
            continue;
        c = strchr(" ([-_", c) ? '_' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        if (c != '_' || (n > 0 && word[n - 1] != '_'))
            word[n++] = c;
    }
    word[n] = '\0';
}

// Cuts the unit off the end of a name.
static double cut_unit(char *word)
{
    char *last = strrchr(word, '_'), *unit = last ? last + 1 : word;
    for (size_t i = 0; i < sizeof time_units / sizeof *time_units; i++)
        if (strcmp(time_units[i].word, unit) == 0) {
            *(last ? last : word) = '\0';
            return time_units[i].per_s;
        }
    return 0;
}

// "p99", "p99.9", "p99_latency", "latency_p99", "p99_time": 0.99; 0: something else.
static double quantile_of(const char *word)
{
    double percent;
    char *end;
    if (strncmp(word, "latency_", 8) == 0)
        word += 8;
    struct csv_field digits = {word + 1, strcspn(word, "_"), 1};
    if (word[0] != 'p' || digits.n < 2)
        return 0;
    digits.n--;
    end = strchr(word, '_');
    if (!csv_number(&digits, &percent) || !(percent > 0 && percent < 100) ||
        strchr("+-", word[1]) || (end && strcmp(end, "_latency") && strcmp(end, "_time")))
        return 0;
    return percent / 100;
}

static struct column column_of(const struct csv_field *field, size_t at)
{
    char word[NAME_MAX_BYTES];
    struct column column = {.at = at};
    plain_name(field, word);
    if (!*word)
        return column;
    column.per_s = cut_unit(word);
    column.quantile = quantile_of(word);
    if (column.quantile > 0)
        column.role = ROLE_QUANTILE;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].word, word) == 0)
            column.role = words[i].role;
    return column;
}

static const struct csv_field *header_at(const struct reader *r, enum role role)
{
    return &r->csv.fields[r->by_role[role] - 1];
}

static int check_header(const struct reader *r, struct err *err)
{
    const struct csv *csv = &r->csv;
    const size_t *has = r->by_role;
    bool batch = has[ROLE_BATCH] || r->batch > 0;
    bool median = false, time = has[ROLE_TIME] || has[ROLE_COMPUTE] || has[ROLE_INFER];
    for (size_t i = 0; i < r->n_columns; i++)
        median = median || r->columns[i].quantile == 0.5;
    if (!batch && has[ROLE_BUSY])
        return csv_fail(csv, header_at(r, ROLE_BUSY)->column, err,
                        "concurrency without a batch: expected a column \"batch\", or a line "
                        "\"# batch: 8\" where all are of one");
    if (!batch)
        return csv_fail(csv, 1, err,
                        "expected a header with a column \"batch\", and one such as \"time_ms\"");
    if (!time && !median)
        return csv_fail(csv, 1, err,
                        "expected a column of times, such as \"time_ms\" or \"p50_ms\", next to "
                        "the batch");
    return 0;
}

static int read_header(struct reader *r, struct err *err)
{
    struct csv *csv = &r->csv;
    char shown[CSV_SHOW_MAX], other[CSV_SHOW_MAX];
    r->n_columns = csv->n_fields;
    for (size_t i = 0; i < csv->n_fields; i++) {
        struct column column = column_of(&csv->fields[i], i);
        size_t *of_role = &r->by_role[column.role];
        bool twice = column.role != ROLE_OTHER && column.role != ROLE_QUANTILE && *of_role;
        for (size_t k = 0; k < i && column.role == ROLE_QUANTILE; k++)
            twice = twice || r->columns[k].quantile == column.quantile;
        if (twice)
            return csv_fail(csv, csv->fields[i].column, err, "%s says the same as %s: rename one",
                            csv_show(&csv->fields[i], shown),
                            csv_show(&csv->fields[*of_role ? *of_role - 1 : 0], other));
        *of_role = i + 1;
        r->columns[i] = column;
    }
    r->perf = r->by_role[ROLE_PERF] || r->by_role[ROLE_INFER];
    for (size_t i = 0; i < r->n_columns && r->perf; i++)
        if (r->columns[i].per_s == 0)
            r->columns[i].per_s = 1e6;
    // Percentiles without a unit have that of the time beside them.
    const size_t *has = r->by_role;
    size_t time = has[ROLE_TIME] ? has[ROLE_TIME] : has[ROLE_COMPUTE];
    for (size_t i = 0; i < r->n_columns && time; i++)
        if (r->columns[i].role == ROLE_QUANTILE && r->columns[i].per_s == 0)
            r->columns[i].per_s = r->columns[time - 1].per_s;
    return check_header(r, err);
}

// ---- lines --------------------------------------------------------------------------------------

static const struct csv_field *field_of(const struct reader *r, enum role role)
{
    size_t at = r->by_role[role];
    return at ? &r->csv.fields[at - 1] : NULL;
}

static int fail_at(const struct reader *r, const struct csv_field *field, const char *expected,
                   struct err *err)
{
    char shown[CSV_SHOW_MAX];
    return csv_fail(&r->csv, field->column, err, "expected %s, got %s", expected,
                    field->n ? csv_show(field, shown) : "nothing");
}

static int read_count(const struct reader *r, enum role role, const char *expected, double most,
                      double *count, struct err *err)
{
    const struct csv_field *field = field_of(r, role);
    if (!field)
        return 0;
    if (!csv_number(field, count) || !(*count >= 1 && *count <= most) || floor(*count) != *count)
        return fail_at(r, field, expected, err);
    return 0;
}

// "1.9ms", in a column without a unit.
static bool time_with_unit(const struct csv_field *field, double *time_s)
{
    char text[CSV_SHOW_MAX];
    if (field->n == 0 || field->n >= sizeof text)
        return false;
    memcpy(text, field->text, field->n);
    text[field->n] = '\0';
    return strlen(text) == field->n && units_parse(UNIT_TIME, text, time_s, NULL) == 0;
}

// least 0: a time of 0 will do.
static int read_time(const struct reader *r, const struct column *column, bool may_be_0,
                     double *time_s, struct err *err)
{
    const struct csv_field *field = &r->csv.fields[column->at];
    const char *expected = may_be_0 ? "a time of 0 or more" : "a time above 0";
    double number;
    bool plain = csv_number(field, &number);
    if (plain && number < 0)
        return fail_at(r, field, expected, err);
    if (plain && column->per_s == 0)
        return fail_at(r, field,
                       "a time with its unit, such as \"1.9ms\", or the unit in the column's name, "
                       "such as time_ms",
                       err);
    if (plain)
        *time_s = number / column->per_s;
    else if (!time_with_unit(field, time_s))
        return fail_at(r, field, expected, err);
    if (*time_s > LONGEST_S)
        return fail_at(r, field, "a time of at most a day", err);
    if (!(*time_s > 0 || (may_be_0 && *time_s == 0)))
        return fail_at(r, field, expected, err);
    return 0;
}

static int read_part(const struct reader *r, enum role role, bool may_be_0, double *time_s,
                     struct err *err)
{
    size_t at = r->by_role[role];
    *time_s = 0;
    return at ? read_time(r, &r->columns[at - 1], may_be_0, time_s, err) : 0;
}

// z with P(Z <= z) = q of a standard normal Z, by halving: a table has a handful of lines.
static double normal_quantile(double q)
{
    double low = -40, high = 40;
    for (int i = 0; i < 100; i++) {
        double z = (low + high) / 2;
        if (0.5 * erfc(-z / sqrt(2)) < q)
            low = z;
        else
            high = z;
    }
    return (low + high) / 2;
}

// To four digits: so it does not depend on the last bits of anybody's logarithm.
static double rounded(double cv)
{
    char text[32];
    snprintf(text, sizeof text, "%.4g", cv);
    return strtod(text, NULL);
}

double table_csv_cv(double time_s, double median_s, const double *quantile, const double *time_at_s,
                    size_t n)
{
    double sum = 0, centre_s = median_s > 0 ? median_s : time_s;
    size_t n_above = 0;
    for (size_t i = 0; i < n; i++)
        if (quantile[i] > 0.5) {
            double over = fmax(time_at_s[i] - centre_s, 0) / time_s;
            sum += log1p(over) / normal_quantile(quantile[i]);
            n_above++;
        }
    double s = n_above > 0 ? sum / (double)n_above : 0;
    return rounded(sqrt(expm1(fmin(s * s, 9)))); // below 100, far beyond what anybody measures
}

struct quantiles {
    size_t n;
    double quantile[MOST_QUANTILES], time_s[MOST_QUANTILES], median_s;
};

// An empty cell is a percentile that this line does not have. They are sorted as they come in.
static int read_quantiles(const struct reader *r, struct quantiles *all, struct err *err)
{
    all->n = 0;
    all->median_s = 0;
    for (size_t i = 0; i < r->n_columns; i++) {
        const struct column *column = &r->columns[i];
        const struct csv_field *field = &r->csv.fields[i];
        double time_s;
        if (column->role != ROLE_QUANTILE || csv_is_missing(field) || all->n == MOST_QUANTILES)
            continue;
        if (read_time(r, column, false, &time_s, err) < 0)
            return -1;
        for (size_t k = 0; k < all->n; k++)
            if ((all->quantile[k] < column->quantile) != (all->time_s[k] < time_s) &&
                all->time_s[k] != time_s)
                return csv_fail(&r->csv, field->column, err,
                                "p%.6g is %.6g ms and p%.6g is %.6g ms: expected the higher to be "
                                "longer",
                                100 * column->quantile, 1e3 * time_s, 100 * all->quantile[k],
                                1e3 * all->time_s[k]);
        all->quantile[all->n] = column->quantile;
        all->time_s[all->n++] = time_s;
        if (column->quantile == 0.5)
            all->median_s = time_s;
    }
    return 0;
}

static int read_device(const struct reader *r, bool *accel, struct err *err)
{
    const struct csv_field *field = field_of(r, ROLE_DEVICE);
    *accel = r->for_accelerator;
    if (!field)
        return 0;
    *accel = csv_says(field, "accelerator") || csv_says(field, "gpu");
    return *accel || csv_says(field, "cpu") ? 0 : fail_at(r, field, "cpu or accelerator", err);
}

// The time of a line and its two parts, from what columns there are.
static int read_times(const struct reader *r, struct row *row, const struct quantiles *quantiles,
                      struct err *err)
{
    const size_t *has = r->by_role;
    double input_s, infer_s, output_s;
    if (has[ROLE_INFER]) {
        if (read_part(r, ROLE_INPUT, true, &input_s, err) < 0 ||
            read_part(r, ROLE_INFER, false, &infer_s, err) < 0 ||
            read_part(r, ROLE_OUTPUT, true, &output_s, err) < 0)
            return -1;
        row->load_s = input_s;
        row->compute_s = infer_s + output_s;
    } else if (has[ROLE_COMPUTE]) {
        if (read_part(r, ROLE_LOAD, true, &row->load_s, err) < 0 ||
            read_part(r, ROLE_COMPUTE, false, &row->compute_s, err) < 0)
            return -1;
    } else if (has[ROLE_TIME]) {
        if (read_part(r, ROLE_TIME, false, &row->compute_s, err) < 0)
            return -1;
    } else {
        row->compute_s = quantiles->median_s;
    }
    row->time_s = row->load_s + row->compute_s;
    if (row->time_s > 0)
        return 0;
    return csv_fail(&r->csv, row->column, err, "expected a time for this batch, got nothing");
}

// A name, without what would not print.
static char *label(const struct csv_field *field)
{
    char *text = mem_printf("%.*s", (int)(field->n < NAME_MAX_BYTES ? field->n : NAME_MAX_BYTES),
                            field->text);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = '?';
    return text;
}

// A text that all lines share.
static int read_label(const struct reader *r, enum role role, char **to, struct table_place *at,
                      struct err *err)
{
    const struct csv_field *field = field_of(r, role);
    char shown[CSV_SHOW_MAX];
    if (!field)
        return 0;
    if (*to && !csv_equals(field, *to))
        return csv_fail(&r->csv, field->column, err,
                        "expected \"%.60s\" as above, got %s: a table is of one model on one "
                        "platform",
                        *to, csv_show(field, shown));
    if (!*to && field->n > 0) {
        *to = label(field);
        *at = (struct table_place){r->csv.line, field->column};
    }
    return 0;
}

static int read_row(struct reader *r, struct err *err)
{
    struct row row = {.line = r->csv.line, .column = 1, .batch = r->batch, .busy = 1};
    const struct csv_field *batch = field_of(r, ROLE_BATCH), *cv = field_of(r, ROLE_CV);
    struct quantiles quantiles;
    struct table_csv *to = r->to;
    if (r->csv.n_fields != r->n_columns)
        return csv_fail(&r->csv, r->csv.fields[r->csv.n_fields - 1].column, err,
                        "expected %zu fields as in the header, got %zu", r->n_columns,
                        r->csv.n_fields);
    row.column = batch ? batch->column : 1;
    if (read_count(r, ROLE_BATCH, "a batch of 1 to 1000000 items", BATCH_MAX, &row.batch, err) <
            0 ||
        read_count(r, ROLE_BUSY, "1 to 1024 requests at a time", BUSY_MAX, &row.busy, err) < 0 ||
        read_device(r, &row.accel, err) < 0 || read_quantiles(r, &quantiles, err) < 0 ||
        read_times(r, &row, &quantiles, err) < 0 ||
        read_label(r, ROLE_MODEL, &to->table.model, &to->model_at, err) < 0 ||
        read_label(r, ROLE_PLATFORM, &to->table.platform, &to->platform_at, err) < 0)
        return -1;
    if (cv && !csv_is_missing(cv)) {
        if (!csv_number(cv, &row.cv) || !(row.cv >= 0 && row.cv <= 100))
            return fail_at(r, cv, "a coefficient of variation of 0 to 100", err);
    } else {
        row.cv = table_csv_cv(row.time_s, quantiles.median_s, quantiles.quantile, quantiles.time_s,
                              quantiles.n);
    }
    if (r->n_rows == MOST_ROWS)
        return csv_fail(&r->csv, 1, err, "expected at most %d lines", MOST_ROWS);
    if ((r->n_rows & (r->n_rows - 1)) == 0) // at powers of two
        r->rows = mem_realloc(r->rows, r->n_rows > 0 ? 2 * r->n_rows : 1, sizeof *r->rows);
    r->rows[r->n_rows++] = row;
    return 0;
}

// ---- from lines to a table ----------------------------------------------------------------------

static int by_place(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->accel != y->accel)
        return x->accel ? 1 : -1;
    if (x->busy != y->busy)
        return x->busy < y->busy ? -1 : 1;
    if (x->batch != y->batch)
        return x->batch < y->batch ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

static int fail_row(const struct reader *r, const struct row *row, struct err *err,
                    const char *text)
{
    return err_set(err, ERR_STUDY, "%s:%llu:%zu: %s", r->csv.name, (unsigned long long)row->line,
                   row->column, text);
}

static void append(struct reals *to, double value)
{
    if ((to->n & (to->n - 1)) == 0)
        to->v = mem_realloc(to->v, to->n > 0 ? 2 * to->n : 1, sizeof *to->v);
    to->v[to->n++] = value;
}

static int refuse_hole(const struct reader *r, const struct row *row, double busy, struct err *err)
{
    char text[160];
    snprintf(text, sizeof text,
             "batch %.6g was measured with %.6g at a time and not with %.6g: expected every batch "
             "with each",
             row->batch, row->busy, busy);
    return fail_row(r, row, err, text);
}

// Sorted lines of one device and one count of busy cores: do they have the batches of `first`?
static int match(const struct reader *r, const struct row *first, size_t n_first,
                 const struct row *rows, size_t n, struct err *err)
{
    for (size_t i = 0; i < n_first || i < n; i++) {
        if (i >= n || (i < n_first && first[i].batch < rows[i].batch))
            return refuse_hole(r, &first[i], rows[0].busy, err);
        if (i >= n_first || rows[i].batch < first[i].batch)
            return refuse_hole(r, &rows[i], first[0].busy, err);
    }
    return 0;
}

static int refuse_twice(const struct reader *r, const struct row *rows, size_t n, struct err *err)
{
    for (size_t i = 1; i < n; i++) {
        if (rows[i].batch != rows[i - 1].batch)
            continue;
        char text[120];
        snprintf(text, sizeof text, "batch %.6g with %.6g at a time is in line %llu already",
                 rows[i].batch, rows[i].busy, (unsigned long long)rows[i - 1].line);
        return fail_row(r, &rows[i], err, text);
    }
    return 0;
}

static size_t same_busy(const struct row *rows, size_t n)
{
    size_t i = 1;
    while (i < n && rows[i].busy == rows[0].busy && rows[i].accel == rows[0].accel)
        i++;
    return i;
}

static int add_cpu(const struct reader *r, const struct row *rows, size_t n, struct err *err)
{
    struct cost_table *table = &r->to->table;
    size_t n_batches = same_busy(rows, n);
    for (size_t i = 0, m; i < n; i += m) {
        m = same_busy(rows + i, n - i);
        if (refuse_twice(r, rows + i, m, err) < 0 ||
            match(r, rows, n_batches, rows + i, m, err) < 0)
            return -1;
        append(&table->busy_cores, rows[i].busy);
    }
    for (size_t i = 0; i < n; i++) {
        if (i < n_batches)
            append(&table->batches_items, rows[i].batch);
        append(&table->seconds_s, rows[i].time_s);
    }
    return 0;
}

// An accelerator runs its streams whatever else it does.
static int add_accel(const struct reader *r, const struct row *rows, size_t n, struct err *err)
{
    struct cost_table *table = &r->to->table;
    if (n > 0 && same_busy(rows, n) < n)
        return fail_row(r, &rows[same_busy(rows, n)], err,
                        "expected accelerator times with one request at a time, or with one count");
    if (n > 0 && refuse_twice(r, rows, n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        append(&table->accel_batches_items, rows[i].batch);
        append(&table->accel_load_s, rows[i].load_s);
        append(&table->accel_compute_s, rows[i].compute_s);
    }
    return 0;
}

// As many as busy counts, or one.
static int check_histories(const struct reader *r, struct err *err)
{
    const struct cost_table *table = &r->to->table;
    const struct reals *const lists[] = {&table->per_history_s, &table->per_history_square_s,
                                         &table->per_item_history_s};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (lists[i]->n > 1 && lists[i]->n != table->busy_cores.n)
            return err_set(err, ERR_STUDY,
                           "%s:1:1: per_history and its like: expected one time, or %zu, as there "
                           "are counts of busy cores, got %zu",
                           r->csv.name, table->busy_cores.n, lists[i]->n);
    return 0;
}

static int build(struct reader *r, struct err *err)
{
    size_t n_cpu = 0;
    double sum = 0;
    if (r->n_rows == 0)
        return csv_fail(&r->csv, 1, err, "expected lines with times below the header");
    qsort(r->rows, r->n_rows, sizeof *r->rows, by_place);
    while (n_cpu < r->n_rows && !r->rows[n_cpu].accel)
        n_cpu++;
    if ((n_cpu > 0 && add_cpu(r, r->rows, n_cpu, err) < 0) ||
        add_accel(r, r->rows + n_cpu, r->n_rows - n_cpu, err) < 0)
        return -1;
    for (size_t i = 0; i < r->n_rows; i++)
        sum += r->rows[i].cv * r->rows[i].cv;
    r->to->table.cv = rounded(sqrt(sum / (double)r->n_rows));
    return check_histories(r, err);
}

// ---- "# model: wnd" -----------------------------------------------------------------------------

// The value behind "# key:" in a line of n bytes, trimmed; n 0: the line is something else.
static struct csv_field comment_value(const char *line, size_t n, const char *key)
{
    size_t at = 0, length = strlen(key);
    while (at < n && strchr("# \t", line[at]))
        at++;
    if (at + length >= n || memcmp(line + at, key, length) != 0 || line[at + length] != ':')
        return (struct csv_field){0};
    at += length + 1;
    while (at < n && strchr(" \t", line[at]))
        at++;
    while (n > at && strchr(" \t\r", line[n - 1]))
        n--;
    return (struct csv_field){line + at, n - at, at + 1};
}

static void take_label(const struct csv_field *value, uint64_t line, char **to,
                       struct table_place *at)
{
    if (value->n == 0 || *to)
        return;
    *to = label(value);
    *at = (struct table_place){line, value->column};
}

// "18.3us 19.1us", with commas or without.
static int take_times(const struct reader *r, const struct csv_field *value, uint64_t line,
                      struct reals *to, struct err *err)
{
    size_t at = 0;
    while (at < value->n) {
        size_t n = 0;
        while (at + n < value->n && !strchr(" \t,", value->text[at + n]))
            n++;
        struct csv_field one = {value->text + at, n, value->column + at};
        double time_s = 0;
        if (n > 0 && (!time_with_unit(&one, &time_s) || !(time_s >= 0 && time_s <= LONGEST_S)))
            return err_set(err, ERR_STUDY,
                           "%s:%llu:%zu: expected times of 0 or more with their unit, such as "
                           "\"1.9us\"",
                           r->csv.name, (unsigned long long)line, one.column);
        if (n > 0)
            append(to, time_s);
        at += n + 1;
    }
    return 0;
}

static int read_histories(const struct reader *r, const char *line, size_t n, uint64_t number,
                          struct err *err)
{
    struct cost_table *table = &r->to->table;
    const struct {
        const char *key;
        struct reals *to;
    } keys[] = {{"per_history", &table->per_history_s},
                {"per_history_square", &table->per_history_square_s},
                {"per_item_history", &table->per_item_history_s}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct csv_field value = comment_value(line, n, keys[i].key);
        if (value.n > 0 && keys[i].to->n > 0)
            return err_set(err, ERR_STUDY, "%s:%llu:%zu: %s is there already", r->csv.name,
                           (unsigned long long)number, value.column, keys[i].key);
        if (value.n > 0 && take_times(r, &value, number, keys[i].to, err) < 0)
            return -1;
    }
    return 0;
}

// Lines that begin with # are none of the table's, but may say what it is of.
static int read_comments(struct reader *r, struct err *err)
{
    const char *line = r->csv.data, *end = r->csv.data + r->csv.n;
    struct table_csv *to = r->to;
    for (uint64_t number = 1; line < end; number++) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t n = (size_t)((stop ? stop : end) - line);
        struct csv_field model = {0}, platform = {0}, batch = {0};
        if (n > 0 && *line == '#') {
            model = comment_value(line, n, "model");
            platform = comment_value(line, n, "platform");
            batch = comment_value(line, n, "batch");
            if (read_histories(r, line, n, number, err) < 0)
                return -1;
        }
        take_label(&model, number, &to->table.model, &to->model_at);
        take_label(&platform, number, &to->table.platform, &to->platform_at);
        if (batch.n > 0 && (!csv_number(&batch, &r->batch) || !(r->batch >= 1) ||
                            r->batch > BATCH_MAX || floor(r->batch) != r->batch))
            return err_set(err, ERR_STUDY, "%s:%llu:%zu: expected a batch of 1 to 1000000 items",
                           r->csv.name, (unsigned long long)number, batch.column);
        line += n + 1;
    }
    return 0;
}

static const char *note_of(const struct reader *r)
{
    if (r->by_role[ROLE_INFER])
        return "a perf_analyzer file: its times are server compute input + infer + output";
    if (r->perf)
        return r->by_role[ROLE_TIME]
                   ? "a perf_analyzer file without compute times: its times are the mean latency, "
                     "queue and network included"
                   : "a perf_analyzer file without compute times: its times are the median "
                     "latency, queue and network included";
    if (!r->by_role[ROLE_TIME] && !r->by_role[ROLE_COMPUTE])
        return "read without mean times: its medians stand for them";
    return NULL;
}

static int read_all(struct reader *r, struct err *err)
{
    int rc = csv_next(&r->csv, err);
    if (rc == 0)
        return csv_fail(&r->csv, 1, err, "expected a header and lines with times");
    if (rc < 0 || read_header(r, err) < 0)
        return -1;
    r->to->note = note_of(r);
    while ((rc = csv_next(&r->csv, err)) > 0)
        if (read_row(r, err) < 0)
            return -1;
    return rc < 0 ? -1 : build(r, err);
}

int table_csv_parse(struct table_csv *to, const char *name, const char *data, size_t n,
                    bool for_accelerator, struct err *err)
{
    struct reader *r = mem_calloc(1, sizeof *r);
    const char *slash = strrchr(name, '/');
    *to = (struct table_csv){.table = {.name = mem_strdup(slash ? slash + 1 : name)}};
    r->to = to;
    r->for_accelerator = for_accelerator;
    int rc = csv_open(&r->csv, name, data, n, CSV_AUTO, err);
    if (rc == 0)
        rc = read_comments(r, err);
    if (rc == 0)
        rc = read_all(r, err);
    mem_free(r->rows);
    mem_free(r);
    if (rc < 0)
        table_csv_release(to);
    return rc;
}

void table_csv_release(struct table_csv *csv)
{
    if (!csv)
        return;
    cost_table_release(&csv->table);
    *csv = (struct table_csv){.note = NULL};
}
