// SPDX-License-Identifier: Apache-2.0
#include "traces/daycurve.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "traces/timetable.h"

const char *const daycurve_gaps_names[] = {"error", "interpolate", NULL};
const char *const daycurve_shape_names[] = {"none", "evening", "two-peaks", "global", NULL};

// 0 stands for the trough and 1 for the peak, each of which is there once.
static const double shapes[N_DAYCURVE_SHAPES][DAYCURVE_SHAPE_POINTS] = {
    [DAYCURVE_EVENING] = {0.45, 0.26, 0.11, 0.03, 0.00, 0.04, 0.13, 0.27, 0.40, 0.49, 0.54, 0.58,
                          0.62, 0.62, 0.60, 0.60, 0.64, 0.72, 0.84, 0.95, 1.00, 0.97, 0.84, 0.65},
    [DAYCURVE_TWO_PEAKS] = {0.24, 0.13, 0.06, 0.02, 0.00, 0.05, 0.17, 0.38, 0.65, 0.87, 0.97, 1.00,
                            0.90, 0.82, 0.84, 0.86, 0.83, 0.79, 0.81, 0.88, 0.92, 0.82, 0.61, 0.40},
    [DAYCURVE_GLOBAL] = {0.46, 0.35, 0.23, 0.12, 0.03, 0.00, 0.04, 0.12, 0.22, 0.33, 0.44, 0.55,
                         0.66, 0.77, 0.87, 0.95, 0.99, 1.00, 0.98, 0.94, 0.88, 0.79, 0.69, 0.58},
};

void daycurve_shape(enum daycurve_shape shape, double trough_frac, struct reals *out)
{
    assert(shape > DAYCURVE_NONE && shape < N_DAYCURVE_SHAPES);
    double *v = mem_alloc(DAYCURVE_SHAPE_POINTS * sizeof *v);
    for (size_t i = 0; i < DAYCURVE_SHAPE_POINTS; i++)
        v[i] = trough_frac + (1 - trough_frac) * shapes[shape][i];
    *out = (struct reals){DAYCURVE_SHAPE_POINTS, v};
}

// A line of a file: NAN stands for a rate that is not there.
struct point {
    int64_t ns; // 0 without times
    double rate;
    uint64_t line; // for messages
};

// A file that is being read.
struct reader {
    struct timetable table;
    const struct daycurve_config *config;
    struct timetable_column time, value;
    bool timed;
    bool is_long;       // a line for every series and time
    size_t series_at;   // column of the series, if so
    const char *wanted; // the series, if so; borrowed; NULL: the only one
    size_t n, cap;
    struct point *v;
};

// ---- columns

static const char *const series_words[] = {"series", "metric", NULL};
static const char *const value_words[] = {"value", NULL};

static const char *given(const char *text)
{
    return text ? text : "";
}

// The first column whose name in the header is one of `words`; n_fields: there is none.
static size_t column_called(const struct timetable *table, const char *const *words)
{
    const struct csv *csv = &table->csv;
    for (size_t i = 0; table->has_header && i < csv->n_fields; i++)
        for (const char *const *word = words; *word; word++)
            if (csv_says(&csv->fields[i], *word))
                return i;
    return csv->n_fields;
}

static bool has_header(const struct csv *csv, int header)
{
    size_t at[CSV_MAX_FIELDS];
    for (size_t i = 0; i < csv->n_fields; i++)
        at[i] = i;
    return header == TIMETABLE_HEADER_AUTO ? csv_is_header(csv, at, csv->n_fields)
                                           : header == TIMETABLE_HEADER_YES;
}

static int find_time(struct reader *r, struct err *err)
{
    const char *wanted = given(r->config->time_column);
    size_t n = r->table.csv.n_fields;
    int header = r->table.has_header ? TIMETABLE_HEADER_YES : TIMETABLE_HEADER_NO;
    r->time = (struct timetable_column){
        "time_column", *wanted ? wanted : "auto", 1, TIMETABLE_TIME, 0, 0};
    r->timed = n > 1 || *wanted;
    return r->timed ? timetable_columns(&r->table, header, &r->time, 1, err) : 0;
}

// Says what there is to choose from, as far as there is room.
static int refuse_series(const struct reader *r, struct err *err)
{
    const struct csv *csv = &r->table.csv;
    char shown[CSV_SHOW_MAX];
    csv_fail(csv, 1, err, "series: expected one of the %zu of the file", csv->n_fields - r->timed);
    if (!r->table.has_header)
        return err_append(err, ", by the number of its column");
    for (size_t i = 0, n = 0; i < csv->n_fields && n < 8; i++)
        if (!r->timed || i != r->time.at)
            err_append(err, "%s %s", n++ ? "," : ":", csv_show(&csv->fields[i], shown));
    return -1;
}

