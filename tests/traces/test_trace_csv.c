// SPDX-License-Identifier: Apache-2.0
#include "traces/trace_csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/suite.h"

static struct trace *parsed(const char *text, const struct trace_csv_config *config)
{
    struct err err = {0};
    struct trace *trace = trace_csv_parse("t.csv", text, strlen(text), config, &err);
    ck_assert_msg(trace != NULL, "%s", err.text);
    return trace;
}

static void assert_refused(const char *text, size_t n, const struct trace_csv_config *config,
                           const char *expected)
{
    struct err err = {0};
    ck_assert_ptr_null(trace_csv_parse("t.csv", text, n, config, &err));
    ck_assert_str_eq(err.text, expected);
    ck_assert_int_eq(err.code, ERR_STUDY);
}

static void assert_records(const struct trace *trace, size_t n, const int64_t *ns,
                           const uint32_t *items)
{
    ck_assert_uint_eq(trace->n, n);
    for (size_t i = 0; i < n; i++) {
        ck_assert_int_eq(trace->arrive_ns[i], ns[i]);
        if (items)
            ck_assert_uint_eq(trace->size_items[i], items[i]);
    }
}

// With nothing said: a header is noticed, times are seconds, the first record is time 0.
START_TEST(plain_table)
{
    struct trace_csv_config config = trace_csv_defaults(NULL);
    struct trace *trace = parsed("t,n\n10.000000001,5\n10.5,120\n12,999\n", &config);
    assert_records(trace, 3, (const int64_t[]){0, 499999999, 1999999999},
                   (const uint32_t[]){5, 120, 999});
    trace_destroy(trace);
    trace = parsed("10,5\n11,6\n", &config);
    ck_assert_uint_eq(trace->n, 2);
    trace_destroy(trace);
}
END_TEST

static void write_trace(const char *path, const struct trace *trace)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    trace_csv_print(file, trace);
    ck_assert_int_eq(fclose(file), 0);
}

// Histories are a column that must be named, a whole number each; what is written is read again.
START_TEST(histories_are_a_column)
{
    char column[] = "seen", path[] = "/tmp/test_trace_csv_history.XXXXXX", ours[] = "history_items";
    struct trace_csv_config config = trace_csv_defaults(NULL);
    config.history_column = column;
    struct trace *trace = parsed("time,items,seen\n2,5,0\n3,6,65535\n4,7,12\n", &config);
    ck_assert_uint_eq(trace->n, 3);
    ck_assert_uint_eq(trace->size_items[1], 6);
    ck_assert_uint_eq(trace->history_items[0], 0);
    ck_assert_uint_eq(trace->history_items[1], 65535);
    ck_assert_uint_eq(trace->history_items[2], 12);
    int fd = mkstemp(path);
    ck_assert(fd >= 0 && close(fd) == 0);
    write_trace(path, trace);
    config = trace_csv_defaults(path);
    config.history_column = ours;
    struct trace *back = trace_csv_read(&config, NULL);
    assert_records(back, 3, trace->arrive_ns, trace->size_items);
    ck_assert_mem_eq(back->history_items, trace->history_items, 3 * sizeof *back->history_items);
    ck_assert_int_eq(unlink(path), 0);
    trace_destroy(trace);
    trace_destroy(back);
    // Without sizes too; records out of order keep theirs.
    config = trace_csv_defaults(NULL);
    config.history_column = column;
    config.sort = true;
    trace = parsed("time,seen\n3,1\n2,9\n", &config);
    ck_assert_ptr_null(trace->size_items);
    ck_assert_uint_eq(trace->history_items[0], 9);
    ck_assert_uint_eq(trace->history_items[1], 1);
    trace_destroy(trace);
    const char *large = "time,items,seen\n2,5,65536\n";
    assert_refused(large, strlen(large), &config,
                   "t.csv:2:5: expected a length from 0 to 65535, got 65536");
}
END_TEST

// Columns by name, in any place, beside others.
START_TEST(columns_by_name)
{
    char time[] = "at", size[] = "items";
    struct trace_csv_config config = trace_csv_defaults(NULL);
    config.time_column = time;
    config.size_column = size;
    struct trace *trace = parsed("user;items;at\nbob;7;0.5\neve;8;0.75\n", &config);
    assert_records(trace, 2, (const int64_t[]){0, 250000000}, (const uint32_t[]){7, 8});
    trace_destroy(trace);
}
END_TEST

