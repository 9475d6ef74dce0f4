// SPDX-License-Identifier: Apache-2.0
// sizing: the smallest number of servers (or cores, or anything counted) that holds a load.
//
// The question is asked of a callback that simulates n of them, and the answer knows its noise. A
// size is held when every queue is stable and every target is met, missed when an interval lies
// beyond; SIZING_CLEAR widens the interval of the fraction of late queries that decides, because a
// search looks often. That interval is never taken to be narrower than independent queries would
// make it: none late among few says little; and it is widened where longer runs show by how much
// the shorter ones were too sure of themselves, as they are where waits outlast a batch. More
// servers are assumed never to be worse.
//
// The search walks to the crossing with short runs, going by the measured point where the interval
// does not decide, then again from there with runs four times as long, and so on up to
// most_queries. It ends when the size held and the one below, missed, are both shown: decided by
// two lengths of run, by twice the needed distance (not by the shortest), or by the longest. What
// the longest runs leave unsure widens the answer: it is then known to lie in [n_least, n_most],
// and n is the smallest size of that range whose measured point meets the target. No size is run
// twice at one length.
//
//     struct sizing_task task = {.least = 80, .most = 1000, .guess = 95, .allowed_frac = 0.05,
//                                .first_queries = 20000, .most_queries = 1280000};
//     if (sizing_search(&task, simulate, &fleet, &sizing, err) != 0) ...
#ifndef SEARCH_SIZING_H
#define SEARCH_SIZING_H

#include <stdint.h>

#include "base/err.h"
#include "search/measure.h"

// Half-widths (1.96 standard errors each) between the measured fraction of late queries and what
// the target allows: 1.5 of them are wrong once in 300.
#define SIZING_CLEAR 1.5

struct sizing_point {
    uint32_t n;         // how many
    uint64_t n_queries; // to simulate, about
    uint32_t stream;    // of random draws, as in struct measure_point
};

typedef int (*sizing_fn)(void *user, const struct sizing_point *point, struct measurement *result,
                         struct err *err);

struct sizing_task {
    // Sizes to look at, 1 <= least <= most; below `least` some queue is known to grow for ever.
    uint32_t least, most;
    uint32_t guess;      // where to look first, brought into [least, most]; 0: at least
    double allowed_frac; // of queries that may be late, 1 - the target's quantile; in (0, 1)
    uint64_t first_queries, most_queries; // of one run, 0 < first <= most
    uint32_t stream;
};

enum sizing_state {
    SIZING_FOUND,  // n is held, n - 1 is missed (or below `least`)
    SIZING_RANGE,  // in [n_least, n_most]; where n_most == task.most, that may not be held either
    SIZING_BEYOND, // `most` is not enough; n, n_least and n_most are `most`
    N_SIZING_STATES
};
extern const char *const sizing_state_names[]; // "found" "range" "beyond" NULL

struct sizing {
    int32_t state; // enum sizing_state
    uint32_t n, n_least, n_most;
    struct measurement at_n,
        below; // measured at n and at n - 1; measurement_none(VERDICT_UNSURE) if not
    uint64_t n_runs, n_queries; // spent
};

// Fails only when `measure` does.
int sizing_search(const struct sizing_task *task, sizing_fn measure, void *user,
                  struct sizing *sizing, struct err *err);

// The verdict of a single result at that allowance, SIZING_CLEAR half-widths off. result->sla only
// has a say when the fraction of late queries is within the allowance: of several services, that
// fraction is of one.
enum measurement_verdict sizing_verdict(const struct measurement *result, double allowed_frac);

#endif
