// SPDX-License-Identifier: Apache-2.0
#include "study/trace_file.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/schema.h"
#include "base/simtime.h"
#include "results/file/dataset_file.h"

// What a dataset's units may say.
static const struct {
    const char *word;
    int time_unit; // enum timetable_unit
} unit_words[] = {
    {"s", TIMETABLE_S},           {"sec", TIMETABLE_S},           {"second", TIMETABLE_S},
    {"ms", TIMETABLE_MS},         {"millisecond", TIMETABLE_MS},  {"us", TIMETABLE_US},
    {"µs", TIMETABLE_US},         {"microsecond", TIMETABLE_US},  {"ns", TIMETABLE_NS},
    {"seconds", TIMETABLE_S},     {"milliseconds", TIMETABLE_MS}, {"microseconds", TIMETABLE_US},
    {"nanosecond", TIMETABLE_NS}, {"nanoseconds", TIMETABLE_NS},
};

// Times stay below 2^62 ns, 146 years, so that differences and sums of two fit.
#define TIMES_END_NS (INT64_C(1) << 62)

#define MOST_RECORDS (UINT64_C(1) << 28) // 2 GiB in memory
// Names of datasets, for a suggestion, and objects that are looked at for them.
#define MOST_NAMES 1000
#define MOST_OBJECTS 100000
#define MOST_DEPTH 16

// A dataset of one dimension: integers, exactly, or floating point.
struct column {
    const char *name; // as asked for; borrowed
    char *units;      // "" without
    size_t n;         // records; 0: there is no such column
    int64_t *whole;   // [n]; NULL: floating point
    double *real;     // [n]; NULL: integers
};

// Reading one file.
struct reader {
    const struct trace_csv_config *config;
    struct column times, sizes; // sizes: empty if the trace has none
    struct column histories;    // likewise
    int64_t unit_ns;            // of the times
    int64_t last_ns;            // of the last good record
    uint64_t n_bad;             // records
    struct err first_bad;
};

// An error about a column of the file.
__attribute__((format(printf, 4, 5))) static int fail(const struct trace_csv_config *config,
                                                      const struct column *column, struct err *err,
                                                      const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return err_set(err, ERR_STUDY, "%s: %.200s: %s", config->file, column->name, text);
}

// ---- columns

struct names {
    struct dataset_file *file;
    size_t n;
    int depth, n_seen;
    char *v[MOST_NAMES];
};

static void note_name(void *user, const char *path, enum dataset_file_object what)
{
    struct names *names = user;
    if (++names->n_seen > MOST_OBJECTS || names->n == MOST_NAMES || names->depth == MOST_DEPTH)
        return;
    names->depth++;
    if (what == DATASET_FILE_GROUP)
        dataset_file_each_object(names->file, path, note_name, names);
    names->depth--;
    if (what == DATASET_FILE_VARIABLE && names->n < MOST_NAMES)
        names->v[names->n++] = mem_strdup(path);
}

// Says which dataset might have been meant.
static void refuse_missing(struct dataset_file *f, const char *name, const char *path)
{
    struct names *names = mem_calloc(1, sizeof *names);
    names->file = f;
    dataset_file_each_object(f, "/", note_name, names);
    const char *near = schema_nearest(path, (const char *const *)names->v, names->n);
    if (near)
        dataset_file_refuse(f, "%.200s: no such dataset; did you mean \"%.200s\"?", name, near);
    else if (names->n == 0)
        dataset_file_refuse(f, "%.200s: no such dataset%s", name,
                            names->n_seen > MOST_OBJECTS ? "" : "; the file has none");
    else
        dataset_file_refuse(f, "%.200s: no such dataset; the file has %zu, the first is \"%.200s\"",
                            name, names->n, names->v[0]);
    for (size_t i = 0; i < names->n; i++)
        mem_free(names->v[i]);
    mem_free(names);
}

// Is there a dataset of the shape of a column at the path, which was asked for as `name`?
static bool is_column(struct dataset_file *f, const char *name, const char *path,
                      struct dataset_file_shape *s)
{
    const char *wrong = dataset_file_probe(f, path, s);
    if (!wrong && s->type == CONTENT_TEXT)
        wrong = "has text";
    if (s->n == DATASET_FILE_TOO_LONG)
        dataset_file_refuse(f, "%.200s: expected at most %llu records, this %s", name,
                            (unsigned long long)MOST_RECORDS, wrong);
    else if (wrong)
        dataset_file_refuse(f, "%.200s: expected a dataset of numbers of at most 64 bits, this %s",
                            name, wrong);
    else if (s->n_dims != 1)
        dataset_file_refuse(f, "%.200s: expected one dimension, got %d", name, s->n_dims);
    else if (s->n == 0)
        dataset_file_refuse(f, "%.200s: expected at least one record, got none", name);
    else if (s->n > MOST_RECORDS)
        dataset_file_refuse(f, "%.200s: expected at most %llu records, got %llu", name,
                            (unsigned long long)MOST_RECORDS, (unsigned long long)s->n);
    return !dataset_file_failed(f);
}

