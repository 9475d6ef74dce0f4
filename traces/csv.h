// SPDX-License-Identifier: Apache-2.0
// csv: lines and fields of a text table in memory, with positions for error messages.
//
// The input is hostile: nothing is assumed about it. Separators are comma, semicolon or tab; lines
// end in LF or CR LF; the last line may lack its end. A field may stand in double quotes. Blank
// lines and lines that begin with # are skipped. Fields are not copied: they point into the data.
//
//     struct csv csv;
//     if (csv_open(&csv, "trace.csv", data, n, CSV_AUTO, err)) return -1;
//     while ((rc = csv_next(&csv, err)) > 0)
//         use(csv.fields[0]);
#ifndef TRACES_CSV_H
#define TRACES_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CSV_MAX_FIELDS 256
#define CSV_MAX_LINE_BYTES 65536

enum csv_separator { CSV_AUTO, CSV_COMMA, CSV_SEMICOLON, CSV_TAB };
extern const char *const csv_separator_names[]; // "auto" "comma" "semicolon" "tab" NULL

struct csv_field {
    const char *text; // n bytes, blanks around and quotes removed
    size_t n;
    size_t column; // of its first byte in the line, from 1
};

struct csv {
    const char *name; // of the file, for messages; borrowed
    const char *data; // borrowed
    size_t n, pos;    // bytes in all, bytes read
    char separator;
    uint64_t line; // the current one, from 1
    bool cut;      // the data ended before the line did
    size_t n_fields;
    struct csv_field fields[CSV_MAX_FIELDS];
};

// Looks at the data and finds the separator. Refused: no data, NUL bytes, UTF-16.
int csv_open(struct csv *csv, const char *name, const char *data, size_t n,
             enum csv_separator separator, struct err *err);

// The next line with content into fields: 1; 0 at the end; -1 if it cannot be split (too long, too
// many fields, an open quote): the next call goes on behind it.
int csv_next(struct csv *csv, struct err *err);

// An error at a column of the current line: "name:line:column: text". Returns -1.
int csv_fail(const struct csv *csv, size_t column, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

// The field for a message, in quotes, unprintable bytes as '?', cut when long; returns buf.
#define CSV_SHOW_MAX 48
const char *csv_show(const struct csv_field *field, char buf[CSV_SHOW_MAX]);

bool csv_equals(const struct csv_field *field, const char *text);

// A decimal number >= 0 ("12", "0.5", "1.5e3") times 10^power, rounded to the nearest integer,
// halves up. -1 if it is something else or does not fit.
int csv_decimal(const char *text, size_t n, int power, int64_t *value);

// The whole regular file into *data, *n; the caller mem_free()s. The error begins with its name.
int csv_read_file(const char *path, char **data, size_t *n, struct err *err);

#endif
