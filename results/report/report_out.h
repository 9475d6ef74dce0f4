// SPDX-License-Identifier: Apache-2.0
// report_out: where a report goes, and for whom.
//
// Text is for people: sentences and aligned tables. HTML and Markdown are the same, marked up. JSON
// and CSV are for programs: the same tables and nothing else, with the names of the file's fields,
// in the units that these say, with all digits, and the half-widths of 95 % intervals in a column
// of their own. SVG has the pictures alone. Reports write sentences with report_text(), tables with
// table_print() (table.h) and pictures with report_chart() (report_chart.h) and need not know which
// it is.
//
//     struct report_out out = {stdout, REPORT_JSON};
//     report_print(&out, meta, summary, info);
//     report_end(&out);
//
// JSON is one object, {"tables": [{"table": "latency", "rows": [{"service": "feed", ...}]}]}, with
// null for what is not known. CSV (RFC 4180) is table after table, each with a line of names, an
// empty line between two; the first column, "table", says which one it is, what is not known is
// empty. What goes into HTML and Markdown is escaped, whatever it is.
#ifndef RESULTS_REPORT_REPORT_OUT_H
#define RESULTS_REPORT_REPORT_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum report_format {
    REPORT_TEXT,
    REPORT_JSON,
    REPORT_CSV,
    REPORT_MD,
    REPORT_HTML, // without what is round a page (page.h)
    REPORT_SVG,
    REPORT_PNG, // of the command line: SVG, made a PNG afterwards
    N_REPORT_FORMATS
};
extern const char *const report_format_names[]; // "text" "json" "csv" "md" "html" "svg" "png" NULL

struct report_out {
    FILE *file;        // borrowed
    int format;        // enum report_format
    uint32_t n_tables; // that went there so far
    const char *only;  // the id of the only picture that is wanted; NULL: all
    bool draws;        // text: pictures in characters, too
    bool in_text;      // HTML, Markdown: a paragraph is open
    bool line_ended;   // in it: the last character was a newline
    bool in_pictures;  // HTML: a row of figures is open
    double svg_y;      // SVG: where the next picture goes
};

// What only people read; nothing for programs.
void report_text(struct report_out *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// The paragraph is over: something else follows.
void report_text_end(struct report_out *out);
// Is it for people, in words?
bool report_out_has_text(const struct report_out *out);
// The text as the format wants it: escaped.
void report_out_escape(struct report_out *out, const char *text);
// Nothing more will come.
void report_end(struct report_out *out);

#endif
