// SPDX-License-Identifier: Apache-2.0
#include "traces/trace_csv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/simtime.h"

const char *const trace_csv_start_names[] = {"first", "zero", NULL};

const struct field trace_csv_fields[] = {
    TRACE_CSV_FIELDS(trace_csv_config, ),
    FIELD_END,
};

struct trace_csv_config trace_csv_defaults(char *file)
{
    return (struct trace_csv_config){.file = file,
                                     .time_column = "1",
                                     .size_column = "2",
                                     .time_scale = 1,
                                     .size_scale = 1,
                                     .max_items = 1024,
                                     .seed = 1};
}

// Reading one file.
struct reader {
    struct timetable table;
    const struct trace_csv_config *config;
    struct timetable_column time, size;
    bool with_sizes;
    struct trace *trace;
    int64_t last_ns; // of the last good record
    uint64_t n_bad;  // lines
    struct err first_bad;
};

// Counts a bad line, whose error is in *bad, and keeps the first.
static void note_bad(struct reader *reader, const struct err *bad)
{
    if (reader->n_bad++ == 0)
        reader->first_bad = *bad;
}

uint32_t trace_csv_size(const struct trace_csv_config *config, double size_items,
                        struct trace *trace)
{
    double items = size_items * config->size_scale + 0.5, max = (double)config->max_items;
    bool outside = items < 1 || items >= max + 1;
    trace->n_clamped += outside;
    trace->n_cut += items >= max + 1;
    if (items - 0.5 > trace->largest_items)
        trace->largest_items = items - 0.5;
    return (uint32_t)(items < 1 ? 1 : outside ? max : items);
}

static int read_size(struct reader *reader, uint32_t *size_items, struct err *err)
{
    const struct csv_field *field = &reader->table.csv.fields[reader->size.at];
    char shown[CSV_SHOW_MAX];
    int64_t micro_items;
    if (csv_decimal(field->text, field->n, 6, &micro_items))
        return csv_fail(&reader->table.csv, field->column, err,
                        "expected a size such as \"120\", got %s", csv_show(field, shown));
    *size_items = trace_csv_size(reader->config, (double)micro_items * 1e-6, reader->trace);
    return 0;
}

static int read_record(struct reader *reader, struct err *err)
{
    const struct csv_field *field = &reader->table.csv.fields[reader->time.at];
    char shown[CSV_SHOW_MAX];
    int64_t ns;
    uint32_t size_items = 0;
    if (timetable_time(&reader->table, reader->time.at, &ns, err))
        return -1;
    if (reader->with_sizes && read_size(reader, &size_items, err))
        return -1;
    if (ns < reader->last_ns && !reader->config->sort)
        return csv_fail(&reader->table.csv, field->column, err,
                        "time goes back: %s is before the record in front of it (sort: true sorts)",
                        csv_show(field, shown));
    reader->last_ns = ns;
    trace_append(reader->trace, ns, size_items);
    return 0;
}

// What the columns are.
static int find_columns(struct reader *reader, struct err *err)
{
    const struct trace_csv_config *config = reader->config;
    struct timetable_column columns[] = {{"time_column", config->time_column, "1", 0},
                                         {"size_column", config->size_column, "2", 0}};
    if (timetable_columns(&reader->table, config->header, columns, reader->with_sizes ? 2 : 1, err))
        return reader->with_sizes && reader->table.n_fields == 1
                   ? err_append(err, "; size_column: \"\" reads times alone")
                   : -1;
    reader->time = columns[0];
    reader->size = columns[1];
    return 0;
}

static int read_all(struct reader *reader, struct err *err)
{
    struct err bad;
    int rc;
    if (find_columns(reader, err))
        return -1;
    while ((rc = timetable_next(&reader->table, &bad)) != 0)
        if (rc < 0 || read_record(reader, &bad))
            note_bad(reader, &bad);
    if (reader->n_bad > 1)
        return err_set(err, ERR_STUDY, "%s (%llu bad lines in all)", reader->first_bad.text,
                       (unsigned long long)reader->n_bad);
    if (reader->n_bad == 1)
        return err_set(err, ERR_STUDY, "%s", reader->first_bad.text);
    if (reader->trace->n == 0)
        return csv_fail(&reader->table.csv, 1, err, "no records: the file has a header only");
    return 0;
}

