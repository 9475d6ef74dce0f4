// SPDX-License-Identifier: Apache-2.0
// trace_csv: traces as text tables, read and written.
//
// Columns are given by name (the file then begins with a header) or by number from 1; times are as
// timetable.h reads them. The first bad line is reported as "file:line:column: ...", with the
// number of bad lines if there are more; a file with a bad line gives no trace. A file may be
// compressed by gzip.
#ifndef TRACES_TRACE_CSV_H
#define TRACES_TRACE_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/schema.h"
#include "traces/query.h"
#include "traces/timetable.h"
#include "traces/trace.h"

enum trace_csv_start {
    TRACE_CSV_START_FIRST, // the first record arrives at 0
    TRACE_CSV_START_ZERO,  // times are since the start of the simulation
};
extern const char *const trace_csv_start_names[];    // "first" "zero" NULL
extern const char *const trace_csv_duration_names[]; // "auto" "s" "ms" "us" "ns" NULL

struct trace_csv_config {
    char *file;
    char *time_column, *size_column; // name, number or "auto"; size_column "" or NULL: none
    char *history_column;            // name or number; "" or NULL: none
    int time_unit;                   // enum timetable_unit
    int separator;                   // enum csv_separator
    int header;                      // enum timetable_header
    int start;                       // enum trace_csv_start
    double time_scale, size_scale;   // factors > 0
    int64_t max_items;               // larger sizes count as this one, and 0 as 1
    bool sort;                       // records out of order are sorted, not refused
    // Names or numbers of more columns; "" or NULL: not there.
    char *duration_column;    // the times are ends: a query started so much before
    int duration_unit;        // enum timetable_unit without stamps; auto: as named, the times', s
    char *count_column;       // a line stands for so many queries, until the next line
    char *filter_column;      // lines count where it says `filter`, else `service_name`
    char *filter;             // "" or NULL: service_name
    const char *service_name; // borrowed; NULL: not known
    int64_t resolution_ns;    // of the clock: records are spread inside its ticks; 0: as they are
    uint64_t seed;            // of that
    uint32_t service;         // whose records they are
};

// The rows of its keys, for a table over `strct` that holds a struct trace_csv_config:
// `at` is "member.", or nothing where strct is that struct itself.
#define TRACE_CSV_FIELDS(strct, at)                                                                \
    FIELD(strct, "file", FIELD_STRING, UNIT_NONE, at file, 0, 0, NULL,                             \
          "the trace, a CSV or HDF5 file"),                                                        \
        FIELD(strct, "time_column", FIELD_STRING, UNIT_NONE, at time_column, 0, 0, "auto",         \
              "column of the arrival times: name in the header, or number from 1; auto: the one "  \
              "called time, else the first; HDF5: dataset, auto is /sample/arrive_s"),             \
        FIELD(strct, "size_column", FIELD_STRING, UNIT_NONE, at size_column, 0, 0, "auto",         \
              "column of the sizes in items, likewise; auto: the one called items or size, else "  \
              "the second; HDF5: auto is /sample/size_items; empty: none"),                        \
        FIELD(strct, "history_column", FIELD_STRING, UNIT_NONE, at history_column, 0, 0, "",       \
              "column of the lengths of histories, likewise; HDF5: dataset; empty: none"),         \
        FIELD_CHOICES(strct, "time_unit", at time_unit, timetable_unit_names, "auto",              \
                      "of the times; auto: timestamps if they look so, else as the column's name " \
                      "says, else "                                                                \
                      "by the size of the first; HDF5: its units"),                                \
        FIELD_CHOICES(strct, "separator", at separator, csv_separator_names, "auto",               \
                      "between columns; auto: from the first line"),                               \
        FIELD_CHOICES(strct, "header", at header, timetable_header_names, "auto",                  \
                      "whether the first line names the columns"),                                 \
        FIELD_CHOICES(strct, "start", at start, trace_csv_start_names, "first",                    \
                      "what time 0 is: the first record, or zero as written"),                     \
        FIELD(strct, "time_scale", FIELD_REAL, UNIT_NONE, at time_scale, 1e-9, 1e9, "1",           \
              "factor on times: 0.5 plays twice as fast"),                                         \
        FIELD(strct, "size_scale", FIELD_REAL, UNIT_NONE, at size_scale, 1e-9, 1e9, "1",           \
              "factor on sizes, before rounding"),                                                 \
        FIELD(strct, "max_items", FIELD_INT, UNIT_ITEMS, at max_items, 1, QUERY_MAX_ITEMS, "1024", \
              "larger sizes count as this one, and are reported"),                                 \
        FIELD(strct, "sort", FIELD_BOOL, UNIT_NONE, at sort, 0, 1, "false",                        \
              "sort records that are out of order instead of refusing them"),                      \
        FIELD(strct, "duration_column", FIELD_STRING, UNIT_NONE, at duration_column, 0, 0, "",     \
              "column of how long each query took, if the times are those of its end"),            \
        FIELD_CHOICES(                                                                             \
            strct, "duration_unit", at duration_unit, trace_csv_duration_names, "auto",            \
            "of the durations; auto: as the column's name says, else the times', else seconds"),   \
        FIELD(strct, "count_column", FIELD_STRING, UNIT_NONE, at count_column, 0, 0, "",           \
              "column of how many queries arrived from the time of the line to that of the next"), \
        FIELD(strct, "filter_column", FIELD_STRING, UNIT_NONE, at filter_column, 0, 0, "",         \
              "column that tells which lines count; empty: all do"),                               \
        FIELD(strct, "filter", FIELD_STRING, UNIT_NONE, at filter, 0, 0, "",                       \
              "what filter_column says in lines that count; empty: the service's name"),           \
        FIELD(                                                                                     \
            strct, "resolution", FIELD_TIME, UNIT_TIME, at resolution_ns, 0, 1e15, "0",            \
            "of the clock that the times are from: the records of every 1s, say, are spread over " \
            "it at random; 0: they arrive as written")

extern const struct field trace_csv_fields[]; // over struct trace_csv_config

// What the fields' defaults say, for those who fill a config by hand. Its strings are
// borrowed: `file` from the caller, the columns are literals; not for schema_release.
struct trace_csv_config trace_csv_defaults(char *file);

// A trace from n bytes of text; `name` stands for the file in messages. The result is valid
// (trace_validate) and sorted; the caller trace_destroy()s. NULL on error.
struct trace *trace_csv_parse(const char *name, const char *data, size_t n,
                              const struct trace_csv_config *config, struct err *err);
// The same from config->file.
struct trace *trace_csv_read(const struct trace_csv_config *config, struct err *err);

// The parts of reading that do not depend on the format of the file, for readers of others.
// Whether the settings can be, whatever the file; the text begins with the key.
int trace_csv_check(const struct trace_csv_config *config, struct err *err);
// A recorded size >= 0 scaled, rounded and brought into 1 .. max_items, counted in the trace if
// that changed it.
uint32_t trace_csv_size(const struct trace_csv_config *config, double size_items,
                        struct trace *trace);
// Sorts, spreads, starts and scales the times of a trace that is all read; the result is valid.
// row_ns: how long each line of counts lasts, in place of the clock's resolution; 0: it has none.
int trace_csv_finish(struct trace *trace, const char *name, const struct trace_csv_config *config,
                     int64_t row_ns, struct err *err);

// Prints "arrive_s,size_items,history_items" (or what there is of them), times exact: `table` is a
// struct trace. For results/file/durable.h, which makes a file of it.
void trace_csv_print(FILE *file, const void *table);

#endif
