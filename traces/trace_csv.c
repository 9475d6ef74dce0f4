// SPDX-License-Identifier: Apache-2.0
#include "traces/trace_csv.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"

const char *const trace_csv_start_names[] = {"first", "zero", NULL};

const char *const trace_csv_duration_names[] = {"auto", "s", "ms", "us", "ns", NULL};

const struct field trace_csv_fields[] = {
    TRACE_CSV_FIELDS(trace_csv_config, ),
    FIELD_END,
};

struct trace_csv_config trace_csv_defaults(char *file)
{
    return (struct trace_csv_config){.file = file,
                                     .time_column = "auto",
                                     .size_column = "auto",
                                     .time_scale = 1,
                                     .size_scale = 1,
                                     .max_items = 1024,
                                     .seed = 1};
}

static bool is_given(const char *text)
{
    return text && text[0];
}

// Most records of a trace: 3 GiB in memory.
#define MOST_RECORDS (UINT64_C(1) << 28)

// The columns that a reader knows, in the order of `columns` below.
enum {
    COLUMN_TIME,
    COLUMN_SIZE,
    COLUMN_DURATION,
    COLUMN_COUNT,
    COLUMN_HISTORY,
    COLUMN_FILTER,
    N_COLUMNS
};

// Reading one file.
struct reader {
    struct timetable table;
    const struct trace_csv_config *config;
    struct timetable_column columns[N_COLUMNS];
    bool has[N_COLUMNS];
    bool sorts;
    const char *filter;
    struct trace *trace;
    int64_t last_ns; // of the last good record
    int64_t row_ns;  // least time between two lines of different times; 0: there are none
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

// A field as a number >= 0 times 10^power.
static int read_number(const struct reader *reader, int column, int power, const char *expected,
                       int64_t *value, struct err *err)
{
    const struct csv_field *field = &reader->table.csv.fields[reader->columns[column].at];
    char shown[CSV_SHOW_MAX];
    if (csv_decimal(field->text, field->n, power, value))
        return csv_fail(&reader->table.csv, field->column, err, "expected %s, got %s", expected,
                        csv_show(field, shown));
    return 0;
}

static int read_size(struct reader *reader, uint32_t *size_items, struct err *err)
{
    int64_t micro_items;
    if (read_number(reader, COLUMN_SIZE, 6, "a size such as \"120\"", &micro_items, err))
        return -1;
    *size_items = trace_csv_size(reader->config, (double)micro_items * 1e-6, reader->trace);
    return 0;
}

// The length of the query's history, 0 where no column says it.
static int read_history(struct reader *reader, uint16_t *history_items, struct err *err)
{
    const char *expected = "a length from 0 to 65535";
    int64_t items;
    *history_items = 0;
    if (!reader->has[COLUMN_HISTORY])
        return 0;
    if (read_number(reader, COLUMN_HISTORY, 0, expected, &items, err))
        return -1;
    const struct csv_field *field = &reader->table.csv.fields[reader->columns[COLUMN_HISTORY].at];
    if (items > QUERY_MAX_ITEMS)
        return csv_fail(&reader->table.csv, field->column, err, "expected %s, got %.*s", expected,
                        (int)(field->n < 40 ? field->n : 40), field->text);
    *history_items = (uint16_t)items;
    return 0;
}

// How many queries the line stands for.
static int read_count(const struct reader *reader, int64_t *count, struct err *err)
{
    const char *expected = "a whole number of queries such as \"120\"";
    int64_t micro;
    *count = 1;
    if (!reader->has[COLUMN_COUNT])
        return 0;
    if (read_number(reader, COLUMN_COUNT, 6, expected, &micro, err))
        return -1;
    const struct csv_field *field = &reader->table.csv.fields[reader->columns[COLUMN_COUNT].at];
    *count = micro / 1000000;
    if (micro % 1000000 != 0)
        return csv_fail(&reader->table.csv, field->column, err, "expected %s, got %.*s", expected,
                        (int)(field->n < 40 ? field->n : 40), field->text);
    if ((uint64_t)*count > MOST_RECORDS - reader->trace->n)
        return csv_fail(&reader->table.csv, field->column, err,
                        "expected at most %llu queries in all", (unsigned long long)MOST_RECORDS);
    return 0;
}

// How long the query of the line took. Where neither the key nor the column's name tells the unit,
// what the first time has told of the times' holds for durations, too.
static int read_duration(const struct reader *reader, int64_t *took_ns, struct err *err)
{
    static const int powers[] = {9, 9, 6, 3, 0, 9}; // of ten, by enum timetable_unit: to ns
    int unit = reader->config->duration_unit;
    *took_ns = 0;
    if (!reader->has[COLUMN_DURATION])
        return 0;
    if (unit == TIMETABLE_AUTO)
        unit = reader->columns[COLUMN_DURATION].unit;
    if (unit == TIMETABLE_AUTO)
        unit = reader->table.time_unit;
    return read_number(reader, COLUMN_DURATION, powers[unit], "a duration such as \"0.12\"",
                       took_ns, err);
}

// When the query of the line arrived.
static int read_arrival(struct reader *reader, int64_t *ns, struct err *err)
{
    const struct csv_field *field = &reader->table.csv.fields[reader->columns[COLUMN_TIME].at];
    char shown[CSV_SHOW_MAX];
    int64_t took_ns;
    if (timetable_time(&reader->table, reader->columns[COLUMN_TIME].at, ns, err))
        return -1;
    if (*ns < reader->last_ns && !reader->sorts)
        return csv_fail(&reader->table.csv, field->column, err,
                        "time goes back: %s is before the record in front of it (sort: true sorts)",
                        csv_show(field, shown));
    if (*ns > reader->last_ns && (reader->row_ns == 0 || *ns - reader->last_ns < reader->row_ns) &&
        reader->last_ns >= 0)
        reader->row_ns = *ns - reader->last_ns;
    reader->last_ns = *ns;
    if (read_duration(reader, &took_ns, err))
        return -1;
    // Starts may lie before 0; so far from it, the time between two of them would not fit.
    if (reader->has[COLUMN_DURATION] && (*ns > INT64_MAX / 2 || took_ns > INT64_MAX / 2))
        return csv_fail(&reader->table.csv, field->column, err,
                        "expected times and durations below 146 years, got %s",
                        csv_show(field, shown));
    *ns -= took_ns;
    return 0;
}

static int read_record(struct reader *reader, struct err *err)
{
    int64_t ns, count;
    uint32_t size_items = 0;
    uint16_t history_items;
    if (reader->has[COLUMN_FILTER] &&
        !csv_equals(&reader->table.csv.fields[reader->columns[COLUMN_FILTER].at], reader->filter))
        return 0;
    if (read_arrival(reader, &ns, err) || read_count(reader, &count, err) ||
        (reader->has[COLUMN_SIZE] && read_size(reader, &size_items, err)) ||
        read_history(reader, &history_items, err))
        return -1;
    for (int64_t i = 0; i < count; i++) {
        trace_append(reader->trace, ns, size_items);
        if (reader->has[COLUMN_HISTORY])
            trace_put_history(reader->trace, history_items);
    }
    return 0;
}

// Which column holds what. What the filter looks at tells nothing of whether the first line is a
// header: it may be a name in every line.
static int find_columns(struct reader *reader, struct err *err)
{
    struct timetable *table = &reader->table;
    struct timetable_column used[N_COLUMNS];
    int header = reader->config->header;
    const char *filter = reader->columns[COLUMN_FILTER].wanted;
    size_t n = 0;
    if (header == TIMETABLE_HEADER_AUTO && reader->has[COLUMN_FILTER] &&
        filter[strspn(filter, "0123456789")])
        header = TIMETABLE_HEADER_YES;
    for (int k = 0; k < COLUMN_FILTER; k++)
        if (reader->has[k])
            used[n++] = reader->columns[k];
    if (timetable_columns(table, header, used, n, err))
        return reader->has[COLUMN_SIZE] && table->n_fields == 1
                   ? err_append(err, "; size_column: \"\" reads times alone")
                   : -1;
    n = 0;
    for (int k = 0; k < COLUMN_FILTER; k++)
        if (reader->has[k])
            reader->columns[k] = used[n++];
    header = table->has_header ? TIMETABLE_HEADER_YES : TIMETABLE_HEADER_NO;
    if (reader->has[COLUMN_FILTER] &&
        timetable_columns(table, header, &reader->columns[COLUMN_FILTER], 1, err))
        return -1;
    // A column that somebody named as another's holds no sizes because nobody said where they are.
    for (int k = COLUMN_DURATION; k < N_COLUMNS; k++)
        if (reader->has[k] && reader->columns[k].at == reader->columns[COLUMN_SIZE].at &&
            strcmp(reader->columns[COLUMN_SIZE].wanted, "auto") == 0)
            reader->has[COLUMN_SIZE] = false;
    for (int k = COLUMN_SIZE; k < COLUMN_FILTER; k++) {
        size_t at = reader->columns[k].at;
        if (reader->has[k] && at == reader->columns[COLUMN_TIME].at)
            return csv_fail(&table->csv, table->csv.fields[at].column, err,
                            "%s: column %zu is that of the times", reader->columns[k].key, at + 1);
    }
    return 0;
}

// What the settings ask for.
static int start_reading(struct reader *reader, const struct trace_csv_config *config,
                         struct err *err)
{
    const struct timetable_column columns[N_COLUMNS] = {
        {"time_column", config->time_column, 1, TIMETABLE_TIME, 0, 0},
        {"size_column", config->size_column, 2, TIMETABLE_ITEMS, 0, 0},
        {"duration_column", config->duration_column, 0, TIMETABLE_DURATION, 0, 0},
        {"count_column", config->count_column, 0, TIMETABLE_COUNT, 0, 0},
        {"history_column", config->history_column, 0, 0, 0, 0},
        {"filter_column", config->filter_column, 0, 0, 0, 0}};
    memcpy(reader->columns, columns, sizeof columns);
    for (int k = 0; k < N_COLUMNS; k++)
        reader->has[k] = columns[k].wanted && columns[k].wanted[0];
    reader->config = config;
    reader->sorts = config->sort || reader->has[COLUMN_DURATION];
    reader->filter = config->filter && config->filter[0] ? config->filter : config->service_name;
    reader->last_ns = -1;
    if (reader->has[COLUMN_FILTER] && !reader->filter)
        return err_set(err, ERR_STUDY,
                       "filter: expected what filter_column says in lines that count");
    return 0;
}

static int read_all(struct reader *reader, struct err *err)
{
    struct err bad;
    int rc;
    if (find_columns(reader, err))
        return -1;
    reader->trace = trace_create(reader->has[COLUMN_SIZE]);
    while ((rc = timetable_next(&reader->table, &bad)) != 0)
        if (rc < 0 || read_record(reader, &bad))
            note_bad(reader, &bad);
    if (reader->n_bad > 1)
        return err_set(err, ERR_STUDY, "%s (%llu bad lines in all)", reader->first_bad.text,
                       (unsigned long long)reader->n_bad);
    if (reader->n_bad == 1)
        return err_set(err, ERR_STUDY, "%s", reader->first_bad.text);
    if (reader->trace->n == 0 && reader->has[COLUMN_FILTER])
        return csv_fail(&reader->table.csv, 1, err,
                        "no records: filter_column is \"%.80s\" in no line", reader->filter);
    if (reader->trace->n == 0)
        return csv_fail(&reader->table.csv, 1, err, "no records: %s",
                        reader->has[COLUMN_COUNT] ? "all counts are 0"
                                                  : "the file has a header only");
    if (reader->has[COLUMN_COUNT] && reader->row_ns == 0 && reader->config->resolution_ns == 0)
        return csv_fail(&reader->table.csv, 1, err,
                        "count_column: expected two lines, to tell how long each lasts, or a "
                        "resolution");
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
    if (is_given(config->filter) && !is_given(config->filter_column))
        return err_set(err, ERR_STUDY,
                       "filter: has no effect without filter_column, the column that says it");
    if (config->duration_unit != TIMETABLE_AUTO && !is_given(config->duration_column))
        return err_set(err, ERR_STUDY,
                       "duration_unit: has no effect without duration_column, whose unit it is");
    if (config->size_scale != 1 && !is_given(config->size_column))
        return err_set(err, ERR_STUDY, "size_scale: has no effect without a size_column");
    return 0;
}

// Where time 0 is, and what the clock says of the rate. Spread records begin with their first tick.
static void find_ticks(struct trace *trace, const struct trace_csv_config *config, int64_t row_ns)
{
    const struct rng_stream stream = rng_stream(config->seed, RNG_SPREAD, config->service);
    int64_t from_ns = trace->n > 0 ? trace->arrive_ns[0] : 0;
    int64_t tick_ns = config->resolution_ns > 0 ? config->resolution_ns : row_ns;
    int64_t clock_ns = trace_find_tick(trace);
    bool spreads = tick_ns > 0 && trace->n > 0;
    if (spreads)
        from_ns -= (from_ns % tick_ns + tick_ns) % tick_ns;
    else
        tick_ns = clock_ns;
    if (tick_ns > 0)
        trace_set_tick(trace, tick_ns, from_ns, row_ns > 0);
    if (spreads)
        trace_spread(trace, from_ns, &stream);
    trace->clock_ns = !spreads || clock_ns > tick_ns ? clock_ns : 0;
    if (config->start == TRACE_CSV_START_FIRST)
        trace_start_at(trace, from_ns);
}

int trace_csv_finish(struct trace *trace, const char *name, const struct trace_csv_config *config,
                     int64_t row_ns, struct err *err)
{
    if (!trace_is_sorted(trace)) // the reader has refused what was not to be sorted
        trace_sort(trace);
    find_ticks(trace, config, row_ns);
    // Validated first: what is wrong with a time is said in the file's own.
    if (trace_validate(trace, err) || trace_scale_time(trace, config->time_scale, err))
        return err_prefix(err, "%s", name);
    return 0;
}

struct trace *trace_csv_parse(const char *name, const char *data, size_t n,
                              const struct trace_csv_config *config, struct err *err)
{
    if (trace_csv_check(config, err))
        return NULL;
    struct reader *reader = mem_calloc(1, sizeof *reader);
    int rc = start_reading(reader, config, err);
    if (rc == 0)
        rc = timetable_open(&reader->table, name, data, n, config->separator, err);
    reader->table.time_unit = config->time_unit;
    if (rc == 0)
        rc = read_all(reader, err);
    struct trace *trace = reader->trace;
    int64_t row_ns = reader->has[COLUMN_COUNT] ? reader->row_ns : 0;
    if (rc != 0 || trace_csv_finish(trace, name, config, row_ns, err)) {
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

void trace_csv_print(FILE *file, const void *table)
{
    const struct trace *trace = table;
    fprintf(file, "arrive_s%s%s\n", trace->size_items ? ",size_items" : "",
            trace->history_items ? ",history_items" : "");
    for (size_t i = 0; i < trace->n; i++) {
        long long ns = trace->arrive_ns[i];
        fprintf(file, "%lld.%09lld", ns / SIMTIME_S, ns % SIMTIME_S);
        if (trace->size_items)
            fprintf(file, ",%u", trace->size_items[i]);
        if (trace->history_items)
            fprintf(file, ",%u", trace->history_items[i]);
        fputc('\n', file);
    }
}
