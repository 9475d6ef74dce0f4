// SPDX-License-Identifier: Apache-2.0
#include "study/trace_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/simtime.h"
#include "support/column_file.h"
#include "support/suite.h"

#define PATH "test_trace_file.h5"

static struct trace_csv_config configured(void)
{
    struct trace_csv_config config = trace_csv_defaults((char *)PATH);
    config.time_column = (char *)"/t";
    config.size_column = (char *)"/n";
    return config;
}

static void write_file(struct column_file_column times, struct column_file_column sizes)
{
    column_file_write(PATH, (const struct column_file_column[]){times, sizes}, 2);
}

static void write_whole(size_t n, const int64_t *times, const int64_t *sizes, const char *units)
{
    write_file((struct column_file_column){"t", n, NULL, times, units},
               (struct column_file_column){"n", n, NULL, sizes, "items"});
}

static struct trace *loaded(const struct trace_csv_config *config)
{
    struct err err = {0};
    struct trace *trace = NULL;
    ck_assert_msg(trace_file_load(config, &trace, &err) == 0, "%s", err.text);
    ck_assert_int_eq(trace_validate(trace, NULL), 0);
    return trace;
}

static void refuses(const struct trace_csv_config *config, const char *expected)
{
    struct err err = {0};
    struct trace *trace = NULL;
    ck_assert_int_eq(trace_file_load(config, &trace, &err), -1);
    ck_assert_str_eq(err.text, expected);
    ck_assert_int_eq(err.code, ERR_STUDY);
    ck_assert_ptr_null(trace);
}

static void assert_records(struct trace *trace, size_t n, const int64_t *ns, const uint32_t *items)
{
    ck_assert_uint_eq(trace->n, n);
    ck_assert_mem_eq(trace->arrive_ns, ns, n * sizeof *ns);
    if (items)
        ck_assert_mem_eq(trace->size_items, items, n * sizeof *items);
    trace_destroy(trace);
}

// Nanoseconds since 1970 have more digits than a double: integers must stay exact.
START_TEST(integers_are_exact_to_the_nanosecond)
{
    const int64_t first = INT64_C(1700158623123456789);
    const int64_t times[] = {first, first + 1, first + 1000000007}, sizes[] = {5, 120, 999};
    struct trace_csv_config config = configured();
    write_whole(3, times, sizes, "ns");
    assert_records(loaded(&config), 3, (const int64_t[]){0, 1, 1000000007},
                   (const uint32_t[]){5, 120, 999});
    config.start = TRACE_CSV_START_ZERO;
    assert_records(loaded(&config), 3, times, NULL);
}
END_TEST

// The unit comes from the setting, else from the dataset, else floating point is seconds.
START_TEST(units_of_time)
{
    const struct {
        const char *units;
        int time_unit;
        int64_t ns;
    } rows[] = {
        {"s", TIMETABLE_AUTO, 3 * SIMTIME_S},
        {"ms", TIMETABLE_AUTO, 3 * SIMTIME_MS},
        {"us", TIMETABLE_AUTO, 3 * SIMTIME_US},
        {"ns", TIMETABLE_AUTO, 3},
        {"microseconds since 2024-01-01 00:00:00", TIMETABLE_AUTO, 3 * SIMTIME_US},
        {"ns", TIMETABLE_MS, 3 * SIMTIME_MS},
        {NULL, TIMETABLE_US, 3 * SIMTIME_US},
    };
    struct trace_csv_config config = configured();
    config.start = TRACE_CSV_START_ZERO;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        config.time_unit = rows[i].time_unit;
        write_whole(1, (const int64_t[]){3}, (const int64_t[]){1}, rows[i].units);
        assert_records(loaded(&config), 1, &rows[i].ns, NULL);
    }
    const double times[] = {0.25, 1.0000000016}, sizes[] = {2.4, 2.5};
    config.time_unit = TIMETABLE_AUTO;
    write_file((struct column_file_column){"t", 2, times, NULL, NULL},
               (struct column_file_column){"n", 2, sizes, NULL, NULL});
    assert_records(loaded(&config), 2, (const int64_t[]){250000000, 1000000002},
                   (const uint32_t[]){2, 3});
}
END_TEST

