// SPDX-License-Identifier: Apache-2.0
// tuner: which settings of a scheduler serve the most queries within the targets.
//
// What a search may vary is a list of axes (base/settings.h) in the scheduler's own order; no
// policy but `reference` knows what they mean. Those of `split` are the batch size B and the
// offload threshold T.
//
// A policy is a const descriptor in tuner_policies[]; it asks for the capacity (max_load.h) of
// choices in rounds. The tasks of one round are independent, so whoever runs them may spread them
// over ranks; which tasks are in a round never depends on the ranks, so neither does the answer.
//
//   static        the scheduler's defaults: B = the largest query over all cores, no accelerator
//                 (the paper's baseline)
//   fixed         the study's own settings
//   deeprecsched  hill climbing on the first axis from 1, then on the next from 1 (Gupta et al.,
//                 ISCA 2020, as the public summaries and code describe it)
//   exhaustive    every value of every axis: the truth to compare with
//   reference     the random-walk controller of the authors' public code (harvard-acc/DeepRecSys,
//                 scheduler.py), with its defects
#ifndef SEARCH_TUNER_H
#define SEARCH_TUNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "search/max_load.h"
#include "search/measure.h"

// One task of a round, and what came of it. trials: owned by the caller of the round.
struct tuner_job {
    struct max_load_task task;
    struct max_load capacity;
    struct trials trials;
};

// What a search runs on. All functions are called alike on every rank.
struct tuner_backend {
    void *user;
    // Runs the searches of jobs[0 .. n), in any order and place; fills capacity and trials of each.
    int (*round)(void *user, struct tuner_job *jobs, size_t n, struct err *err);
    const void *server; // what the others know
    // Rate above which the choice overloads a queue for certain; INFINITY: not known.
    double (*bound_qps)(const void *server, const struct settings *choice);
    // 0 where all times that the choice needs are known, else -1: then it is never tried. NULL: 0.
    int (*known)(const void *server, const struct settings *choice, struct err *err);
    // Makes all choices that are the same server one.
    void (*simplify)(const void *server, struct settings *choice);
    // For the reference controller, which has its own little server: seconds that one core needs
    // for `items` with all cores busy, and that the accelerator needs for a whole query.
    double (*cpu_s)(const void *server, uint32_t items);
    double (*accel_s)(const void *server, uint32_t items);
    // The i-th query's size in the stream (0: tuning), and the i-th uniform draw in (0, 1).
    uint32_t (*size_items)(const void *server, uint64_t i);
    double (*uniform)(const void *server, uint64_t i);
};

// One axis of a search.
struct tuner_axis {
    const char *key; // of the settings
    enum settings_walk walk;
    int64_t most;       // the least is 1; but with SETTINGS_FACTORS, 0 as well
    const int64_t *own; // exhaustive: values to try, ascending, 0 left out; NULL: tuner_default()
    size_t n_own;
};

struct tuner_config {
    struct max_load_config capacity;
    uint32_t n_cores;             // of one server
    uint32_t n_servers;           // that share the rate
    struct settings plain, fixed; // of the policies `static`, `fixed`
    struct tuner_axis axes[SETTINGS_AXES];
    size_t n_axes;   // those that need an accelerator only where there is one
    double target_s; // of the reference controller
};

struct tuner_outcome {
    struct settings choice;
    struct max_load capacity;   // of that choice, never MAX_LOAD_BELOW
    uint64_t n_choices;         // whose capacity was asked for
    uint64_t n_bounded;         // of these, settled by their bound alone, without a run
    uint64_t n_runs, n_queries; // spent, confirmation left out
    double claimed_qps;         // reference: what that controller believes; else held_qps
    struct trials path;         // every point looked at; owned, tuner_release()
};

struct tuner_policy {
    const char *name, *help;
    int (*tune)(const struct tuner_config *config, const struct tuner_backend *backend,
                struct tuner_outcome *outcome, struct err *err);
};

extern const struct tuner_policy *const tuner_policies[]; // NULL-terminated
int tuner_find(const char *name);                         // index, -1 when unknown
void tuner_release(struct tuner_outcome *outcome);

// Variants, one file each: tuner_static.c (static and fixed), tuner_climb.c, tuner_grid.c,
// tuner_reference.c.
extern const struct tuner_policy tuner_static, tuner_fixed, tuner_deeprecsched, tuner_exhaustive,
    tuner_reference;

// Where a climb begins: `fixed` with every axis at its least.
struct settings tuner_start(const struct tuner_config *config);
// A choice with another value on one axis.
struct settings tuner_with(struct settings choice, const struct tuner_axis *axis, int64_t value);

// A walk by halves ends at the most divided by 2^(TUNER_HALVES - 1): 16 items of 64000.
enum { TUNER_HALVES = 13 };
// The default values of an axis, ascending: about 40 of 1 .. most by factors, about 50 in steps (of
// 20 for 1000), TUNER_HALVES by halves, 0 left out. Returns how many there are, stores at most
// `max`.
size_t tuner_default(const struct tuner_axis *axis, int64_t *v, size_t max);

#endif