int trace_csv_check(const struct trace_csv_config *config, struct err *err)
{
    if (!config->time_column || !config->time_column[0])
        return err_set(err, ERR_STUDY, "time_column: expected a column name or number");
    if (!(config->time_scale > 0))
        return err_set(err, ERR_STUDY, "time_scale: expected more than 0, got %g",
                       config->time_scale);
    if (!(config->size_scale > 0))
        return err_set(err, ERR_STUDY, "size_scale: expected more than 0, got %g",
                       config->size_scale);
    if (config->max_items < 1 || config->max_items > (int64_t)QUERY_MAX_ITEMS)
        return err_set(err, ERR_STUDY, "max_items: expected 1 to %u, got %lld", QUERY_MAX_ITEMS,
                       (long long)config->max_items);
    return 0;
}

// Where time 0 is, and what the clock says of the rate. Spread records begin with their first tick.
static void find_ticks(struct trace *trace, const struct trace_csv_config *config)
{
    const struct rng_stream stream = rng_stream(config->seed, RNG_SPREAD, config->service);
    int64_t from_ns = trace->n > 0 ? trace->arrive_ns[0] : 0, tick_ns = config->resolution_ns;
    bool spreads = tick_ns > 0 && trace->n > 0;
    if (spreads)
        from_ns -= from_ns % tick_ns;
    else
        tick_ns = trace_find_tick(trace);
    if (tick_ns > 0)
        trace_set_tick(trace, tick_ns, from_ns);
    if (spreads)
        trace_spread(trace, from_ns, &stream);
    if (config->start == TRACE_CSV_START_FIRST)
        trace_start_at(trace, from_ns);
}

int trace_csv_finish(struct trace *trace, const char *name, const struct trace_csv_config *config,
                     struct err *err)
{
    if (config->sort)
        trace_sort(trace);
    find_ticks(trace, config);
    if (trace_scale_time(trace, config->time_scale, err) || trace_validate(trace, err))
        return err_prefix(err, "%s", name);
    return 0;
}

struct trace *trace_csv_parse(const char *name, const char *data, size_t n,
                              const struct trace_csv_config *config, struct err *err)
{
    if (trace_csv_check(config, err))
        return NULL;
    struct reader *reader = mem_calloc(1, sizeof *reader);
    reader->config = config;
    reader->with_sizes = config->size_column && config->size_column[0];
    reader->trace = trace_create(reader->with_sizes);
    struct trace *trace = reader->trace;
    int rc = timetable_open(&reader->table, name, data, n, config->separator, err);
    reader->table.time_unit = config->time_unit;
    if (rc || read_all(reader, err) || trace_csv_finish(trace, name, config, err)) {
        trace_destroy(trace);
        trace = NULL;
    }
    mem_free(reader);
    return trace;
}

struct trace *trace_csv_read(const struct trace_csv_config *config, struct err *err)
{
    char *data;
    size_t n;
    if (!config->file || !config->file[0]) {
        err_set(err, ERR_STUDY, "expected the name of a CSV file, got none");
        return NULL;
    }
    if (csv_read_file(config->file, &data, &n, err))
        return NULL;
    struct trace *trace = trace_csv_parse(config->file, data, n, config, err);
    mem_free(data);
    return trace;
}

static void write_records(FILE *file, const struct trace *trace)
{
    fputs(trace->size_items ? "arrive_s,size_items\n" : "arrive_s\n", file);
    for (size_t i = 0; i < trace->n; i++) {
        long long ns = trace->arrive_ns[i];
        fprintf(file, "%lld.%09lld", ns / SIMTIME_S, ns % SIMTIME_S);
        if (trace->size_items)
            fprintf(file, ",%u", trace->size_items[i]);
        fputc('\n', file);
    }
}

int trace_csv_write(const char *path, const struct trace *trace, struct err *err)
{
    char *temporary = mem_printf("%s.tmp.%ld", path, (long)getpid());
    FILE *file = fopen(temporary, "wb");
    int failed = !file;
    if (file) {
        write_records(file, trace);
        failed = fflush(file) != 0 || ferror(file) || fsync(fileno(file)) != 0;
        failed = fclose(file) != 0 || failed;
        failed = failed || rename(temporary, path) != 0;
    }
    int rc = failed ? err_set(err, ERR_FAIL, "%s: %s", path, strerror(errno)) : 0;
    if (failed && file)
        unlink(temporary);
    mem_free(temporary);
    return rc;
}
