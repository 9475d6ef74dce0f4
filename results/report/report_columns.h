// SPDX-License-Identifier: Apache-2.0
// report_columns: the columns of a table, as data.
//
// A report shows rows of structs whose members a table of fields already names (data_field.h). A
// column says which field it shows, under which head and how, so that a new number in a table is
// one line:
//
//     static const struct report_column columns[] = {
//         {"served qps", "served_qps", REPORT_INTERVAL, .scale = 1},
//         {"wait @", "wait_mean_s", .form = REPORT_INTERVAL},      // "wait ms", or "us"
//         {"late %", "late_frac", REPORT_INTERVAL, 100, .shown = has_target},
//         {0}};
//     const struct report_columns c = {columns, summary_service_fields, .unit = unit};
//     report_columns_heads(&c, table);
//     for (uint32_t i = 0; i < n; i++)
//         report_columns_row(&c, table, &services[i]);
//
// What is no field of the row (names, what two rows are to each other) the report puts beside these
// cells by itself, with table_cell().
#ifndef RESULTS_REPORT_REPORT_COLUMNS_H
#define RESULTS_REPORT_REPORT_COLUMNS_H

#include <stdbool.h>

#include "results/data_field.h"
#include "results/report/table.h"

enum report_form {         // 7.1316 with a half-width of 0.0213     nothing known
    REPORT_INTERVAL,       // "7.132 ±0.021"                         "n/a"
    REPORT_KNOWN_INTERVAL, // the same                               "-"
    REPORT_NUMBER,         // "7.132"                                "n/a"
    REPORT_KNOWN,          // "7.132"                                "-"
    REPORT_WHOLE,          // "7"                                    "-"
    REPORT_TENTHS,         // "7.1"                                  "-"
    REPORT_HUNDREDTHS      // "7.13"                                 "-"
};

struct report_column {
    const char *head;  // a '@' in it stands for the unit of time; NULL ends a list
    const char *field; // its name in the tables of fields: a number, an estimate, a count, a code
    enum report_form form;
    double scale;                                                      // 0: to the unit of time
    bool (*shown)(const void *row);                                    // else "-"; NULL: always
    bool (*wanted)(const void *context, const struct report_column *); // NULL: always
    const char *const *words; // what the values of a code are called
    const char *hidden;       // where it is not shown; NULL: "-"
};

struct report_columns {
    const struct report_column *list;
    const struct data_field *fields, *more; // of the rows; `more` may be NULL
    struct table_unit unit;                 // of time
    const void *context;                    // for wanted()
    bool without_intervals;                 // estimates as KNOWN, their half-widths left out
};

// The heads of the wanted columns, and their cells for one row, into the table.
void report_columns_heads(const struct report_columns *columns, struct table *table);
void report_columns_row(const struct report_columns *columns, struct table *table, const void *row);

// The number that a column shows, unscaled; NaN: nothing known.
double report_columns_value(const struct data_field *fields, const struct report_column *column,
                            const void *row);

#endif