// The columns of a results file need no setting; a trace may have no sizes.
START_TEST(defaults_are_our_sample)
{
    const double times[] = {1.5, 1.75};
    const int64_t sizes[] = {7, 8};
    struct trace_csv_config config = trace_csv_defaults((char *)PATH);
    write_file((struct column_file_column){"sample/arrive_s", 2, times, NULL, "s"},
               (struct column_file_column){"sample/size_items", 2, NULL, sizes, "items"});
    assert_records(loaded(&config), 2, (const int64_t[]){0, 250000000}, (const uint32_t[]){7, 8});
    config.size_column = (char *)"";
    struct trace *trace = loaded(&config);
    ck_assert_ptr_null(trace->size_items);
    trace_destroy(trace);
}
END_TEST

// The same records with the same settings are the same trace, from CSV and from HDF5.
START_TEST(both_formats_agree)
{
    enum { N = 300 };
    int64_t times[N], sizes[N];
    struct trace *plain = trace_create(true);
    for (int i = 0; i < N; i++) {
        times[i] = 1000 + (i * INT64_C(7919)) % 1000 * 1000003;
        sizes[i] = 1 + (i * 37) % 1500;
        trace_append(plain, times[i], (uint32_t)sizes[i]);
    }
    FILE *file = fopen("test_trace_file.csv", "wb");
    ck_assert_ptr_nonnull(file);
    trace_csv_print(file, plain);
    ck_assert_int_eq(fclose(file), 0);
    trace_destroy(plain);
    write_whole(N, times, sizes, "ns");
    struct trace_csv_config hdf5 = configured();
    struct trace_csv_config csv = trace_csv_defaults((char *)"test_trace_file.csv");
    hdf5.sort = csv.sort = true;
    hdf5.time_scale = csv.time_scale = 0.37;
    hdf5.size_scale = csv.size_scale = 0.5;
    hdf5.max_items = csv.max_items = 600;
    struct trace *a = loaded(&csv), *b = loaded(&hdf5);
    ck_assert_uint_gt(b->n_clamped, 0);
    ck_assert_uint_eq(a->n_clamped, b->n_clamped);
    assert_records(b, a->n, a->arrive_ns, a->size_items);
    trace_destroy(a);
    unlink("test_trace_file.csv");
}
END_TEST

// Sizes are brought into 1 .. max_items; the last time that fits is 2^62 - 1 ns.
START_TEST(sizes_and_times_at_their_limits)
{
    const int64_t times[] = {0, (INT64_C(1) << 62) - 1024}, sizes[] = {0, INT64_MAX};
    struct trace_csv_config config = configured();
    write_whole(2, times, sizes, "ns");
    struct trace *trace = loaded(&config);
    ck_assert_uint_eq(trace->n_clamped, 2);
    assert_records(trace, 2, times, (const uint32_t[]){1, 1024});
    write_whole(1, (const int64_t[]){INT64_C(1) << 62}, sizes, "ns");
    refuses(&config, PATH ": /t: record 1: expected a time below 4.61169e+09 s, got 4.61169e+09 s");
    write_whole(1, (const int64_t[]){INT64_C(1) << 60}, sizes, "s");
    refuses(&config, PATH ": /t: record 1: expected a time below 4.61169e+09 s, got 1.15292e+18 s");
}
END_TEST

// A bad record is one line with its number; of several the first, and how many.
START_TEST(bad_records_are_placed)
{
    struct trace_csv_config config = configured();
    write_whole(3, (const int64_t[]){1, 5, 4}, (const int64_t[]){1, 1, 1}, "s");
    refuses(&config, PATH ": /t: record 3: time goes back: 4.000000000 s is before the record in "
                          "front of it (sort: true sorts)");
    write_whole(3, (const int64_t[]){1, -5, 4}, (const int64_t[]){1, 1, -1}, "s");
    refuses(&config, PATH ": /t: record 2: expected a time >= 0, got -5 (2 bad records in all)");
    write_whole(2, (const int64_t[]){1, 2}, (const int64_t[]){1, -3}, "s");
    refuses(&config, PATH ": /n: record 2: expected a size >= 0, got -3");
}
END_TEST