// The header says what is where, and in which unit: a table with its columns in another order, and
// durations in their own unit.
START_TEST(headers_are_believed)
{
    char took[] = "latency_ms";
    struct trace_csv_config config = trace_csv_defaults(NULL);
    struct trace *trace = parsed("items,time_ms\n7,500\n8,750\n", &config);
    assert_records(trace, 2, (const int64_t[]){0, 250000000}, (const uint32_t[]){7, 8});
    trace_destroy(trace);
    config.duration_column = took;
    trace = parsed("end_time,latency_ms,size\n1,500,7\n2,750,8\n", &config);
    assert_records(trace, 2, (const int64_t[]){0, 750000000}, (const uint32_t[]){7, 8});
    trace_destroy(trace);
    config = trace_csv_defaults(NULL);
    config.size_column = (char[]){""};
    assert_refused("latency_ms\n1\n", 13, &config,
                   "t.csv:1:1: time_column: column 1 is named \"latency_ms\", which is something "
                   "else; expected one named \"time\"");
}
END_TEST

// A trace may have no sizes.
START_TEST(times_alone)
{
    char none[] = "";
    struct trace_csv_config config = trace_csv_defaults(NULL);
    config.size_column = none;
    config.time_unit = TIMETABLE_US;
    struct trace *trace = parsed("1\n2.5\n", &config);
    ck_assert_ptr_null(trace->size_items);
    assert_records(trace, 2, (const int64_t[]){0, 1500}, NULL);
    trace_destroy(trace);
}
END_TEST

// Each unit, kept from zero.
START_TEST(units_of_time)
{
    const int64_t ns[] = {1500000000, 1500000, 1500, 2};
    for (int k = 0; k < 4; k++) {
        struct trace_csv_config config = trace_csv_defaults(NULL);
        config.time_unit = TIMETABLE_S + k;
        config.start = TRACE_CSV_START_ZERO;
        struct trace *trace = parsed("1.5,1\n", &config);
        ck_assert_int_eq(trace->arrive_ns[0], ns[k]); // 1.5 ns rounds up
        trace_destroy(trace);
    }
}
END_TEST

// Timestamps are exact to the nanosecond: across midnight, a leap day, a time zone, T and blank.
START_TEST(timestamps)
{
    struct trace_csv_config config = trace_csv_defaults(NULL);
    struct trace *trace = parsed("TIMESTAMP,n\r\n"
                                 "2024-02-28 23:59:59.9999999,1\r\n"
                                 "2024-02-29T00:00:00,1\r\n"
                                 "2024-03-01 00:00:00.000000001Z,1\r\n"
                                 "2024-03-01 01:00:01+01:00,1",
                                 &config);
    const int64_t day_ns = INT64_C(86400) * 1000000000;
    assert_records(trace, 4, (const int64_t[]){0, 100, day_ns + 101, day_ns + 1000000100}, NULL);
    trace_destroy(trace);
}
END_TEST

// The epoch of timestamps is 1970, known from outside: date -d '2023-11-16 18:17:03 UTC' +%s.
START_TEST(timestamps_count_from_1970)
{
    struct trace_csv_config config = trace_csv_defaults(NULL);
    config.start = TRACE_CSV_START_ZERO;
    struct trace *trace = parsed("2023-11-16 18:17:03,1\n", &config);
    ck_assert_int_eq(trace->arrive_ns[0], INT64_C(1700158623) * 1000000000);
    trace_destroy(trace);
}
END_TEST

// Scales apply to times after the first and to sizes before rounding; sizes are clamped, counted.
START_TEST(scales)
{
    struct trace_csv_config config = trace_csv_defaults(NULL);
    config.time_scale = 0.5;
    config.size_scale = 0.1;
    config.max_items = 50;
    struct trace *trace = parsed("100,4808\n102,15\n103,2\n", &config);
    assert_records(trace, 3, (const int64_t[]){0, 1000000000, 1500000000},
                   (const uint32_t[]){50, 2, 1});
    ck_assert_uint_eq(trace->n_clamped, 2);
    trace_destroy(trace);
}
END_TEST

