// SPDX-License-Identifier: Apache-2.0
// fixture_tuning: what a search might have found, invented.
//
// Rates follow a rule that a test can repeat: point p holds 1000 (p + 1) queries per second under
// static, twice that under deeprecsched and 2.02 times under exhaustive, so every gain is known.
#ifndef TESTS_RESULTS_FIXTURE_TUNING_H
#define TESTS_RESULTS_FIXTURE_TUNING_H

#include <stdint.h>

#include "results/file/tuning_result.h"

// models x two targets x two platforms ("skylake", "cpu + gpu, ti"), policies static,
// deeprecsched, exhaustive. The last point is unreachable under static and exhaustive, whose floors
// are above and below its target. Three steps. Caller destroys.
struct tuning_result *fixture_tuning(uint32_t n_models);
// No axes, one point, one policy, no steps.
struct tuning_result *fixture_tuning_least(void);
// The settings of both: batch_items "B", offload_items "T".
struct chosen fixture_chosen(void);

#endif
