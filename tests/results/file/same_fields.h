// SPDX-License-Identifier: Apache-2.0
// same_fields: are two structs equal in all that a table of fields names? To the bit, where any NaN
// equals any other.
#ifndef TESTS_RESULTS_SAME_FIELDS_H
#define TESTS_RESULTS_SAME_FIELDS_H

#include "results/summary.h"

// All assert; what differs is named.
void same_fields(const struct data_field *fields, const void *a, const void *b);
void same_fields_ci(const char *name, const struct ci *a, const struct ci *b);
// NULL equals "".
void same_fields_text(const char *a, const char *b);

#endif
