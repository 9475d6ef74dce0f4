// SPDX-License-Identifier: Apache-2.0
// same_staffing: are two staffings equal? By names, shapes and rows, to the byte.
#ifndef TESTS_RESULTS_SAME_STAFFING_H
#define TESTS_RESULTS_SAME_STAFFING_H

#include "results/staffing.h"

// Asserts. NULL texts equal "".
void same_staffing(const struct staffing *a, const struct staffing *b);

#endif
