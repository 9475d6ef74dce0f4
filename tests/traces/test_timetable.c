// SPDX-License-Identifier: Apache-2.0
#include "traces/timetable.h"

#include <string.h>

#include "base/simtime.h"
#include "support/suite.h"

static struct timetable opened(const char *text)
{
    struct timetable table;
    ck_assert_int_eq(timetable_open(&table, "t.csv", text, strlen(text), CSV_AUTO, NULL), 0);
    return table;
}

// Where a column is in the text; its header is not told.
static struct timetable found(const char *text, const char *wanted, size_t *at)
{
    struct timetable table = opened(text);
    struct timetable_column column = {"time_column", wanted, 1, TIMETABLE_TIME, 0, 0};
    struct err err = {0};
    ck_assert_msg(timetable_columns(&table, TIMETABLE_HEADER_AUTO, &column, 1, &err) == 0, "%s",
                  err.text);
    *at = column.at;
    return table;
}

// The time that the only field of a text is.
static int time_of(const char *text, int unit, int64_t *ns, struct err *err)
{
    struct timetable table = opened(text);
    table.time_unit = unit;
    return timetable_time(&table, 0, ns, err);
}

// One instant in all its forms, and the others that are as many ns as they say.
START_TEST(times_in_every_form)
{
    const int64_t day_ns = INT64_C(1709596800) * SIMTIME_S; // 2024-03-05
    const struct {
        const char *text;
        int unit;
        int64_t ns;
    } rows[] = {
        {"2024-03-05 00:00:00", TIMETABLE_AUTO, day_ns},
        {"2024-03-05T00:00:00Z", TIMETABLE_AUTO, day_ns},
        {"2024-03-05T00:00", TIMETABLE_AUTO, day_ns},
        {"2024/03/05 00:00:00.5 UTC", TIMETABLE_AUTO, day_ns + SIMTIME_S / 2},
        {"2024-03-05 11:00:00+11:00", TIMETABLE_AUTO, day_ns},
        {"2024-03-04 14:30:00.000 -0930", TIMETABLE_AUTO, day_ns},
        {"2024-03-05 01:00+01", TIMETABLE_AUTO, day_ns},
        {"1709596800", TIMETABLE_AUTO, day_ns},
        {"1709596800.000000001", TIMETABLE_AUTO, day_ns + 1},
        {"1709596800000", TIMETABLE_AUTO, day_ns},
        {"1709596800000000", TIMETABLE_AUTO, day_ns},
        {"1709596800000000000", TIMETABLE_AUTO, day_ns},
        {"12.5", TIMETABLE_AUTO, 12500 * SIMTIME_MS},
        {"12.5", TIMETABLE_MS, 12500 * SIMTIME_US},
        {"12.5", TIMETABLE_NS, 13},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err err = {0};
        int64_t ns = -1;
        ck_assert_msg(time_of(rows[i].text, rows[i].unit, &ns, &err) == 0, "%s", err.text);
        ck_assert_msg(ns == rows[i].ns, "%s: %lld", rows[i].text, (long long)ns);
    }
}
END_TEST

// A number is a place, a name a name; what a header calls by a number is found by its place.
START_TEST(columns_by_name_and_number)
{
    size_t at;
    ck_assert(found("a,b\n1,2\n", "b", &at).has_header);
    ck_assert_uint_eq(at, 1);
    ck_assert(!found("1,2\n", "2", &at).has_header);
    ck_assert_uint_eq(at, 1);
    ck_assert(found("t,1\n5,6\n", "auto", &at).has_header);
    ck_assert_uint_eq(at, 0);
    ck_assert(found("t,2023\n5,6\n", "2023", &at).has_header);
    ck_assert_uint_eq(at, 1);
}
END_TEST

// Columns that nobody has chosen are found by what the header calls them, whatever their place.
START_TEST(headers_go_before_places)
{
    const struct {
        const char *text;
        size_t time, size;
        int unit;
    } rows[] = {
        {"items,time\n5,0\n", 1, 0, TIMETABLE_AUTO},
        {"id;Time (ms);bytes;SIZE\n5;0;1;2\n", 1, 3, TIMETABLE_MS},
        {"size_items\tarrive_s\n5\t0\n", 1, 0, TIMETABLE_S},
        {"timestamp,ContextTokens\n5,0\n", 0, 1, TIMETABLE_AUTO},
        {"at,n\n5,0\n", 0, 1, TIMETABLE_AUTO},
        {"Date,Time,Items\n5,0,1\n", 0, 2, TIMETABLE_AUTO},
        {"arrival_us,count,size\n5,0,1\n", 0, 2, TIMETABLE_US},
        {"9,7\n5,0\n", 0, 1, TIMETABLE_AUTO},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct timetable table = opened(rows[i].text);
        struct timetable_column columns[] = {{"time_column", "auto", 1, TIMETABLE_TIME, 0, 0},
                                             {"size_column", "auto", 2, TIMETABLE_ITEMS, 0, 0}};
        struct err err = {0};
        ck_assert_msg(timetable_columns(&table, TIMETABLE_HEADER_AUTO, columns, 2, &err) == 0, "%s",
                      err.text);
        ck_assert_uint_eq(columns[0].at, rows[i].time);
        ck_assert_uint_eq(columns[1].at, rows[i].size);
        ck_assert_int_eq(table.named_unit, rows[i].unit);
    }
}
END_TEST