// What no time and no size can be.
static void check_numbers(struct dataset_file *f, const struct column *c, bool is_unsigned)
{
    for (size_t i = 0; i < c->n && !dataset_file_failed(f); i++) {
        if (c->real && !isfinite(c->real[i]))
            dataset_file_refuse(f, "%.200s: record %zu: expected a finite number, got %g", c->name,
                                i + 1, c->real[i]);
        if (is_unsigned && c->whole[i] < 0)
            dataset_file_refuse(f, "%.200s: record %zu: expected at most %lld, got %llu", c->name,
                                i + 1, (long long)INT64_MAX, (unsigned long long)c->whole[i]);
    }
}

static void read_column(struct dataset_file *f, const char *name, struct column *c)
{
    struct dataset_file_shape shape;
    char *path = mem_printf("%s%s", name[0] == '/' ? "" : "/", name);
    c->name = name;
    if (!dataset_file_has(f, path))
        refuse_missing(f, name, path);
    else if (is_column(f, name, path, &shape)) {
        bool is_unsigned = shape.type == CONTENT_U64; // what does not fit would be cut
        void *values = mem_calloc(shape.n, sizeof(int64_t));
        c->units = dataset_file_text(f, path, "units");
        c->n = shape.n;
        c->real = shape.type == CONTENT_F64 ? values : NULL;
        c->whole = c->real ? NULL : values;
        dataset_file_values(f, path,
                            c->real       ? CONTENT_F64
                            : is_unsigned ? CONTENT_U64
                                          : CONTENT_I64,
                            1, shape.sizes, values);
        check_numbers(f, c, is_unsigned);
    }
    mem_free(path);
}

static void release_column(struct column *c)
{
    mem_free(c->units);
    mem_free(c->whole);
    mem_free(c->real);
    *c = (struct column){.name = NULL};
}

// ---- records

// "ms since 2024-01-01" -> TIMETABLE_MS; AUTO for what is no unit of time here.
static int unit_of(const char *units)
{
    const char *since = strstr(units, " since ");
    size_t n = since ? (size_t)(since - units) : strlen(units);
    for (size_t i = 0; i < sizeof unit_words / sizeof *unit_words; i++)
        if (strlen(unit_words[i].word) == n && memcmp(unit_words[i].word, units, n) == 0)
            return unit_words[i].time_unit;
    return TIMETABLE_AUTO;
}

static int find_unit(struct reader *r, struct err *err)
{
    static const int64_t units_ns[] = {0, SIMTIME_S, SIMTIME_MS, SIMTIME_US, 1};
    const struct column *times = &r->times;
    int unit = r->config->time_unit;
    if (unit == TIMETABLE_STAMP)
        return fail(r->config, times, err,
                    "time_unit: expected s, ms, us or ns in an HDF5 file, got timestamp");
    if (unit == TIMETABLE_AUTO && times->units[0]) {
        unit = unit_of(times->units);
        if (unit == TIMETABLE_AUTO)
            return fail(r->config, times, err,
                        "expected the units s, ms, us or ns, got \"%s\"; time_unit may "
                        "say what they are",
                        times->units);
    }
    if (unit == TIMETABLE_AUTO && times->whole)
        return fail(r->config, times, err,
                    "holds integers without units: time_unit must be s, ms, us or ns");
    r->unit_ns = units_ns[unit == TIMETABLE_AUTO ? TIMETABLE_S : unit];
    return 0;
}

static int read_time(const struct reader *r, size_t i, int64_t *ns, struct err *err)
{
    const struct column *times = &r->times;
    double value = times->whole ? (double)times->whole[i] : times->real[i];
    if (value < 0)
        return fail(r->config, times, err, "record %zu: expected a time >= 0, got %g", i + 1,
                    value);
    if (!(value * (double)r->unit_ns < (double)TIMES_END_NS))
        return fail(r->config, times, err, "record %zu: expected a time below %g s, got %g s",
                    i + 1, simtime_to_s(TIMES_END_NS), value * simtime_to_s(r->unit_ns));
    *ns = times->whole ? times->whole[i] * r->unit_ns : (int64_t)(value * (double)r->unit_ns + 0.5);
    if (*ns < r->last_ns && !r->config->sort)
        return fail(r->config, times, err,
                    "record %zu: time goes back: %.9f s is before the record in front of "
                    "it (sort: true sorts)",
                    i + 1, simtime_to_s(*ns));
    return 0;
}

static int read_size(const struct reader *r, size_t i, struct trace *trace, uint32_t *size_items,
                     struct err *err)
{
    const struct column *sizes = &r->sizes;
    double value = sizes->whole ? (double)sizes->whole[i] : sizes->real[i];
    if (value < 0)
        return fail(r->config, sizes, err, "record %zu: expected a size >= 0, got %g", i + 1,
                    value);
    *size_items = trace_csv_size(r->config, value, trace);
    return 0;
}