// Does the only column that may hold the rates say that it holds something else?
static int check_rates(const struct reader *r, struct err *err)
{
    const struct csv_field *name = &r->table.csv.fields[r->value.at];
    char shown[CSV_SHOW_MAX];
    int unit, kinds = r->table.has_header ? timetable_kinds(name, &unit) : 0;
    bool named = *given(r->config->service) && csv_equals(name, r->config->service);
    return kinds == 0 || kinds & TIMETABLE_RATE || named
               ? 0
               : csv_fail(&r->table.csv, name->column, err,
                          "series: column %zu is named %s, which is no rate; expected one named "
                          "\"rate\", or as the service",
                          r->value.at + 1, csv_show(name, shown));
}

// The column of the rates, in a file with one for every series.
static int find_value(struct reader *r, struct err *err)
{
    const char *wanted = given(r->config->series), *service = given(r->config->service);
    const struct csv *csv = &r->table.csv;
    int header = r->table.has_header ? TIMETABLE_HEADER_YES : TIMETABLE_HEADER_NO;
    r->value = (struct timetable_column){"series", wanted, 0, 0, 0, 0};
    if (*wanted) {
        if (timetable_columns(&r->table, header, &r->value, 1, err) < 0)
            return -1;
        return r->timed && r->value.at == r->time.at
                   ? csv_fail(csv, 1, err, "series: column \"%s\" is that of the times", wanted)
                   : 0;
    }
    if (csv->n_fields <= 1u + r->timed) {
        r->value.at = r->timed && r->time.at == 0 ? 1 : 0;
        return r->value.at < csv->n_fields ? check_rates(r, err) : refuse_series(r, err);
    }
    for (size_t i = 0; r->table.has_header && *service && i < csv->n_fields; i++)
        if (i != r->time.at && csv_equals(&csv->fields[i], service)) {
            r->value.at = i;
            return timetable_alone(&r->table, "series", i, err);
        }
    return refuse_series(r, err);
}

// Which series of a file with a line for each: the one that is asked for, else the service's, else
// the only one. Reads the file through.
static int find_series(struct reader *r, struct err *err)
{
    const char *asked = given(r->config->series), *service = given(r->config->service);
    struct csv_field first = {0}, other = {0};
    char one[CSV_SHOW_MAX], two[CSV_SHOW_MAX];
    int rc = *asked ? 0 : 1;
    r->wanted = *asked ? asked : NULL;
    while (rc > 0 && (rc = timetable_next(&r->table, err)) > 0) {
        const struct csv_field *field = &r->table.csv.fields[r->series_at];
        if (*service && csv_equals(field, service)) {
            r->wanted = service;
            return 0;
        }
        if (!first.text)
            first = *field;
        if (first.n != field->n || memcmp(first.text, field->text, first.n) != 0)
            other = *field;
    }
    if (other.text)
        return csv_fail(&r->table.csv, 1, err, "series: the file has several, such as %s and %s",
                        csv_show(&first, one), csv_show(&other, two));
    return rc;
}

static int find_columns(struct reader *r, struct err *err)
{
    struct timetable *table = &r->table;
    size_t n = table->csv.n_fields;
    table->has_header = has_header(&table->csv, r->config->header);
    table->is_first = !table->has_header;
    if (find_time(r, err) < 0)
        return -1;
    r->series_at = column_called(table, series_words);
    r->value.at = column_called(table, value_words);
    r->is_long = r->series_at < n && r->value.at < n;
    if (!r->is_long)
        return find_value(r, err);
    return timetable_alone(table, "series", r->series_at, err) ||
                   timetable_alone(table, "series", r->value.at, err)
               ? -1
               : 0;
}

// ---- points

static int read_rate(const struct reader *r, double *rate, struct err *err)
{
    const struct csv *csv = &r->table.csv;
    const struct csv_field *field = &csv->fields[r->value.at];
    char shown[CSV_SHOW_MAX];
    if (csv_is_missing(field)) {
        *rate = NAN;
        return r->config->gaps == DAYCURVE_GAPS_INTERPOLATE
                   ? 0
                   : csv_fail(csv, field->column, err,
                              "no rate: expected a number, got %s (gaps: interpolate fills it in)",
                              csv_show(field, shown));
    }
    if (!csv_number(field, rate))
        return csv_fail(csv, field->column, err,
                        "expected a rate such as \"9000\" or \"0.7\", without a unit, got %s",
                        csv_show(field, shown));
    if (*rate < 0)
        return csv_fail(csv, field->column, err, "expected a rate >= 0, got %s: negative load",
                        csv_show(field, shown));
    if (!(*rate <= 1e9))
        return csv_fail(csv, field->column, err, "expected a rate of at most 1e9, got %s",
                        csv_show(field, shown));
    return 0;
}

