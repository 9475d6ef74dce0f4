// SPDX-License-Identifier: Apache-2.0
// fleetday: the fleet as it stands, over a day, under every scheduler. [M]
//
// The demand is the study's, the servers are all on all day, and what there is to find out is how
// that goes: tails, lateness, utilisation and power of every interval and of the day, from a sample
// of time and of cells (day.h). Schedulers see the same queries, so that their days can be
// compared.
#ifndef APP_FLEETDAY_H
#define APP_FLEETDAY_H

#include "app/ask.h"

// Collective (ask->eval->comm). Fills steps, totals, trials, days and sample of ask->staffing,
// whose demand is there. Needs the choices of all schedulers (tuples.h).
int fleetday_find(struct ask *ask, struct err *err);

#endif
