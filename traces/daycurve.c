// SPDX-License-Identifier: Apache-2.0
#include "traces/daycurve.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "traces/csv.h"

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

// A file that is being read.
struct points {
    struct csv csv;
    double *v;
    size_t n, cap;
    int64_t first_ns, last_ns, step_ns; // of the time column
    size_t n_columns;
};

// A number >= 0: digits, a point, an exponent, and nothing else. The field ends at no NUL.
static bool read_number(const struct csv_field *field, double *value)
{
    char text[64], *end;
    if (field->n == 0 || field->n >= sizeof text ||
        strspn(field->text, "0123456789.eE+-") < field->n)
        return false;
    memcpy(text, field->text, field->n);
    text[field->n] = '\0';
    *value = strtod(text, &end);
    return *end == '\0' && end != text;
}

static int add_rate(struct points *p, const struct csv_field *field, struct err *err)
{
    char shown[CSV_SHOW_MAX];
    double rate;
    if (!read_number(field, &rate))
        return csv_fail(&p->csv, field->column, err, "expected a relative rate, got %s",
                        csv_show(field, shown));
    if (rate < 0)
        return csv_fail(&p->csv, field->column, err, "expected a rate >= 0, got %s: negative load",
                        csv_show(field, shown));
    if (!(rate <= 1e9))
        return csv_fail(&p->csv, field->column, err, "expected a rate of at most 1e9, got %s",
                        csv_show(field, shown));
    if (p->n == DAYCURVE_MAX_POINTS)
        return csv_fail(&p->csv, field->column, err, "expected at most %d points",
                        DAYCURVE_MAX_POINTS);
    if (p->n == p->cap) {
        p->cap = p->cap ? 2 * p->cap : 32;
        p->v = mem_realloc(p->v, p->cap, sizeof *p->v);
    }
    p->v[p->n++] = rate;
    return 0;
}

// The step is that of the first two points; every other must be the same to the nanosecond, or to
// a thousandth of the step where times were rounded.
static int check_time(struct points *p, const struct csv_field *field, struct err *err)
{
    char shown[CSV_SHOW_MAX];
    int64_t ns;
    if (csv_decimal(field->text, field->n, 9, &ns) < 0)
        return csv_fail(&p->csv, field->column, err, "expected a time in seconds, got %s",
                        csv_show(field, shown));
    if (p->n == 0) {
        p->first_ns = p->last_ns = ns;
        return 0;
    }
    if (ns <= p->last_ns)
        return csv_fail(&p->csv, field->column, err, "time does not go on: %s is not after %.9gs",
                        csv_show(field, shown), (double)p->last_ns * 1e-9);
    if (p->n == 1)
        p->step_ns = ns - p->first_ns;
    double off_ns = fabs((double)(ns - p->last_ns) - (double)p->step_ns);
    if (off_ns > 1e-3 * (double)p->step_ns)
        return csv_fail(&p->csv, field->column, err,
                        "a gap: expected equal steps of %.9gs, got %.9gs after %.9gs",
                        (double)p->step_ns * 1e-9, (double)(ns - p->last_ns) * 1e-9,
                        (double)p->last_ns * 1e-9);
    p->last_ns = ns;
    return 0;
}

// The first line is a header when all of its fields are words; a NaN is none.
static bool is_header(const struct csv *csv)
{
    for (size_t i = 0; i < csv->n_fields; i++) {
        const struct csv_field *field = &csv->fields[i];
        bool no_number = field->n >= 3 && (strncasecmp(field->text, "nan", 3) == 0 ||
                                           strncasecmp(field->text, "inf", 3) == 0);
        if (field->n == 0 || !isalpha((unsigned char)field->text[0]) || no_number)
            return false;
    }
    return true;
}

static int add_line(struct points *p, struct err *err)
{
    const struct csv *csv = &p->csv;
    if (p->n_columns == 0)
        p->n_columns = csv->n_fields;
    if (p->n_columns > 2 || csv->n_fields != p->n_columns)
        return csv_fail(csv, 1, err, "expected %s, got %zu fields",
                        p->n_columns == 1   ? "a rate"
                        : p->n_columns == 2 ? "a time and a rate"
                                            : "a rate, or a time and a rate",
                        csv->n_fields);
    if (p->n_columns == 2 && check_time(p, &csv->fields[0], err) < 0)
        return -1;
    return add_rate(p, &csv->fields[p->n_columns - 1], err);
}

static int read_lines(struct points *p, struct err *err)
{
    int rc;
    bool first = true;
    while ((rc = csv_next(&p->csv, err)) > 0) {
        bool header = first && is_header(&p->csv);
        first = false;
        if (header)
            p->n_columns = p->csv.n_fields;
        else if (add_line(p, err) < 0)
            return -1;
    }
    if (rc == 0 && p->n == 0)
        return csv_fail(&p->csv, 1, err, "expected at least one rate");
    return rc;
}

int daycurve_parse(const char *name, const char *data, size_t n, struct reals *out, struct err *err)
{
    struct points *p = mem_calloc(1, sizeof *p);
    int rc = csv_open(&p->csv, name, data, n, CSV_AUTO, err);
    if (rc == 0)
        rc = read_lines(p, err);
    if (rc == 0)
        *out = (struct reals){p->n, p->v};
    else
        mem_free(p->v);
    mem_free(p);
    return rc;
}

int daycurve_read(const char *path, struct reals *out, struct err *err)
{
    char *data;
    size_t n;
    if (csv_read_file(path, &data, &n, err) < 0)
        return -1;
    int rc = daycurve_parse(path, data, n, out, err);
    mem_free(data);
    return rc;
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