// Settings that do not suit the file.
START_TEST(unsuitable_settings_are_refused)
{
    struct trace_csv_config config = configured();
    write_whole(2, (const int64_t[]){1, 2}, (const int64_t[]){1, 1}, NULL);
    refuses(&config, PATH ": /t: holds integers without units: time_unit must be s, ms, us or ns");
    config.time_unit = TIMETABLE_STAMP;
    refuses(&config,
            PATH ": /t: time_unit: expected s, ms, us or ns in an HDF5 file, got timestamp");
    config.time_unit = TIMETABLE_S;
    config.size_column = (char *)"2";
    refuses(&config, PATH ": /sample/size_items: no such dataset; the file has 2, the first is "
                          "\"/n\"");
    config.time_scale = 0;
    refuses(&config, "time_scale: expected more than 0, got 0");
    config = configured();
    write_whole(2, (const int64_t[]){1, 2}, (const int64_t[]){1, 1}, "min");
    refuses(&config, PATH ": /t: expected the units s, ms, us or ns, got \"min\"; time_unit may "
                          "say what they are");
    write_file((struct column_file_column){"t", 2, NULL, (const int64_t[]){1, 2}, "s"},
               (struct column_file_column){"n", 1, NULL, (const int64_t[]){1}, NULL});
    refuses(&config, PATH ": /n: expected as many records as /t, 2, got 1");
}
END_TEST

// Columns that cannot be one, and numbers that no time can be.
START_TEST(other_columns_are_refused)
{
    const double reals[] = {0, 1, (double)NAN};
    struct trace_csv_config config = configured();
    config.size_column = (char *)"";
    write_file((struct column_file_column){"log/t", 3, reals, NULL, "s"},
               (struct column_file_column){"n", 1, reals, NULL, NULL});
    config.time_column = (char *)"/log/t";
    refuses(&config, PATH ": /log/t: record 3: expected a finite number, got nan");
    config.time_column = (char *)"log/tt";
    refuses(&config, PATH ": log/tt: no such dataset; did you mean \"/log/t\"?");
    config.time_column = (char *)"/q";
    refuses(&config, PATH ": /q: no such dataset; did you mean \"/n\"?");
    config.time_column = (char *)"/log";
    refuses(&config,
            PATH ": /log: expected a dataset of numbers of at most 64 bits, this is a group");
    config.time_column = (char *)"log";
    refuses(&config,
            PATH ": log: expected a dataset of numbers of at most 64 bits, this is a group");
}
END_TEST

// Files that are missing or no HDF5 at all get the messages of CSV.
START_TEST(other_files_are_csv)
{
    struct trace_csv_config config = trace_csv_defaults((char *)"no_such.h5");
    refuses(&config, "no_such.h5: No such file or directory");
    config.file = (char *)PATH;
    column_file_spit(PATH, "1,2\nx,3\n", 8);
    refuses(&config, PATH ":2:1: expected a time such as \"12.5\", got \"x\"");
    column_file_spit(PATH, "\x89HDF\r\n\x1a\n", 8);
    refuses(&config, PATH ": the HDF5 file is truncated or damaged");
}
END_TEST

// Cut or changed anywhere, a file is a valid trace or one line of error.
START_TEST(damaged_files_do_no_harm)
{
    int64_t numbers[100];
    for (int i = 0; i < 100; i++)
        numbers[i] = i;
    write_whole(100, numbers, numbers, "ms");
    struct trace_csv_config config = configured();
    size_t n;
    unsigned char *bytes = column_file_slurp(PATH, &n);
    for (size_t at = 8; at < n; at += 1 + n / 61) {
        for (int cut = 0; cut < 2; cut++) {
            struct err err = {0};
            struct trace *trace = NULL;
            bytes[at] ^= 0x01;
            column_file_spit(PATH, bytes, cut ? at : n);
            bytes[at] ^= 0x01;
            int rc = trace_file_load(&config, &trace, &err);
            ck_assert(rc == 0 ? trace_validate(trace, NULL) == 0 : !strchr(err.text, '\n'));
            ck_assert(rc == 0 || strncmp(err.text, PATH ": ", strlen(PATH) + 2) == 0);
            ck_assert(!cut || rc == -1);
            trace_destroy(trace);
        }
    }
    free(bytes);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", integers_are_exact_to_the_nanosecond},
                                       {"core", units_of_time},
                                       {"core", defaults_are_our_sample},
                                       {"core", both_formats_agree},
                                       {"limits", sizes_and_times_at_their_limits},
                                       {"errors", bad_records_are_placed},
                                       {"errors", unsuitable_settings_are_refused},
                                       {"errors", other_columns_are_refused},
                                       {"errors", other_files_are_csv},
                                       {"errors", damaged_files_do_no_harm}};
    int rc = suite_run("trace_file", tests, sizeof tests / sizeof *tests);
    unlink(PATH);
    return rc;
}