static void add_point(struct reader *r, int64_t ns, double rate)
{
    if (r->n == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 32;
        r->v = mem_realloc(r->v, r->cap, sizeof *r->v);
    }
    r->v[r->n++] = (struct point){ns, rate, r->table.csv.line};
}

static int read_point(struct reader *r, struct err *err)
{
    const struct csv *csv = &r->table.csv;
    int64_t ns = 0;
    double rate;
    if (r->timed && timetable_time(&r->table, r->time.at, &ns, err) < 0)
        return -1;
    if (read_rate(r, &rate, err) < 0)
        return -1;
    if (r->timed && r->n > 0 && ns <= r->v[r->n - 1].ns) {
        const struct csv_field *field = &csv->fields[r->time.at];
        char shown[CSV_SHOW_MAX];
        return csv_fail(csv, field->column, err,
                        "time does not increase: %s is not after line %llu", csv_show(field, shown),
                        (unsigned long long)r->v[r->n - 1].line);
    }
    if (r->n == DAYCURVE_MAX_POINTS)
        return csv_fail(csv, 1, err, "expected at most %d points", DAYCURVE_MAX_POINTS);
    add_point(r, ns, rate);
    return 0;
}

static int read_points(struct reader *r, struct err *err)
{
    int rc;
    while ((rc = timetable_next(&r->table, err)) > 0) {
        bool other = r->wanted && !csv_equals(&r->table.csv.fields[r->series_at], r->wanted);
        if (!other && read_point(r, err) < 0)
            return -1;
    }
    if (rc == 0 && r->n == 0 && r->wanted)
        return csv_fail(&r->table.csv, 1, err, "series: no line has \"%.80s\"", r->wanted);
    if (rc == 0 && r->n == 0)
        return csv_fail(&r->table.csv, 1, err, "expected at least one rate");
    return rc;
}

// ---- steps and gaps

// The step: that of the first two points, or where gaps are filled in, which may be there, the
// shortest.
static int64_t find_step(const struct reader *r)
{
    int64_t step_ns = 0;
    for (size_t i = 1; r->timed && i < r->n; i++) {
        int64_t ns = r->v[i].ns - r->v[i - 1].ns;
        bool shorter = r->config->gaps == DAYCURVE_GAPS_INTERPOLATE && ns < step_ns;
        step_ns = i == 1 || shorter ? ns : step_ns;
    }
    return step_ns;
}

// How many steps point i is behind the one before it, 1 without times. Every step must be the same
// to the nanosecond, or to a thousandth of the step where times were rounded.
static int64_t steps_to(struct reader *r, size_t i, int64_t step_ns, struct err *err)
{
    if (i == 0 || !r->timed)
        return i > 0;
    int64_t ns = r->v[i].ns - r->v[i - 1].ns;
    int64_t n = ns / step_ns + (ns % step_ns >= step_ns - step_ns / 2); // to the nearest
    bool filled = r->config->gaps == DAYCURVE_GAPS_INTERPOLATE;
    double off_ns = fabs((double)ns - (double)n * (double)step_ns);
    if (n >= 1 && off_ns <= 1e-3 * (double)step_ns && (n == 1 || filled))
        return n;
    r->table.csv.line = r->v[i].line;
    return csv_fail(&r->table.csv, 1, err,
                    "a gap: expected equal steps of %.9gs, got %.9gs after line %llu%s",
                    (double)step_ns * 1e-9, (double)ns * 1e-9, (unsigned long long)r->v[i - 1].line,
                    filled || n < 2 ? "" : " (gaps: interpolate fills it in)");
}

// Puts straight lines where there is no rate; the last point is followed by the first.
static void fill_gaps(double *v, size_t n, size_t first)
{
    for (size_t at = first; at < first + n;) {
        size_t next = at + 1;
        while (isnan(v[next % n]))
            next++;
        double from = v[at % n], to = v[next % n];
        for (size_t i = at + 1; i < next; i++)
            v[i % n] = from + (to - from) * (double)(i - at) / (double)(next - at);
        at = next;
    }
}