// Sizes above the limit are counted, and the largest is remembered; a size of 0 is not among them.
START_TEST(cut_sizes_are_counted)
{
    struct trace_csv_config config = trace_csv_defaults(NULL);
    struct trace *trace = parsed("0,0\n1,1024\n2,1025\n3,7437\n", &config);
    ck_assert_uint_eq(trace->n_cut, 2);
    ck_assert_uint_eq(trace->n_clamped, 3);
    ck_assert_double_eq_tol(trace->largest_items, 7437, 1e-6);
    trace_destroy(trace);
}
END_TEST

// Records are spread from the start of their first tick on, by the seed and the service.
START_TEST(resolution_spreads)
{
    struct trace_csv_config config = trace_csv_defaults(NULL);
    const char *text = "1000.7,1\n1001,2\n1001,3\n1002,4\n";
    config.resolution_ns = 1000000000;
    struct trace *first = parsed(text, &config), *again = parsed(text, &config);
    ck_assert_mem_eq(first->arrive_ns, again->arrive_ns, 4 * sizeof(int64_t));
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_int_eq(first->arrive_ns[i] / 1000000000, (i + 1) / 2);
        ck_assert_int_eq(first->size_items[i], i + 1);
    }
    ck_assert_double_eq_tol(trace_rate_qps(first), 4.0 / 3, 1e-12);
    config.service = 1;
    struct trace *other = parsed(text, &config);
    ck_assert_int_ne(first->arrive_ns[0], other->arrive_ns[0]);
    trace_destroy(first);
    trace_destroy(again);
    trace_destroy(other);
}
END_TEST

// A resolution below the clock's is no cure: what is left of the clock is known, in the file's
// time.
START_TEST(clocks_are_known)
{
    struct trace_csv_config config = trace_csv_defaults(NULL);
    const char *text = "1,1\n1,1\n1,1\n2,1\n2,1\n2,1\n";
    config.time_scale = 0.5;
    for (int k = 0; k < 3; k++) { // none, shorter, as long
        config.resolution_ns = k * INT64_C(500000000);
        struct trace *trace = parsed(text, &config);
        ck_assert_int_eq(trace->clock_ns, k < 2 ? 1000000000 : 0);
        trace_destroy(trace);
    }
}
END_TEST

// A time that cannot be is told as the file has it, whatever the scale.
START_TEST(negative_starts_are_told_unscaled)
{
    char took[] = "2", none[] = "";
    struct trace_csv_config config = trace_csv_defaults(NULL);
    config.duration_column = took;
    config.size_column = none;
    config.start = TRACE_CSV_START_ZERO;
    config.time_scale = 0.5;
    assert_refused("2,3\n", 4, &config,
                   "t.csv: record 1: expected a time >= 0, got -1000000000 ns");
}
END_TEST

// Where the times are ends, a query started its duration before; such records need no order.
START_TEST(starts_from_ends_and_durations)
{
    char took[] = "took", second[] = "2", none[] = "";
    struct trace_csv_config config = trace_csv_defaults(NULL);
    config.duration_column = took;
    config.size_column = none;
    struct trace *trace = parsed("end,took\n2,0.5\n2.2,1.7\n", &config);
    assert_records(trace, 2, (const int64_t[]){0, 1000000000}, NULL);
    trace_destroy(trace);
    // A default size column that is another's is nobody's; seconds stand beside timestamps.
    config = trace_csv_defaults(NULL);
    config.duration_column = second;
    trace = parsed("2024-03-05 00:00:02,0.5\n2024-03-05 00:00:02.2,1.7\n", &config);
    ck_assert_ptr_null(trace->size_items);
    assert_records(trace, 2, (const int64_t[]){0, 1000000000}, NULL);
    trace_destroy(trace);
    // Times that tell by their size that they are milliseconds tell it of the durations, too.
    trace = parsed("1700000002000,500\n1700000002200,1700\n", &config);
    assert_records(trace, 2, (const int64_t[]){0, 1000000000}, NULL);
    trace_destroy(trace);
    config.duration_unit = TIMETABLE_MS;
    trace = parsed("2,500\n2.2,1700\n", &config);
    assert_records(trace, 2, (const int64_t[]){0, 1000000000}, NULL);
    trace_destroy(trace);
    assert_refused("2,-1\n", 5, &config,
                   "t.csv:1:3: expected a duration such as \"0.12\", got "
                   "\"-1\"");
}
END_TEST

