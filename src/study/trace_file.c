// SPDX-License-Identifier: Apache-2.0
#include "study/trace_file.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/simtime.h"
#include "results/file/columns.h"

// What a dataset's units may say.
static const struct {
    const char *word;
    int time_unit; // enum trace_csv_time
} unit_words[] = {
    {"s", TRACE_CSV_TIME_S},
    {"sec", TRACE_CSV_TIME_S},
    {"second", TRACE_CSV_TIME_S},
    {"ms", TRACE_CSV_TIME_MS},
    {"millisecond", TRACE_CSV_TIME_MS},
    {"us", TRACE_CSV_TIME_US},
    {"µs", TRACE_CSV_TIME_US},
    {"microsecond", TRACE_CSV_TIME_US},
    {"ns", TRACE_CSV_TIME_NS},
    {"seconds", TRACE_CSV_TIME_S},
    {"milliseconds", TRACE_CSV_TIME_MS},
    {"microseconds", TRACE_CSV_TIME_US},
    {"nanosecond", TRACE_CSV_TIME_NS},
    {"nanoseconds", TRACE_CSV_TIME_NS},
};

// Times stay below 2^62 ns, 146 years, so that differences and sums of two fit.
#define TIMES_END_NS (INT64_C(1) << 62)

// Reading one file.
struct reader {
    const struct trace_csv_config *config;
    struct columns *file;
    struct column times, sizes; // sizes: empty if the trace has none
    int64_t unit_ns;            // of the times
    int64_t last_ns;            // of the last good record
    uint64_t n_bad;             // records
    struct err first_bad;
};

// "ms since 2024-01-01" -> TRACE_CSV_TIME_MS; AUTO for what is no unit of time here.
static int unit_of(const char *units)
{
    const char *since = strstr(units, " since ");
    size_t n = since ? (size_t)(since - units) : strlen(units);
    for (size_t i = 0; i < sizeof unit_words / sizeof *unit_words; i++)
        if (strlen(unit_words[i].word) == n && memcmp(unit_words[i].word, units, n) == 0)
            return unit_words[i].time_unit;
    return TRACE_CSV_TIME_AUTO;
}

static int find_unit(struct reader *r, struct err *err)
{
    static const int64_t units_ns[] = {0, SIMTIME_S, SIMTIME_MS, SIMTIME_US, 1};
    const struct column *times = &r->times;
    int unit = r->config->time_unit;
    if (unit == TRACE_CSV_TIME_STAMP)
        return columns_fail(r->file, times->name, err,
                            "time_unit: expected s, ms, us or ns in an HDF5 file, got timestamp");
    if (unit == TRACE_CSV_TIME_AUTO && times->units[0]) {
        unit = unit_of(times->units);
        if (unit == TRACE_CSV_TIME_AUTO)
            return columns_fail(r->file, times->name, err,
                                "expected the units s, ms, us or ns, got \"%s\"; time_unit may "
                                "say what they are",
                                times->units);
    }
    if (unit == TRACE_CSV_TIME_AUTO && times->whole)
        return columns_fail(r->file, times->name, err,
                            "holds integers without units: time_unit must be s, ms, us or ns");
    r->unit_ns = units_ns[unit == TRACE_CSV_TIME_AUTO ? TRACE_CSV_TIME_S : unit];
    return 0;
}

static int read_time(const struct reader *r, size_t i, int64_t *ns, struct err *err)
{
    const struct column *times = &r->times;
    double value = times->whole ? (double)times->whole[i] : times->real[i];
    if (value < 0)
        return columns_fail(r->file, times->name, err, "record %zu: expected a time >= 0, got %g",
                            i + 1, value);
    if (!(value * (double)r->unit_ns < (double)TIMES_END_NS))
        return columns_fail(r->file, times->name, err,
                            "record %zu: expected a time below %g s, got %g s", i + 1,
                            simtime_to_s(TIMES_END_NS), value * simtime_to_s(r->unit_ns));
    *ns = times->whole ? times->whole[i] * r->unit_ns : (int64_t)(value * (double)r->unit_ns + 0.5);
    if (*ns < r->last_ns && !r->config->sort)
        return columns_fail(r->file, times->name, err,
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
        return columns_fail(r->file, sizes->name, err, "record %zu: expected a size >= 0, got %g",
                            i + 1, value);
    *size_items = trace_csv_size(r->config, value, trace);
    return 0;
}

static int read_record(struct reader *r, size_t i, struct trace *trace, struct err *err)
{
    int64_t ns = 0;
    uint32_t size_items = 0;
    if (read_time(r, i, &ns, err) < 0 ||
        (r->sizes.n > 0 && read_size(r, i, trace, &size_items, err) < 0))
        return -1;
    r->last_ns = ns;
    trace_append(trace, ns, size_items);
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

// The dataset that a column's setting means; its default is what our own files hold.
static const char *dataset_of(const char *setting, const char *dflt, const char *ours)
{
    return strcmp(setting, dflt) == 0 ? ours : setting;
}

static int read_columns(struct reader *r, struct err *err)
{
    const char *time = dataset_of(r->config->time_column, "1", "/sample/arrive_s");
    if (columns_read(r->file, time, &r->times, err) < 0 || find_unit(r, err) < 0)
        return -1;
    if (!r->config->size_column || !r->config->size_column[0])
        return 0;
    const char *size = dataset_of(r->config->size_column, "2", "/sample/size_items");
    if (columns_read(r->file, size, &r->sizes, err) < 0)
        return -1;
    return columns_match(r->file, &r->times, &r->sizes, err);
}

static int load_hdf5(const struct trace_csv_config *config, struct trace **trace, struct err *err)
{
    struct reader r = {.config = config};
    if (trace_csv_check(config, err) < 0)
        return -1;
    r.file = columns_open(config->file, err);
    if (!r.file)
        return -1;
    struct trace *read = NULL;
    int rc = read_columns(&r, err);
    if (rc == 0) {
        read = trace_create(r.sizes.n > 0);
        rc = read_records(&r, read, err);
    }
    if (rc == 0)
        rc = trace_csv_finish(read, config->file, config, err);
    if (rc == 0)
        *trace = read;
    else
        trace_destroy(read);
    column_release(&r.times);
    column_release(&r.sizes);
    columns_close(r.file);
    return rc;
}

int trace_file_load(const struct trace_csv_config *config, struct trace **trace, struct err *err)
{
    if (config->file && columns_is_hdf5(config->file))
        return load_hdf5(config, trace, err);
    struct trace *read = trace_csv_read(config, err);
    if (!read)
        return -1;
    *trace = read;
    return 0;
}
