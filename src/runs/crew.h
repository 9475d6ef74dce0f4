// SPDX-License-Identifier: Apache-2.0
// crew: ranks that carry out searches, or single runs, side by side. [M]
//
// The ranks of a communicator are cut into crews, as many as there is independent work (units) or
// ranks, whichever is less. Units are dealt out over the crews. In a search a crew's ranks all do
// the same; the tasks of a round are dealt out over them, and when a round has fewer tasks than the
// crew has ranks, several ranks simulate one task together. Which task runs where never changes
// what it answers, so neither do crews.
#ifndef RUNS_CREW_H
#define RUNS_CREW_H

#include <mpi.h>
#include <stddef.h>
#include <stdint.h>

#include "runs/memo.h"
#include "runs/probe.h"
#include "base/err.h"
#include "search/tuner.h"

struct crew;

// Collective (comm). Logically collective: n_units. n_units independent pieces of work will be done
// by crew_n(); this rank belongs to crew number crew_index().
struct crew *crew_create(MPI_Comm comm, uint32_t n_units, struct err *err);
// Collective (comm).
void crew_destroy(struct crew *crew); // NULL: no effect

// Not collective. How many crews there are.
uint32_t crew_n(const struct crew *crew);
// Not collective. Which one this rank belongs to.
uint32_t crew_index(const struct crew *crew);
// Not collective. The ranks of this crew; borrowed until crew_destroy().
MPI_Comm crew_comm(const struct crew *crew);
// Not collective. This rank's number within its crew; 0 speaks for it.
int crew_rank(const struct crew *crew);

// Not collective. The rank of crew_create()'s communicator that speaks for crew `index`.
int crew_speaker(const struct crew *crew, uint32_t index);

// Not collective. order[n_units]: the units by falling weight, equal ones by number.
void crew_order(const double *weights, uint32_t n_units, uint32_t *order);

// Not collective. Which crew does which unit: units are dealt in order of falling weight, each to
// the crew of n_crews that has least so far. owner[n_units] is filled; the same on every rank.
void crew_deal(uint32_t n_crews, const double *weights, uint32_t n_units, uint32_t *owner);

// Not collective. From now on its searches look up in the memo what they would measure, and note
// what they measure; a signal to stop, on any of the ranks that measure, is then an error. The memo
// is borrowed.
void crew_keep(struct crew *crew, struct memo *memo);

// What a rank measures for its crew, and what it has shown since crew_begin(). NaN: nothing.
struct crew_work {
    struct settings choice; // under way, at
    double rate_qps;
    double held_qps, missed_qps; // the bracket so far of that choice
    struct settings best;        // of all choices the one that was shown to hold most,
    double best_qps;             // so much
    uint64_t n_queries;          // measured
};
typedef void (*crew_watch_fn)(void *user, const struct crew_work *work);
// Not collective. From now on watch(user, ...) is called on every rank before each measurement.
void crew_watch(struct crew *crew, crew_watch_fn watch, void *user);
// Not collective. A new unit: nothing is shown of it yet.
void crew_begin(struct crew *crew);
// Not collective. Borrowed until crew_destroy().
const struct crew_work *crew_work(const struct crew *crew);

// What a round is measured with; all borrowed.
struct crew_bench {
    struct crew *crew;
    struct probe *probe;
    const struct max_load_config *config;
};

// Collective (the crew). struct tuner_backend's `round`; user is a struct crew_bench.
int crew_round(void *user, struct tuner_job *jobs, size_t n, struct err *err);

// Collective (the crew, or the team of a round). A measure_fn; user is a struct crew_bench.
int crew_measure(void *user, const struct measure_point *point, struct measurement *result,
                 struct err *err);

// Collective (comm). Logically collective: root, n_bytes. What rank `root` found, to all ranks: the
// n_bytes at `found`, a struct without addresses, and its trials. `fields`: the table of their
// choices here, since the address of the root's is of no use elsewhere.
int crew_share(MPI_Comm comm, int root, void *found, size_t n_bytes, struct trials *trials,
               const struct field *fields, struct err *err);

#endif