// Only lines of the filter count, whatever the others hold; without one it is the service's name.
START_TEST(lines_are_filtered)
{
    char column[] = "3", get[] = "get";
    struct trace_csv_config config = trace_csv_defaults(NULL);
    const char *text = "0,7,get\n1,8,put\n?,?,del\n2,9,get\n";
    config.filter_column = column;
    assert_refused(text, strlen(text), &config,
                   "filter: expected what filter_column says in lines that count");
    config.filter = get;
    struct trace *trace = parsed(text, &config);
    assert_records(trace, 2, (const int64_t[]){0, 2000000000}, (const uint32_t[]){7, 9});
    trace_destroy(trace);
    config.filter = NULL;
    config.service_name = "put";
    trace = parsed("t,n,op\n0,7,get\n1,8,put\n", &config);
    assert_records(trace, 1, (const int64_t[]){0}, (const uint32_t[]){8});
    trace_destroy(trace);
    config.service_name = "none";
    assert_refused(text, strlen(text), &config,
                   "t.csv:4:1: no records: filter_column is \"none\" in no line");
}
END_TEST

// A line that stands for several queries has them spread over the time to the next.
START_TEST(counts_become_queries)
{
    char count[] = "n";
    struct trace_csv_config config = trace_csv_defaults(NULL);
    config.count_column = count;
    const char *text = "time,n\n600,2\n660,0\n720,1\n";
    struct trace *trace = parsed(text, &config);
    ck_assert_uint_eq(trace->n, 3);
    ck_assert_ptr_null(trace->size_items);
    ck_assert_double_eq_tol(trace_rate_qps(trace), 3.0 / 180, 1e-12);
    ck_assert_int_lt(trace->arrive_ns[1], INT64_C(60000000000));
    ck_assert_int_ge(trace->arrive_ns[2], INT64_C(120000000000));
    ck_assert_int_lt(trace->arrive_ns[2], INT64_C(180000000000));
    ck_assert(trace->arrive_ns[0] != trace->arrive_ns[1]);
    trace_destroy(trace);
    assert_refused("time,n\n0,2.5\n1,1\n", 17, &config,
                   "t.csv:2:3: expected a whole number of queries such as \"120\", got 2.5");
    assert_refused("time,n\n0,2\n", 11, &config,
                   "t.csv:2:1: count_column: expected two lines, to tell how long each lasts, or a "
                   "resolution");
    assert_refused("time,n\n0,9e9\n1,1\n", 17, &config,
                   "t.csv:2:3: expected at most 268435456 queries in all");
}
END_TEST

// Records out of order are sorted when asked.
START_TEST(sorting_when_asked)
{
    struct trace_csv_config config = trace_csv_defaults(NULL);
    config.sort = true;
    struct trace *trace = parsed("3,1\n1,2\n2,3\n", &config);
    assert_records(trace, 3, (const int64_t[]){0, 1000000000, 2000000000},
                   (const uint32_t[]){2, 3, 1});
    trace_destroy(trace);
}
END_TEST

