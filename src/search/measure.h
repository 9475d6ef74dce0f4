// SPDX-License-Identifier: Apache-2.0
// measure: "evaluate this point", the question that every search asks.
//
// A search knows nothing of servers: it hands a point (a choice of a scheduler's settings, an
// arrival rate, a number of queries, a stream of random draws) to a callback, and gets back numbers
// with their intervals (results/measurement.h). Searches are pure: same answers, same search.
//
// Common random numbers: two points of one `stream` see the same queries, their arrival times
// scaled by the rate, so a difference between points is theirs and not the draw's.
//
// Units: queries per second, seconds, items, watts; fractions 0..1.
#ifndef SEARCH_MEASURE_H
#define SEARCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/settings.h"
#include "results/measurement.h"

// Streams of random draws: a search tunes on one and confirms on others.
enum measure_stream { STREAM_TUNE, STREAM_CONFIRM, STREAM_FLOOR, N_MEASURE_STREAMS };

struct measure_point {
    struct settings choice;
    double rate_qps;    // over all services of the fleet, > 0
    uint64_t n_queries; // to simulate, about
    uint32_t stream;    // enum measure_stream, plus N_MEASURE_STREAMS times a replication number
};

// Fills *result, or fails (a study that cannot be run; MPI).
typedef int (*measure_fn)(void *user, const struct measure_point *point, struct measurement *result,
                          struct err *err);

// Every point a search looked at, in order. Grows; v is owned.
struct trial {
    struct measure_point point;
    struct measurement result;
};
struct trials {
    struct trial *v;
    size_t n, cap;
};
void trials_add(struct trials *trials, const struct measure_point *point,
                const struct measurement *result);
void trials_append(struct trials *trials, const struct trials *more);
void trials_release(struct trials *trials); // empties it; may be filled again

#endif