static int make_curve(struct reader *r, struct daycurve *out, struct err *err)
{
    double *v = mem_alloc(DAYCURVE_MAX_POINTS * sizeof *v);
    int64_t step_ns = find_step(r);
    size_t n = 0, known = SIZE_MAX;
    for (size_t i = 0; i < r->n; i++) {
        int64_t steps = steps_to(r, i, step_ns, err);
        if (steps < 0 || (uint64_t)steps > DAYCURVE_MAX_POINTS - n) {
            mem_free(v);
            return steps < 0 ? -1
                             : csv_fail(&r->table.csv, 1, err, "expected at most %d points",
                                        DAYCURVE_MAX_POINTS);
        }
        for (int64_t k = 1; k < steps; k++)
            v[n++] = NAN;
        known = isnan(r->v[i].rate) ? known : n;
        v[n++] = r->v[i].rate;
    }
    if (known == SIZE_MAX) {
        mem_free(v);
        return csv_fail(&r->table.csv, 1, err, "expected at least one rate");
    }
    fill_gaps(v, n, known);
    *out = (struct daycurve){{n, mem_realloc(v, n, sizeof *v)}, (double)step_ns / 1e9};
    return 0;
}

static int read_file(struct reader *r, const char *name, const char *data, size_t n,
                     struct err *err)
{
    const struct daycurve_config *config = r->config;
    if (timetable_open(&r->table, name, data, n, config->separator, err) < 0 ||
        find_columns(r, err) < 0)
        return -1;
    r->table.time_unit = config->time_unit;
    // To find the series, the lines are read through: back to the first of them.
    struct timetable *start = mem_alloc(sizeof *start);
    *start = r->table;
    int rc = r->is_long ? find_series(r, err) : 0;
    r->table = *start;
    mem_free(start);
    return rc < 0 ? -1 : read_points(r, err);
}

int daycurve_parse(const char *name, const char *data, size_t n,
                   const struct daycurve_config *config, struct daycurve *out, struct err *err)
{
    struct reader *r = mem_calloc(1, sizeof *r);
    r->config = config;
    int rc = read_file(r, name, data, n, err);
    if (rc == 0)
        rc = make_curve(r, out, err);
    mem_free(r->v);
    mem_free(r);
    return rc;
}

int daycurve_read(const char *path, const struct daycurve_config *config, struct daycurve *out,
                  struct err *err)
{
    char *data;
    size_t n;
    if (csv_read_file(path, &data, &n, err) < 0)
        return -1;
    int rc = daycurve_parse(path, data, n, config, out, err);
    mem_free(data);
    return rc;
}

double daycurve_rate_qps(const struct reals *curve)
{
    double total = 0;
    for (size_t i = 0; i < curve->n; i++)
        total += curve->v[i];
    return total / (double)curve->n;
}

bool daycurve_is_absolute(const struct reals *curve, double rate_qps)
{
    double mean = daycurve_rate_qps(curve), top = 0;
    for (size_t i = 0; i < curve->n; i++)
        top = fmax(top, curve->v[i]);
    return top > 200 || (top > 2 && rate_qps > 0.1 * mean && rate_qps < 10 * mean);
}

// A place on the curve: a piece, counted from 0 on over all periods, and how far into it.
static double value_at(const struct reals *curve, double piece, double offset)
{
    size_t i = (size_t)fmod(piece, (double)curve->n);
    double first = curve->v[i], last = curve->v[(i + 1) % curve->n];
    return first + (last - first) * offset;
}

// Calls of `fold` with both ends of every stretch of [from, to] on which the curve is linear.
typedef void (*stretch_fn)(double *sum, double width, double first, double last);

static double fold(const struct reals *curve, double from, double to, stretch_fn add)
{
    double at = from * (double)curve->n, end = to * (double)curve->n, result = 0;
    for (double piece = floor(at); piece < end; piece++) {
        double first = fmax(at - piece, 0), last = fmin(end - piece, 1);
        if (last > first)
            add(&result, last - first, value_at(curve, piece, first), value_at(curve, piece, last));
    }
    return result;
}

static void add_area(double *sum, double width, double first, double last)
{
    *sum += 0.5 * width * (first + last);
}

static void add_top(double *top, double width, double first, double last)
{
    (void)width;
    *top = fmax(*top, fmax(first, last));
}

double daycurve_mean(const struct reals *curve, double from, double to)
{
    return fold(curve, from, to, add_area) / ((to - from) * (double)curve->n);
}

double daycurve_max(const struct reals *curve, double from, double to)
{
    return fold(curve, from, to, add_top);
}
