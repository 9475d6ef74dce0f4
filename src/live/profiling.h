// SPDX-License-Identifier: Apache-2.0
// profiling: how long a model takes on the machine at hand.
//
// Five questions, each asked in many short visits (profile_crew.h), in rounds that go through all
// of them in an order drawn anew for each round, so that what drifts meanwhile is in the intervals
// and not in one of the sizes:
//
//     alone    each of the sizes, on 1, 2, 4 .. all cores at once: the table of single sizes
//              (of workers of several cores each, on 1, 2, 4 .. all of these, and so below)
//     mix      a stream of queries, cut at each of the batch sizes, on as many cores: how far the
//              table misleads, how much times vary, how they hang together
//     history  where queries have one: sizes by lengths, on as many cores
//     cold     the first requests after a rest, of four lengths: the cold core of models/cost.h
//     energy   of an idle machine, and of one with all cores at work, where the processor tells
//
// Where not all cores are at work, the next visit is of other cores, in turn, since some may be
// slower than others. A question is answered when the 95 % half-width of its mean, over visits, is
// below 2 %, and not asked again; the others get what time is left. The typical mix, from which the
// level of times is taken, is asked to the end: a machine's speed drifts. Every question is asked
// twice at least, so a time that is too short for that is overrun.
//
// Where queries have histories, all but the questions about these are asked with one of the mean
// length, the base, and in the mix with those of its queries: of these, a request's time counts as
// that which it would have taken with the base's, by what the other lengths say (history_fit.h).
// The simulator wants times without a history, so the tables get profiling_bare_s(), by the same.
//
// Times depend on what ran before, so there are two tables. The one for all batch sizes has the
// time of a size from all mixes together, where they had enough requests near it, else from the
// size alone; at a size that a mix was cut at, the requests of that mix are most of these. The
// other is of one mix alone, and as a whole has the mean that it had: for a server that cuts at
// that size.
#ifndef LIVE_PROFILING_H
#define LIVE_PROFILING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "live/cold_fit.h"
#include "live/history_fit.h"
#include "live/interference.h"
#include "live/live_clock.h"
#include "live/profile_mix.h"
#include "live/topology.h"
#include "native/engine.h"
#include "results/ci.h"
#include "traces/qsize.h"

#define PROFILING_RESTS 4

struct profiling_config {
    const struct engine_type *type;
    struct engine_setup setup; // what it points to is borrowed until profiling_run() returns
    const struct topology *topology;
    uint32_t n_workers; // at work at most, 1 .. topology->n_cores / cores_per_worker
    uint32_t cores_per_worker;
    uint32_t most_items;        // largest size of the table
    const uint32_t *cuts_items; // [n_cuts] batch sizes of the mix, rising; of at most most_items
    size_t n_cuts;
    const struct qsize *sizes;     // of the queries of the mix
    const struct qsize *histories; // likewise; NULL: they have none
    enum live_clock_idle idle;     // what a core does that rests
    double time_s;                 // for all of it
    uint64_t seed;
    // How far it is, 0..1; true: to stop as soon as possible. May be NULL.
    bool (*watch)(void *user, double done_frac, uint64_t n_requests);
    void *user;
};

// A line of the table.
struct profile_row {
    uint32_t items, busy; // workers
    struct ci time_s;     // what the simulator is given
    struct ci alone_s;    // of the size alone
    bool from_mix;        // else time_s is alone_s
    double cv;            // standard deviation over mean, of the same requests as time_s
    uint64_t n;           // of them
    double taken_frac;    // share of the time in which the size was measured alone
};

// A mix.
struct profile_mixed {
    uint32_t cut_items, busy;
    struct profile_mix_sum sum; // its ratio is to the times of sizes alone
    double cv;                  // round the times that a table of this mix has
    double factor;              // that all of these times have, so that the mix has its mean
    double lag[PROFILE_MIX_LAGS];
    double query_work_s;             // time of all requests of a query, on average
    double taken_frac, untimed_frac; // of it: taken; taken and in no request's time
};

// Requests after a rest.
struct profile_rest {
    double asked_s, idle_s; // as it was asked for; as it was, the median over visits and cores
    struct ci first_s, last_s;
    double first_ratio; // to the time on a warm core
    uint64_t n;         // cycles
};

// What a history adds, on so many cores.
struct profile_history {
    uint32_t busy;
    struct history_fit fit; // of sizes alone
};

struct profile {
    struct engine_facts facts;
    size_t n_rows, n_mixed, n_sizes, n_busy;
    struct profile_row *rows; // [n_busy][n_sizes], owned
    size_t n_cut_rows, n_cut_sizes;
    struct profile_row *cut_rows; // [n_busy][n_cut_sizes], owned: of the typical mix
    struct profile_mixed *mixed;  // [n_busy][cuts], owned
    uint32_t cold_items;          // size of the requests after rests
    struct profile_rest rests[PROFILING_RESTS];
    struct cold_fit cold;
    uint32_t base_history;             // that times are of; 0: there are none
    struct profile_history *histories; // [n_busy], owned; NULL: there are none
    bool correlated;                   // do the times of requests hang together?
    double noise_cv, correlation_s, correlated_frac;
    double drift_cv;        // of whole visits of the typical mix; NaN: there was one
    double level_half_frac; // how well its level is known: 95 % half-width over the level
    const struct profile_mixed *typical; // of `mixed`: the noise is its, and the rest's
    double rss_bytes;                    // that the process grew by
    double idle_w, busy_w;               // NaN: not known
    char power[256];                     // why not
    char pinning[256];                   // why threads were not pinned; "": they were
    uint32_t n_workers, cores_per_worker;
    uint64_t n_requests, n_left_out;  // that count, and that were interrupted and do not
    uint64_t n_visits_left_out;       // of which too much was taken
    struct interference interference; // of all that counts
    double spent_s;
    bool stopped; // by `watch`, and not whole: nothing else of it may be used
};

// On failure nothing is left to release.
int profiling_run(struct profile *to, const struct profiling_config *config, struct err *err);
void profiling_release(struct profile *profile); // NULL: no effect

// Of rows of one table: what a history adds on so many busy cores (index), which in a mix is as
// much more than alone as a request of cold_items is; and a row's time without one, above 0.
struct cost_history profiling_history_of(const struct profile *profile, bool of_cut, size_t busy);
double profiling_bare_s(const struct profile *profile, bool of_cut, size_t row);

#endif
