// SPDX-License-Identifier: Apache-2.0
// cost_synthetic: a cost that is affine in the items, for theory and benchmarks.
//
//     seconds = (fixed + per_item * items) * (1 + contention_frac * (busy - 1) / (cores - 1))
//
// It knows no model and nothing of the platform but its cores. How single draws are spread round
// this mean is the group's noise, not the cost's. An accelerator has four numbers of its own and
// no contention; without any of them it has no cost and cannot be used.
#ifndef MODELS_COST_SYNTHETIC_H
#define MODELS_COST_SYNTHETIC_H

#include "models/cost.h"

extern const struct cost_type cost_synthetic;

#endif
