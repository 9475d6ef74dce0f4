// SPDX-License-Identifier: Apache-2.0
// same_tuning: are two tunings equal? By names, shapes, and all that the tables of fields name, to
// the bit, where any NaN equals any other.
#ifndef TESTS_RESULTS_SAME_TUNING_H
#define TESTS_RESULTS_SAME_TUNING_H

#include "results/file/tuning_result.h"

// Asserts. NULL texts equal "".
void same_tuning(const struct tuning_result *a, const struct tuning_result *b);

#endif
