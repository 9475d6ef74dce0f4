// SPDX-License-Identifier: Apache-2.0
// tuner: which batch size B and offload threshold T serve the most queries within the targets.
//
// A policy is a const descriptor in tuner_policies[]; it asks for the capacity (max_load.h) of
// choices in rounds. The tasks of one round are independent, so whoever runs them may spread them
// over ranks; which tasks are in a round never depends on the ranks, so neither does the answer.
//
//   static        B = the largest query over all cores, no accelerator (the paper's baseline)
//   fixed         the study's own B and T
//   deeprecsched  hill climbing on B from 1, then on T from 1 (Gupta et al., ISCA 2020, as the
//                 public summaries and code describe it)
//   exhaustive    every B and T of the grid: the truth to compare with
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
    // Rate above which the choice overloads a queue for certain; INFINITY: not known.
    double (*bound_qps)(void *user, const struct choice *choice);
    // For the reference controller, which has its own little server: seconds that one core needs
    // for `items` with all cores busy, and that the accelerator needs for a whole query.
    double (*cpu_s)(void *user, uint32_t items);
    double (*accel_s)(void *user, uint32_t items);
    // The i-th query's size in the stream (0: tuning), and the i-th uniform draw in (0, 1).
    uint32_t (*size_items)(void *user, uint64_t i);
    double (*uniform)(void *user, uint64_t i);
};

struct tuner_config {
    struct max_load_config capacity;
    uint32_t n_cores;        // of one server
    uint32_t n_servers;      // that share the rate
    uint32_t max_items;      // largest query
    bool has_accelerator;    // else T is never tried
    struct choice fixed;     // of policy `fixed`
    const uint32_t *batches; // exhaustive grid, ascending; NULL: tuner_default_batches()
    size_t n_batches;
    const uint32_t *offloads; // ascending, 0 (none) included by the policy; NULL: default
    size_t n_offloads;
    double target_s;          // of the reference controller
    double confirm_over_frac; // 0.05; 0: do not confirm
};

struct tuner_outcome {
    struct choice choice;
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

// The default grid: values of B in 1 .. max_items (about 40), of T (about 50, steps of 20 items).
// Returns how many there are, stores at most `max`.
size_t tuner_default_batches(uint32_t max_items, uint32_t *v, size_t max);
size_t tuner_default_offloads(uint32_t max_items, uint32_t *v, size_t max);

#endif
