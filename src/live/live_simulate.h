// SPDX-License-Identifier: Apache-2.0
// live_simulate: what arrived at a server that ran, simulated. [M]
//
// The study as it is, but for its arrivals, which are the measured ones, to the nanosecond, each
// query with its own items. So it is what `recfleet run` makes of the trace that was written
// (live_trace.h). And the same with a term of the study's service times left out, so that the
// differences show which of them explains what was measured. And all of it on a machine that is by
// a factor slower, for a run in which the machine was.
//
//     for (enum live_term t = 0; t < N_LIVE_TERMS; t++)
//         if (live_simulate_has(log->plan, t)) ... live_simulate(comm, log, t, 1, record, &err) ...
#ifndef LIVE_LIVE_SIMULATE_H
#define LIVE_LIVE_SIMULATE_H

#include <mpi.h>
#include <stdbool.h>

#include "base/err.h"
#include "live/live_log.h"
#include "results/record.h"

// What is left out.
enum live_term {
    LIVE_ALL_TERMS, // nothing is
    LIVE_NO_COLD,   // idle cores stay warm
    LIVE_NO_NOISE,  // every request takes its mean
    LIVE_ONE_CORE,  // it takes as long as with one core busy
    N_LIVE_TERMS
};

// Not collective. Has the study such a term, and can it be left out?
bool live_simulate_has(const struct live_plan *plan, enum live_term term);

// Collective (comm), of one rank. Every service time is multiplied by slower (> 0). Adds to
// *record, of the study's shape or a shorter one: what arrives later is left out.
int live_simulate(MPI_Comm comm, const struct live_log *log, enum live_term term, double slower,
                  struct record *record, struct err *err);

#endif
