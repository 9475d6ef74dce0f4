// SPDX-License-Identifier: Apache-2.0
// report_out: where a report goes, and for whom.
//
// Text is for people: sentences and aligned tables. JSON and CSV are for programs: the same tables
// and nothing else, with the names of the file's fields, in the units that these say, with all
// digits, and the half-widths of 95 % intervals in a column of their own. Reports write sentences
// with report_text() and tables with table_print() (table.h) and need not know which it is.
//
//     struct report_out out = {stdout, REPORT_JSON, 0};
//     report_print(&out, meta, summary, info);
//     report_end(&out);
//
// JSON is one object, {"tables": [{"table": "latency", "rows": [{"service": "feed", ...}]}]}, with
// null for what is not known. CSV (RFC 4180) is table after table, each with a line of names, an
// empty line between two; the first column, "table", says which one it is, what is not known is
// empty.
#ifndef RESULTS_REPORT_REPORT_OUT_H
#define RESULTS_REPORT_REPORT_OUT_H

#include <stdint.h>
#include <stdio.h>

enum report_format { REPORT_TEXT, REPORT_JSON, REPORT_CSV, N_REPORT_FORMATS };
extern const char *const report_format_names[]; // "text" "json" "csv" NULL

struct report_out {
    FILE *file;        // borrowed
    int format;        // enum report_format
    uint32_t n_tables; // that went there so far
};

// What only people read; nothing for programs.
void report_text(struct report_out *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// Nothing more will come.
void report_end(struct report_out *out);

#endif
