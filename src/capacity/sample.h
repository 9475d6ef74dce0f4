// SPDX-License-Identifier: Apache-2.0
// sample: slices, short pieces of a day on a part of a fleet, each simulated by itself. [M]
//
// A number has one meaning: slices of one number and one fleet are the same cells and, at the same
// place of the day, the same queries. What shall be independent gets numbers of its own.
//
// What a fleet does all day is estimated from slices: the cells of a fleet do not know of each
// other, so some of them stand for all; and a window of a few seconds, after a warm-up, stands for
// the minutes round it. A slice is such a window on such cells, an independent simulation that
// begins empty; its random draws follow from the study's seed and its number alone. So what it
// answers depends neither on the ranks nor on what else was simulated.
//
// Cells are not independent when traffic moves between them (failures with failover and events of
// whole cells), and a list of failures belongs to a time; sample_check() refuses both. Arrivals
// that cannot begin anywhere (replay) need slices that bring their rates.
#ifndef CAPACITY_SAMPLE_H
#define CAPACITY_SAMPLE_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "capacity/sample_fleet.h" // struct slice
#include "results/hist.h"
#include "search/measure.h"
#include "study/study.h"

// One service in one slice, scaled to nothing: counts of what was simulated.
struct slice_service {
    uint64_t n_queries, n_late, n_lost;
    uint32_t first, n_counts; // of the histogram: buckets [first, first + n_counts)
    uint32_t *counts;         // owned by the slice_result
};

// The pointers are last, so that what is before them travels as it lies.
struct slice_result {
    // The slice's servers over its measured time.
    int64_t cpu_busy_ns, accel_busy_ns, energy_uj;
    double core_s, stream_s;    // what there was of them
    double length_s;            // of the measured time
    double share_frac;          // simulated servers over all of the fleet's
    struct measurement overall; // as probe_measure() gives it, of the worst service, but for
                                // cpu_util_frac, accel_util_frac: of all groups together
    uint32_t n_services;
    struct slice_service *services; // [n_services]
    // [n_services] as `overall`, of each service by itself; NULL where the slice did not ask.
    struct measurement *trials;
};

// Not collective. Can the study be cut so? The text of the error begins with the key that is in the
// way.
int sample_check(const struct study *study, struct err *err);

// Collective (comm). `memo` may be NULL; both borrowed until sample_bench_destroy(), and so are the
// cost models of the studies that slices come from.
struct memo;
struct sample_bench;
struct sample_bench *sample_bench_create(MPI_Comm comm, struct memo *memo);
// Not collective. NULL: no effect.
void sample_bench_destroy(struct sample_bench *bench);

// Collective (comm). Logically collective: slices agree. Simulates n of them, side by side where
// there are several, together where there is one; results[n] are the same on every rank. Those that
// were done before (memo.h) are not done again. A fleet without servers or traffic gives zeros, and
// is stable. On error no result is left.
// Between slices it calls the bench's watch, and fails with it; what was answered is kept.
int sample_run(struct sample_bench *bench, const struct slice *slices, size_t n,
               struct slice_result *results, struct err *err);
// How far a sample_run() is: the queries that it has simulated so far, answers from the memo
// included, and the part of its work that they are.
struct sample_reached {
    uint64_t n_queries;
    double done_frac;
};
// Not collective. From now on sample_run() calls watch(user, ...) on every rank, before the first
// slice and after every few; -1 ends it, and must be said on every rank alike. `tell` (NULL: none)
// is called on rank 0 alone, now and then inside of a slice where it has a part in all of them.
typedef int (*sample_watch_fn)(void *user, const struct sample_reached *reached, struct err *err);
typedef void (*sample_tell_fn)(void *user, const struct sample_reached *reached);
void sample_watch(struct sample_bench *bench, sample_watch_fn watch, sample_tell_fn tell,
                  void *user);
// Not collective. The next sample_run()s are that part, [from_frac, to_frac], of what done_frac is
// counted of; at first it is all.
void sample_share(struct sample_bench *bench, double from_frac, double to_frac);

// Not collective. Empties the results.
void sample_release(struct slice_result *results, size_t n);

#endif
