// SPDX-License-Identifier: Apache-2.0
// same_capacity: are two staffings equal? By names, shapes and rows, to the byte.
#ifndef TESTS_RESULTS_SAME_STAFFING_H
#define TESTS_RESULTS_SAME_STAFFING_H

#include "results/file/capacity_result.h"

// Asserts. NULL texts equal "".
void same_capacity(const struct capacity_result *a, const struct capacity_result *b);

#endif
