// SPDX-License-Identifier: Apache-2.0
// sizing: the smallest number of servers (or cores, or anything counted) that holds a load.
//
// The question is asked of a callback that simulates n of them, and the answer knows its noise. A
// size is held when every queue is stable and every target is met, missed when an interval lies
// beyond; SIZING_CLEAR widens the interval of the fraction of late queries that decides, because a
// search looks often. Where a run cannot decide it is made longer, four times each, up to
// most_queries. More is assumed never to be worse.
//
// The search brackets the answer from a guess, bisects, and shows the two that matter by longer
// runs: the size held and the one below missed. What stays unsure widens the answer: it is then
// known to lie in [n_least, n_most], and n is the smallest size of that range whose measured point
// meets the target.
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

typedef int (*sizing_fn)(void *user, const struct sizing_point *point,
                         struct measure_result *result, struct err *err);

struct sizing_task {
    uint32_t least, most; // sizes to look at; below `least` some queue is known to grow for ever
    uint32_t guess;       // where to look first; 0: at least
    double allowed_frac;  // of queries that may be late, 1 - the target's quantile
    uint64_t first_queries, most_queries; // of one run
    uint32_t stream;
};

enum sizing_state {
    SIZING_FOUND,  // n is held, n - 1 is missed (or below `least`)
    SIZING_RANGE,  // in [n_least, n_most]
    SIZING_BEYOND, // `most` is not enough
    N_SIZING_STATES
};
extern const char *const sizing_state_names[]; // "found" "range" "beyond" NULL

struct sizing {
    int32_t state; // enum sizing_state
    uint32_t n, n_least, n_most;
    struct measure_result at_n, below; // measured at n and at n - 1; measure_nothing() if not
    uint64_t n_runs, n_queries;        // spent
};

// Fails only when `measure` does.
int sizing_search(const struct sizing_task *task, sizing_fn measure, void *user,
                  struct sizing *sizing, struct err *err);

// The verdict of a result at that allowance, SIZING_CLEAR half-widths off.
enum measure_verdict sizing_verdict(const struct measure_result *result, double allowed_frac);

#endif
