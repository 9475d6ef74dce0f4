// SPDX-License-Identifier: Apache-2.0
// csv: lines and fields of a text table in memory, with positions for error messages.
//
// The input is hostile: nothing is assumed about it. Separators are comma, semicolon or tab; lines
// end in LF or CR LF, not in CR alone; the last line may lack its end. A field may stand in double
// quotes. Blank lines and lines that begin with # are skipped. A first line "sep=;", as Excel has
// it, tells the separator. Fields are not copied: they point into the data.
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

// Looks at the data and finds the separator. Refused: no data, NUL bytes, UTF-16, CR alone.
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

// Two quotes in a row in the field stand for one.
bool csv_equals(const struct csv_field *field, const char *text);
// The same in ASCII whatever the case of the letters.
bool csv_says(const struct csv_field *field, const char *text);

// Numbers are written alike in every file: digits, a decimal point, an exponent; where the digits
// are many, a comma before every three of those in front of the point ("10,800.5"), which is the
// only comma that a number may have. Units, words and hexadecimal digits make no number.

// A number >= 0 times 10^power, rounded to the nearest integer, halves up. -1 if it is something
// else or does not fit.
int csv_decimal(const char *text, size_t n, int power, int64_t *value);
// The same as floating point, of either sign. false if it is something else.
bool csv_number(const struct csv_field *field, double *value);
// Is it what programs write for a value that they do not have: nothing, "null", "NaN", "NA", "-"?
bool csv_is_missing(const struct csv_field *field);
// May the field stand in a header for the name of a column? What begins as a number does, or stands
// for a missing or infinite value, may not.
bool csv_is_name(const struct csv_field *field);
// Is the current line a header, by the fields at[0 .. n) that the reader is going to use? One of
// them at least is a name, and none is plainly data: a number with a sign, a point or an exponent,
// or a date. Digits alone may name a column.
bool csv_is_header(const struct csv *csv, const size_t *at, size_t n);

// The whole regular file, which may be compressed by gzip, also piece by piece, into *data, *n; the
// caller mem_free()s. What is behind the compressed data, but zeros, is an error.
// The error begins with its name.
int csv_read_file(const char *path, char **data, size_t *n, struct err *err);

#endif
