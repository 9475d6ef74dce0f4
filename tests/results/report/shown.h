// SPDX-License-Identifier: Apache-2.0
// shown: what a report looks like, for the tests of reports.
#ifndef TESTS_RESULTS_SHOWN_H
#define TESTS_RESULTS_SHOWN_H

#include <stddef.h>

#include "results/report/report_out.h"

// What is printed into memory: into shown_open()'s file, as text, until shown_text(), whose text
// the caller mem_free()s.
struct shown {
    char *text;
    size_t n;
    struct report_out out;
};
struct report_out *shown_open(struct shown *shown);
char *shown_text(struct shown *shown);

int shown_lines(const char *text);

// Asserts that each of the n wanted texts is in it.
void shown_has(const char *text, const char *const *wanted, size_t n);
// The same of texts up to a NULL, and tidy; frees the text.
void shown_is(char *text, int most_columns, const char *const *wanted);
// Asserts that no line has more characters than most_columns, a "nan", an "inf" or a blank at its
// end.
void shown_tidy(const char *text, int most_columns);

#endif
