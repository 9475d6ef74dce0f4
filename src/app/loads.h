// SPDX-License-Identifier: Apache-2.0
// loads: how much of the traffic the fleet as it stands holds. [M]
//
// One search (search/capacity.h) per scheduler: all rates are scaled together, and the answer is
// the largest rate that was shown to be held, and the smallest that was shown to be missed, each of
// all services. What is asked for is the traffic at its peak with headroom (offer.h).
#ifndef APP_LOADS_H
#define APP_LOADS_H

#include "app/ask.h"

// Collective (ask->eval->comm). Fills ask->staffing->loads, a row per scheduler. Needs the choices
// of all schedulers (tuples.h).
int loads_find(struct ask *ask, struct err *err);

#endif
