// SPDX-License-Identifier: Apache-2.0
// same_points: do two sweeps hold the same? By names, shapes, and all that the tables of fields
// name, to the bit, where any NaN equals any other.
#ifndef TESTS_RESULTS_SAME_POINTS_H
#define TESTS_RESULTS_SAME_POINTS_H

#include "results/points.h"

// Asserts. NULL texts equal "".
void same_points(const struct points *a, const struct points *b);

#endif