// What is written is read back the same.
START_TEST(written_traces_come_back)
{
    char folder[] = "/tmp/test_trace_csv.XXXXXX", path[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.csv", folder);
    struct trace *trace = trace_create(true);
    trace_append(trace, 3, 5);
    trace_append(trace, INT64_C(86400000000007), 1000);
    write_trace(path, trace);
    struct trace_csv_config config = trace_csv_defaults(path);
    config.start = TRACE_CSV_START_ZERO;
    struct err err = {0};
    struct trace *back = trace_csv_read(&config, &err);
    ck_assert_msg(back != NULL, "%s", err.text);
    assert_records(back, 2, trace->arrive_ns, trace->size_items);
    trace_destroy(back);
    trace_destroy(trace);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

// A trace that nobody here made: 8819 invocations of a production inference service (Azure Public
// Dataset, AzureLLMInferenceTrace_code.csv; Patel et al., ISCA 2024). Its length and ends are known
// from the file; checked only where RECFLEET_TEST_DATA names the folder it lies in.
START_TEST(a_real_trace)
{
    const char *folder = getenv("RECFLEET_TEST_DATA");
    if (!folder)
        return;
    char path[512], column[] = "ContextTokens";
    snprintf(path, sizeof path, "%s/azure-llm-2023-code.csv", folder);
    struct trace_csv_config config = trace_csv_defaults(path);
    config.size_column = column;
    config.max_items = 65535;
    struct err err = {0};
    struct trace *trace = trace_csv_read(&config, &err);
    ck_assert_msg(trace != NULL, "%s", err.text);
    ck_assert_uint_eq(trace->n, 8819);
    ck_assert_uint_eq(trace->size_items[0], 4808);
    ck_assert_uint_eq(trace->size_items[8818], 549);
    ck_assert_int_eq(trace->arrive_ns[1], 52000000);
    // 18:17:03.97996 to 19:14:19.928016
    ck_assert_int_eq(trace->arrive_ns[8818], INT64_C(3435948056000));
    trace_destroy(trace);
}
END_TEST

// The first record is at the limit of a line; a byte more is refused elsewhere (test_csv).
START_TEST(one_record_without_line_end)
{
    struct trace_csv_config config = trace_csv_defaults(NULL);
    struct trace *trace = parsed("5,6", &config);
    assert_records(trace, 1, (const int64_t[]){0}, (const uint32_t[]){6});
    trace_destroy(trace);
}
END_TEST

// One bad line gives its place and what was expected.
START_TEST(bad_lines_are_placed)
{
    const struct {
        const char *text, *expected;
    } rows[] = {
        {"1,2\nx,2\n", "t.csv:2:1: expected a time such as \"12.5\", got \"x\""},
        {"1,2\n-1,2\n", "t.csv:2:1: expected a time such as \"12.5\", got \"-1\""},
        {"1,2\nnan,2\n", "t.csv:2:1: expected a time such as \"12.5\", got \"nan\""},
        {"1,2\n2, -3\n", "t.csv:2:4: expected a size such as \"120\", got \"-3\""},
        {"1,2\n2,\n", "t.csv:2:3: expected a size such as \"120\", got \"\""},
        {"1,2\n2\n", "t.csv:2:1: expected 2 fields as in the first line, got 1"},
        {"1,2\n2,3,4\n", "t.csv:2:5: expected 2 fields as in the first line, got 3"},
        {"1,2\n2", "t.csv:2:1: expected 2 fields as in the first line, got 1 (the file ends inside "
                   "this line)"},
        {"2,2\n1,2\n",
         "t.csv:2:1: time goes back: \"1\" is before the record in front of it (sort: "
         "true sorts)"},
        {"2023-02-29 00:00:00,2\n", "t.csv:1:1: expected a timestamp such as \"2023-11-16 "
                                    "18:17:03.98\", got \"2023-02-29 00:00:00\""},
        {"2023-02-28 00:00:00,2\n7,1\n", "t.csv:2:1: expected a timestamp such as \"2023-11-16 "
                                         "18:17:03.98\", got \"7\""},
        {"1,\"2\n", "t.csv:1:3: expected a closing quote on the same line"},
        {"# c\n\na,b\n", "t.csv:3:1: no records: the file has a header only"},
        {"\n\n", "t.csv:2:1: no records: the file has blank lines only"},
        {"", "t.csv:1:1: the file is empty"},
        {"7\n",
         "t.csv:1:1: size_column: no column 2: this line has 1 field; size_column: \"\" reads "
         "times alone"},
        {"-2,1\n3,1\n", "t.csv:1:1: expected a time such as \"12.5\", got \"-2\""},
        {"+7,1\n8,1\n", "t.csv:1:1: expected a time such as \"12.5\", got \"+7\""},
        {"nan,7\n0.1,3\n", "t.csv:1:1: expected a time such as \"12.5\", got \"nan\""},
        {",7\n0.1,3\n", "t.csv:1:1: expected a time such as \"12.5\", got \"\""},
        {"0.1,x\n0.2,3\n", "t.csv:1:5: expected a size such as \"120\", got \"x\""},
    };
    struct trace_csv_config config = trace_csv_defaults(NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_refused(rows[i].text, strlen(rows[i].text), &config, rows[i].expected);
}
END_TEST

// Many bad lines give one error: the first and how many.
START_TEST(bad_lines_are_counted)
{
    const char *text = "1,2\nx,2\n2,3\n3,y\n\"4\n5,5,5\n6,6\n";
    struct trace_csv_config config = trace_csv_defaults(NULL);
    assert_refused(text, strlen(text), &config,
                   "t.csv:2:1: expected a time such as \"12.5\", got \"x\" (4 bad lines in all)");
}
END_TEST

// Columns that are not there.
START_TEST(missing_columns_are_refused)
{
    char time[] = "when", third[] = "3";
    struct trace_csv_config config = trace_csv_defaults(NULL);
    config.time_column = time;
    assert_refused("t,n\n1,2\n", 8, &config,
                   "t.csv:1:1: time_column: no column \"when\" among the 2 of the header, which "
                   "begins \"t\"");
    config.header = TIMETABLE_HEADER_NO;
    assert_refused("1,2\n", 4, &config,
                   "t.csv:1:1: time_column: no column \"when\": the file has no header");
    config = trace_csv_defaults(NULL);
    config.size_column = third;
    assert_refused("1,2\n", 4, &config,
                   "t.csv:1:1: size_column: no column 3: this line has 2 fields");
}
END_TEST

// Garbage is refused without a crash and on one line.
START_TEST(garbage_is_refused)
{
    char text[4096];
    struct trace_csv_config config = trace_csv_defaults(NULL);
    for (unsigned k = 0; k < 200; k++) {
        for (size_t i = 0; i < sizeof text; i++)
            text[i] = (char)((i * i * 31 + i * k * 7 + k) % 255 + 1);
        struct err err = {0};
        ck_assert_ptr_null(trace_csv_parse("t.csv", text, sizeof text, &config, &err));
        ck_assert_ptr_null(strchr(err.text, '\n'));
    }
}
END_TEST

// Settings that cannot be are refused by key, and times that leave the range.
START_TEST(bad_settings_are_refused)
{
    char none[] = "";
    struct trace_csv_config config = trace_csv_defaults(NULL);
    config.time_scale = 0;
    assert_refused("1,2\n", 4, &config, "time_scale: expected more than 0, got 0");
    config = trace_csv_defaults(NULL);
    config.size_scale = -1;
    assert_refused("1,2\n", 4, &config, "size_scale: expected more than 0, got -1");
    config = trace_csv_defaults(NULL);
    config.max_items = 65536;
    assert_refused("1,2\n", 4, &config, "max_items: expected 1 to 65535, got 65536");
    config = trace_csv_defaults(NULL);
    config.time_column = none;
    assert_refused("1,2\n", 4, &config, "time_column: expected a column name or number");
    config = trace_csv_defaults(NULL);
    config.filter = (char[]){"get"};
    assert_refused("1,2\n", 4, &config,
                   "filter: has no effect without filter_column, the column that says it");
    config = trace_csv_defaults(NULL);
    config.duration_unit = TIMETABLE_MS;
    assert_refused("1,2\n", 4, &config,
                   "duration_unit: has no effect without duration_column, whose unit it is");
    config = trace_csv_defaults(NULL);
    config.size_column = none;
    config.size_scale = 2;
    assert_refused("1,2\n", 4, &config, "size_scale: has no effect without a size_column");
    config = trace_csv_defaults(NULL);
    config.time_scale = 1e9;
    struct err err = {0};
    ck_assert_ptr_null(trace_csv_parse("t.csv", "0,1\n9e9,1\n", 10, &config, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "t.csv: expected times below"));
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", plain_table},
        {"core", histories_are_a_column},
        {"core", columns_by_name},
        {"core", headers_are_believed},
        {"core", times_alone},
        {"core", units_of_time},
        {"core", timestamps},
        {"core", timestamps_count_from_1970},
        {"core", scales},
        {"core", sorting_when_asked},
        {"core", written_traces_come_back},
        {"core", a_real_trace},
        {"core", cut_sizes_are_counted},
        {"core", resolution_spreads},
        {"core", clocks_are_known},
        {"errors", negative_starts_are_told_unscaled},
        {"core", starts_from_ends_and_durations},
        {"core", lines_are_filtered},
        {"core", counts_become_queries},
        {"limits", one_record_without_line_end},
        {"errors", bad_lines_are_placed},
        {"errors", bad_lines_are_counted},
        {"errors", missing_columns_are_refused},
        {"errors", garbage_is_refused},
        {"errors", bad_settings_are_refused},
    };
    return suite_run("trace_csv", tests, sizeof tests / sizeof *tests);
}