// A header that contradicts the places, or has two columns that might be meant, is refused.
START_TEST(contradicting_headers_are_refused)
{
    const char *const rows[][2] = {
        {"when,latency\n0,1\n", "t.csv:1:6: size_column: column 2 is named \"latency\", which is "
                                "something else; expected one named \"items\""},
        {"items,when\n0,1\n", "t.csv:1:1: time_column: column 1 is named \"items\", which is "
                              "something else; expected one named \"time\""},
        {"id,time,bytes\n0,1,2\n", "t.csv:1:4: size_column: column 2 is named \"time\", which is "
                                   "something else; expected one named \"items\""},
        {"time,items,items\n0,1,2\n", "t.csv:1:12: size_column: columns 2 and 3 are both named "
                                      "\"items\": rename one"},
        {"id,ts,time,items\n0,1,2,3\n",
         "t.csv:1:7: time_column: it might be \"ts\" or \"time\": say which"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct timetable table = opened(rows[i][0]);
        struct timetable_column columns[] = {{"time_column", "auto", 1, TIMETABLE_TIME, 0, 0},
                                             {"size_column", "auto", 2, TIMETABLE_ITEMS, 0, 0}};
        struct err err = {0};
        ck_assert_int_eq(timetable_columns(&table, TIMETABLE_HEADER_AUTO, columns, 2, &err), -1);
        ck_assert_str_eq(err.text, rows[i][1]);
    }
    struct timetable table = opened("at,x,x\n0,1,2\n");
    struct timetable_column column = {"size_column", "x", 2, TIMETABLE_ITEMS, 0, 0};
    struct err err = {0};
    ck_assert_int_eq(timetable_columns(&table, TIMETABLE_HEADER_AUTO, &column, 1, &err), -1);
    ck_assert_str_eq(err.text,
                     "t.csv:1:6: size_column: columns 2 and 3 are both named \"x\": rename one");
    column.wanted = "2"; // somebody's choice goes before any name
    ck_assert_int_eq(timetable_columns(&table, TIMETABLE_HEADER_AUTO, &column, 1, &err), 0);
    ck_assert_uint_eq(column.at, 1);
}
END_TEST

// A number that is a place and the name of another column is not guessed at.
START_TEST(ambiguous_numbers_are_refused)
{
    struct timetable table = opened("t,n,1,2\n5,6,7,8\n");
    struct timetable_column column = {"size_column", "1", 2, TIMETABLE_ITEMS, 0, 0};
    struct err err = {0};
    ck_assert_int_eq(timetable_columns(&table, TIMETABLE_HEADER_YES, &column, 1, &err), -1);
    ck_assert_str_eq(err.text,
                     "t.csv:1:5: size_column: column 3 is named \"1\", which is the number "
                     "of another: say 3, or rename it");
}
END_TEST

// The first line is handed out when it is a record, and lines must have as many fields.
START_TEST(records_follow_the_first)
{
    size_t at;
    struct err err = {0};
    struct timetable table = found("1,2\n3,4\n5\n6,7\n", "1", &at);
    ck_assert_int_eq(timetable_next(&table, &err), 1);
    ck_assert(csv_equals(&table.csv.fields[0], "1"));
    ck_assert_int_eq(timetable_next(&table, &err), 1);
    ck_assert_int_eq(timetable_next(&table, &err), -1);
    ck_assert_str_eq(err.text, "t.csv:3:1: expected 2 fields as in the first line, got 1");
    ck_assert_int_eq(timetable_next(&table, &err), 1);
    ck_assert(csv_equals(&table.csv.fields[0], "6"));
    ck_assert_int_eq(timetable_next(&table, &err), 0);
}
END_TEST

// What is no time is refused at its place.
START_TEST(other_times_are_refused)
{
    const char *const texts[] = {"2024-02-30 00:00:00",  "2024-03-05 24:00:00",
                                 "2024-03-05 00:00:0",   "2024-03-05 00:00:00 CET",
                                 "2024-03-05 00:00:00.", "2024-03/05 00:00:00",
                                 "1969-12-31 00:00:00",  "2024-03-05 00:00:00+1"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct err err = {0};
        int64_t ns;
        ck_assert_msg(time_of(texts[i], TIMETABLE_AUTO, &ns, &err) == -1, "%s", texts[i]);
        ck_assert_ptr_nonnull(strstr(err.text, "t.csv:1:1: expected a timestamp such as"));
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", times_in_every_form},        {"core", columns_by_name_and_number},
        {"core", headers_go_before_places},   {"errors", contradicting_headers_are_refused},
        {"limits", records_follow_the_first}, {"errors", ambiguous_numbers_are_refused},
        {"errors", other_times_are_refused},
    };
    return suite_run("timetable", tests, sizeof tests / sizeof *tests);
}
