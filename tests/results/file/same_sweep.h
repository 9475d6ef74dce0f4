// SPDX-License-Identifier: Apache-2.0
// same_sweep: do two sweeps hold the same? By names, shapes, and all that the tables of fields
// name, to the bit, where any NaN equals any other.
#ifndef TESTS_RESULTS_SAME_POINTS_H
#define TESTS_RESULTS_SAME_POINTS_H

#include "results/file/sweep_result.h"

// Asserts. NULL texts equal "".
void same_sweep(const struct sweep_result *a, const struct sweep_result *b);

#endif