static int read_history(const struct reader *r, size_t i, uint16_t *history_items, struct err *err)
{
    const struct column *histories = &r->histories;
    double value = histories->whole ? (double)histories->whole[i] : histories->real[i];
    if (!(value >= 0 && value <= QUERY_MAX_ITEMS))
        return fail(r->config, histories, err, "record %zu: expected a length from 0 to %u, got %g",
                    i + 1, QUERY_MAX_ITEMS, value);
    *history_items = (uint16_t)value;
    return 0;
}

static int read_record(struct reader *r, size_t i, struct trace *trace, struct err *err)
{
    int64_t ns = 0;
    uint32_t size_items = 0;
    uint16_t history_items = 0;
    if (read_time(r, i, &ns, err) < 0 ||
        (r->sizes.n > 0 && read_size(r, i, trace, &size_items, err) < 0) ||
        (r->histories.n > 0 && read_history(r, i, &history_items, err) < 0))
        return -1;
    r->last_ns = ns;
    trace_append(trace, ns, size_items);
    if (r->histories.n > 0)
        trace_put_history(trace, history_items);
    return 0;
}

static int read_records(struct reader *r, struct trace *trace, struct err *err)
{
    struct err bad;
    for (size_t i = 0; i < r->times.n; i++)
        if (read_record(r, i, trace, &bad) < 0 && r->n_bad++ == 0)
            r->first_bad = bad;
    if (r->n_bad > 1)
        return err_set(err, ERR_STUDY, "%s (%llu bad records in all)", r->first_bad.text,
                       (unsigned long long)r->n_bad);
    return r->n_bad == 1 ? err_set(err, ERR_STUDY, "%s", r->first_bad.text) : 0;
}

// The dataset that a column's setting means; without a choice, or by its number, what our own files
// hold.
static const char *dataset_of(const char *setting, const char *number, const char *ours)
{
    return strcmp(setting, "auto") == 0 || strcmp(setting, number) == 0 ? ours : setting;
}

static void check_length(struct dataset_file *f, const struct column *times,
                         const struct column *other)
{
    if (other->n > 0 && other->n != times->n)
        dataset_file_refuse(f, "%.200s: expected as many records as %.200s, %zu, got %zu",
                            other->name, times->name, times->n, other->n);
}

// All columns of the file. It is opened anew each time: a child that tries it must not move the
// position in a file that its parent reads.
static int read_columns(struct reader *r, struct err *err)
{
    struct dataset_file *f = dataset_file_open(r->config->file, false, err);
    const char *size = r->config->size_column;
    if (!f)
        return -1;
    read_column(f, dataset_of(r->config->time_column, "1", "/sample/arrive_s"), &r->times);
    if (size && size[0])
        read_column(f, dataset_of(size, "2", "/sample/size_items"), &r->sizes);
    if (r->config->history_column && r->config->history_column[0])
        read_column(f, r->config->history_column, &r->histories);
    check_length(f, &r->times, &r->sizes);
    check_length(f, &r->times, &r->histories);
    return dataset_file_close(f);
}

static void try_columns(void *config)
{
    struct reader r = {.config = config};
    read_columns(&r, NULL);
    release_column(&r.times);
    release_column(&r.sizes);
    release_column(&r.histories);
}

// Damaged files have made HDF5 crash or run for ever, so a file that nothing vouches for is read by
// a child first. What is wrong with it is the study's mistake, which names the file.
static int load_hdf5(const struct trace_csv_config *config, struct trace **trace, struct err *err)
{
    struct reader r = {.config = config};
    struct trace *read = NULL;
    int rc = dataset_file_survives(config->file, try_columns, (void *)(uintptr_t)config, err);
    if (rc == 0)
        rc = read_columns(&r, err);
    if (rc == 0)
        rc = find_unit(&r, err);
    if (rc == 0) {
        read = trace_create(r.sizes.n > 0);
        rc = read_records(&r, read, err);
    }
    if (rc == 0)
        rc = trace_csv_finish(read, config->file, config, 0, err);
    if (rc == 0)
        *trace = read;
    else
        trace_destroy(read);
    if (rc != 0 && err)
        err->code = ERR_STUDY;
    release_column(&r.times);
    release_column(&r.sizes);
    release_column(&r.histories);
    return rc;
}

// Keys that only a text can have.
static int check_keys(const struct trace_csv_config *config, struct err *err)
{
    const char *const keys[][2] = {
        {"duration_column", config->duration_column},
        {"count_column", config->count_column},
        {"filter_column", config->filter_column},
        {"separator", config->separator != CSV_AUTO ? "given" : NULL},
        {"header", config->header != TIMETABLE_HEADER_AUTO ? "given" : NULL}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i][1] && *keys[i][1])
            return err_set(err, ERR_STUDY, "%s: expected a CSV file, got an HDF5 file", keys[i][0]);
    return trace_csv_check(config, err);
}

int trace_file_load(const struct trace_csv_config *config, struct trace **trace, struct err *err)
{
    if (config->file && dataset_file_is_hdf5(config->file))
        return check_keys(config, err) < 0 ? -1 : load_hdf5(config, trace, err);
    struct trace *read = trace_csv_read(config, err);
    if (!read)
        return -1;
    *trace = read;
    return 0;
}
