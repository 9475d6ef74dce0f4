// SPDX-License-Identifier: Apache-2.0
// find_load: how much of the traffic the fleet as it stands holds. [M]
//
// One search (search/max_load.h) per scheduler: all rates are scaled together, and the answer is
// the largest rate that was shown to be held, and the smallest that was shown to be missed, each of
// all services. What is asked for is the traffic at its peak with headroom (peak_load.h).
#ifndef CAPACITY_FIND_LOAD_H
#define CAPACITY_FIND_LOAD_H

#include "capacity/capacity_context.h"

// Collective (context->eval->comm). Fills context->answer->loads, a row per scheduler. Needs the
// choices of all schedulers (efficiency.h).
int find_load_run(struct capacity_context *context, struct err *err);

#endif
