// SPDX-License-Identifier: Apache-2.0
// live_find: how many queries a second the server of a study holds within its targets, for real and
// simulated. [M]
//
// All rates are multiplied by a factor, by bisection: first for the simulation, which is quick,
// then for the server itself from there on (below all that was missed, where nothing held), a run
// of the study's duration at each factor. A factor holds when no service is later than its target
// at its quantile, nothing grows without bound, and no more is refused or lost than the quantile
// allows. Both see the same queries at the same factor.
//
// A single run near the limit may go either way, the more so the shorter it is: the steps show how
// near each was.
#ifndef LIVE_LIVE_FIND_H
#define LIVE_LIVE_FIND_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "live/serve.h"
#include "study/study.h"

#define LIVE_FIND_MOST_RUNS 64

struct live_find_step {
    double rate_qps;  // of all services together
    double measured;  // latency over target, of the service where it is largest; INFINITY: a
    double simulated; // backlog that grows, or too many lost
};

struct live_find {
    struct live_find_step steps[LIVE_FIND_MOST_RUNS]; // for real, in order
    uint32_t n_steps;
    // The highest rate that held and the lowest that did not; 0, INFINITY: there is none.
    double held_qps, missed_qps;
    double simulated_held_qps, simulated_missed_qps;
    bool stopped; // it was asked to
};

// Collective (comm), of one rank. n_runs for real, at most LIVE_FIND_MOST_RUNS. Scales the study's
// rates on the way, and leaves them as they were. Fails where no service has a target, or where
// arrivals come from a trace.
int live_find(MPI_Comm comm, struct study *study, const struct serve_config *config,
              uint32_t n_runs, struct live_find *find, struct err *err);

#endif
