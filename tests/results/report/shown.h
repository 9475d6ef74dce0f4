// SPDX-License-Identifier: Apache-2.0
// shown: what a report looks like, for the tests of reports.
#ifndef TESTS_RESULTS_SHOWN_H
#define TESTS_RESULTS_SHOWN_H

#include <stddef.h>

int shown_lines(const char *text);

// Asserts that each of the n wanted texts is in it.
void shown_has(const char *text, const char *const *wanted, size_t n);
// Asserts that no line has more characters than most_columns, a "nan", an "inf" or a blank at its
// end.
void shown_tidy(const char *text, int most_columns);

#endif
