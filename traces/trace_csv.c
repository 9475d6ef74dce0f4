// SPDX-License-Identifier: Apache-2.0
#include "traces/trace_csv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/simtime.h"

const char *const trace_csv_time_names[] = {"auto", "s", "ms", "us", "ns", "timestamp", NULL};
const char *const trace_csv_header_names[] = {"auto", "yes", "no", NULL};
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
                                     .max_items = 1024};
}

// Reading one file.
struct reader {
    struct csv csv;
    const struct trace_csv_config *config;
    int time_unit;           // never AUTO once the first record is seen
    size_t time_at, size_at; // columns from 0
    bool with_sizes;
    size_t n_fields; // of every line
    struct trace *trace;
    int64_t last_ns; // of the last good record
    uint64_t n_bad;  // lines
    struct err first_bad;
};

// Days from 1970-01-01 to the first of March of `year`, Gregorian, year >= 1970.
static int64_t days_to_march(int64_t year)
{
    return year * 365 + year / 4 - year / 100 + year / 400 - 719468;
}

// Digits text[at .. at + n) as a number, or -1.
static int64_t digits(const char *text, size_t at, size_t n)
{
    int64_t value = 0;
    for (size_t i = at; i < at + n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

static bool in_range(int64_t value, int64_t low, int64_t high)
{
    return value >= low && value <= high;
}

// "YYYY-MM-DD" to seconds since 1970.
static int parse_date(const char *text, int64_t *s)
{
    static const int month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
    if (text[4] != '-' || text[7] != '-' || !in_range(year, 1970, 2200) || !in_range(month, 1, 12))
        return -1;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (!in_range(day, 1, month_days[month - 1]) || (month == 2 && day == 29 && !leap))
        return -1;
    // Months counted from March make the leap day the last of the year.
    int64_t from_march = (month + 9) % 12;
    int64_t days =
        days_to_march(month < 3 ? year - 1 : year) + (from_march * 153 + 2) / 5 + day - 1;
    *s = days * 86400;
    return 0;
}

// "", "Z" or "+HH:MM" to seconds.
static int parse_zone(const char *text, size_t n, int64_t *s)
{
    *s = 0;
    if (n == 0 || (n == 1 && text[0] == 'Z'))
        return 0;
    if (n != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':')
        return -1;
    int64_t hours = digits(text, 1, 2), minutes = digits(text, 4, 2);
    if (!in_range(hours, 0, 23) || !in_range(minutes, 0, 59))
        return -1;
    *s = (hours * 3600 + minutes * 60) * (text[0] == '-' ? -1 : 1);
    return 0;
}

// "YYYY-MM-DD HH:MM:SS[.f][Z|+HH:MM]", blank or T in the middle, to ns since 1970.
static int parse_stamp(const char *text, size_t n, int64_t *ns)
{
    int64_t date_s, zone_s, fraction_ns = 0;
    if (n < 19 || parse_date(text, &date_s) || (text[10] != ' ' && text[10] != 'T') ||
        text[13] != ':' || text[16] != ':')
        return -1;
    int64_t hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
    if (!in_range(hour, 0, 23) || !in_range(minute, 0, 59) || !in_range(second, 0, 60))
        return -1;
    size_t at = 19;
    if (at < n && text[at] == '.') {
        int64_t unit_ns = SIMTIME_S;
        size_t first = ++at;
        for (; at < n && text[at] >= '0' && text[at] <= '9'; at++) {
            unit_ns /= 10;
            fraction_ns += (text[at] - '0') * unit_ns;
        }
        if (at == first)
            return -1;
    }
    if (parse_zone(text + at, n - at, &zone_s))
        return -1;
    *ns = (date_s + hour * 3600 + minute * 60 + second - zone_s) * SIMTIME_S + fraction_ns;
    return *ns < 0 ? -1 : 0;
}

static bool looks_like_stamp(const struct csv_field *field)
{
    return field->n > 4 && field->text[4] == '-' && digits(field->text, 0, 4) >= 0;
}

static int parse_time(const struct csv_field *field, int time_unit, int64_t *ns)
{
    static const int powers[] = {9, 9, 6, 3, 0};
    if (time_unit == TRACE_CSV_TIME_STAMP)
        return parse_stamp(field->text, field->n, ns);
    return csv_decimal(field->text, field->n, powers[time_unit], ns);
}

static const char *expected_time(int time_unit)
{
    return time_unit == TRACE_CSV_TIME_STAMP ? "a timestamp such as \"2023-11-16 18:17:03.98\""
                                             : "a time such as \"12.5\"";
}

// The column that `wanted` means: by name if the header has it, else by number. Returns -1 with
// an error when there is none; `header` NULL: no header.
static int find_column(const struct csv *csv, bool header, const char *key, const char *wanted,
                       size_t *at, struct err *err)
{
    for (size_t i = 0; header && i < csv->n_fields; i++) {
        if (csv_equals(&csv->fields[i], wanted)) {
            *at = i;
            return 0;
        }
    }
    int64_t number;
    bool numeric = strspn(wanted, "0123456789") == strlen(wanted) &&
                   csv_decimal(wanted, strlen(wanted), 0, &number) == 0;
    if (numeric && in_range(number, 1, (int64_t)csv->n_fields)) {
        *at = (size_t)number - 1;
        return 0;
    }
    char first[CSV_SHOW_MAX];
    if (numeric)
        return csv_fail(csv, 1, err, "%s: expected 1 to %zu, the columns of this line, got %s", key,
                        csv->n_fields, wanted);
    if (!header)
        return csv_fail(csv, 1, err, "%s: no column \"%s\": the file has no header", key, wanted);
    return csv_fail(csv, 1, err,
                    "%s: no column \"%s\" among the %zu of the header, which begins %s", key,
                    wanted, csv->n_fields, csv_show(&csv->fields[0], first));
}

static bool is_number(const char *text)
{
    return text[0] != 0 && strspn(text, "0123456789") == strlen(text);
}

// Whether the first line, which has been read, names the columns.
static bool has_header(const struct reader *reader)
{
    const struct trace_csv_config *config = reader->config;
    if (config->header != TRACE_CSV_HEADER_AUTO)
        return config->header == TRACE_CSV_HEADER_YES;
    if (!is_number(config->time_column) || (reader->with_sizes && !is_number(config->size_column)))
        return true;
    size_t at;
    if (find_column(&reader->csv, false, "time_column", config->time_column, &at, NULL))
        return false;
    // A signed number is a bad time to be told of, not a name to be skipped.
    const struct csv_field *field = &reader->csv.fields[at];
    return field->n == 0 || !strchr("0123456789.+-", field->text[0]);
}

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
    return (uint32_t)(items < 1 ? 1 : outside ? max : items);
}

static int read_size(struct reader *reader, uint32_t *size_items, struct err *err)
{
    const struct csv_field *field = &reader->csv.fields[reader->size_at];
    char shown[CSV_SHOW_MAX];
    int64_t micro_items;
    if (csv_decimal(field->text, field->n, 6, &micro_items))
        return csv_fail(&reader->csv, field->column, err, "expected a size such as \"120\", got %s",
                        csv_show(field, shown));
    *size_items = trace_csv_size(reader->config, (double)micro_items * 1e-6, reader->trace);
    return 0;
}

static int read_record(struct reader *reader, struct err *err)
{
    struct csv *csv = &reader->csv;
    char shown[CSV_SHOW_MAX];
    int64_t ns;
    uint32_t size_items = 0;
    if (csv->n_fields != reader->n_fields)
        return csv_fail(csv, csv->fields[csv->n_fields - 1].column, err,
                        "expected %zu fields as in the first line, got %zu%s", reader->n_fields,
                        csv->n_fields, csv->cut ? " (the file ends inside this line)" : "");
    const struct csv_field *field = &csv->fields[reader->time_at];
    if (reader->time_unit == TRACE_CSV_TIME_AUTO)
        reader->time_unit = looks_like_stamp(field) ? TRACE_CSV_TIME_STAMP : TRACE_CSV_TIME_S;
    if (parse_time(field, reader->time_unit, &ns))
        return csv_fail(csv, field->column, err, "expected %s, got %s",
                        expected_time(reader->time_unit), csv_show(field, shown));
    if (reader->with_sizes && read_size(reader, &size_items, err))
        return -1;
    if (ns < reader->last_ns && !reader->config->sort)
        return csv_fail(csv, field->column, err,
                        "time goes back: %s is before the record in front of it (sort: true sorts)",
                        csv_show(field, shown));
    reader->last_ns = ns;
    trace_append(reader->trace, ns, size_items);
    return 0;
}

// Reads the first line and what it says about the columns. 1: it is a record too.
static int read_first(struct reader *reader, struct err *err)
{
    const struct trace_csv_config *config = reader->config;
    int rc = csv_next(&reader->csv, err);
    if (rc < 0)
        return -1;
    if (rc == 0)
        return csv_fail(&reader->csv, 1, err, "no records: the file has blank lines only");
    bool header = has_header(reader);
    reader->n_fields = reader->csv.n_fields;
    if (find_column(&reader->csv, header, "time_column", config->time_column, &reader->time_at,
                    err))
        return -1;
    if (reader->with_sizes && find_column(&reader->csv, header, "size_column", config->size_column,
                                          &reader->size_at, err))
        return -1;
    return !header;
}

static int read_all(struct reader *reader, struct err *err)
{
    struct err bad;
    int rc = read_first(reader, err);
    if (rc < 0)
        return -1;
    for (bool have = rc > 0;; have = false) {
        rc = have ? 1 : csv_next(&reader->csv, &bad);
        if (rc == 0)
            break;
        if (rc < 0 || read_record(reader, &bad))
            note_bad(reader, &bad);
    }
    if (reader->n_bad > 1)
        return err_set(err, ERR_STUDY, "%s (%llu bad lines in all)", reader->first_bad.text,
                       (unsigned long long)reader->n_bad);
    if (reader->n_bad == 1)
        return err_set(err, ERR_STUDY, "%s", reader->first_bad.text);
    if (reader->trace->n == 0)
        return csv_fail(&reader->csv, 1, err, "no records: the file has a header only");
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

int trace_csv_finish(struct trace *trace, const char *name, const struct trace_csv_config *config,
                     struct err *err)
{
    if (config->sort)
        trace_sort(trace);
    if (config->start == TRACE_CSV_START_FIRST)
        trace_from_zero(trace);
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
    reader->time_unit = config->time_unit;
    reader->with_sizes = config->size_column && config->size_column[0];
    reader->trace = trace_create(reader->with_sizes);
    struct trace *trace = reader->trace;
    if (csv_open(&reader->csv, name, data, n, (enum csv_separator)config->separator, err) ||
        read_all(reader, err) || trace_csv_finish(trace, name, config, err)) {
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
