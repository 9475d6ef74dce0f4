// SPDX-License-Identifier: Apache-2.0
// ask: one question of `recfleet capacity` on its way to its answer. [M]
//
// What the modules that answer it share: the study, the ranks, what simulates (slice.h), what was
// simulated before (memo.h), and the answer (results/staffing.h), which is filled in on every rank
// alike. A question is worked on in stages, each a part of the whole; after every piece of one,
//
//     if (ask_done(ask, pieces / all, err) < 0) return -1;
//
// says how far it is and looks for a signal to stop: then it fails, and ask->stopped is set. What
// was simulated is in the memo by then.
#ifndef APP_ASK_H
#define APP_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "app/eval.h"
#include "app/memo.h"
#include "app/slice.h"
#include "base/err.h"
#include "results/staffing.h"
#include "search/measure.h"
#include "study/study.h"
#include "traces/forecast.h"

// Called on rank 0: the part of the work that is behind it, and what is being done.
typedef void (*ask_progress_fn)(void *user, double done_frac, const char *stage,
                                uint64_t n_queries);

struct ask {
    const struct eval *eval;
    const struct study *study;
    struct memo *memo;         // NULL: nothing is kept
    struct slice_bench *bench; // slices are simulated on it
    struct staffing *staffing; // the answer
    // B and T of every server: [n_schedulers][n_groups][n_services].
    struct choice *choices;
    ask_progress_fn progress; // NULL: none
    void *user;
    uint64_t n_queries; // simulated, in this part of the work or an earlier one
    uint64_t n_told;    // most that was ever told
    bool stopped;
    const char *stage; // being done: [from_frac, to_frac] of the work
    double from_frac, to_frac, done_frac;
};

// Not collective. Begins a stage that ends at to_frac of the work. While slices are simulated in
// it, the number of their queries is told.
void ask_stage(struct ask *ask, const char *stage, double to_frac);
// Not collective. Begins the first of n_left equal stages, which are all that is left.
void ask_stage_of(struct ask *ask, const char *stage, uint32_t n_left);

// Collective (ask->eval->comm). A part of the stage is done. -1: a signal asks to stop.
int ask_done(struct ask *ask, double stage_frac, struct err *err);

// Not collective. B and T of all groups and services under a scheduler; [n_groups][n_services].
const struct choice *ask_choices(const struct ask *ask, uint32_t scheduler);

// Not collective. The rates of one of the study's services over the day, into
// day[study_capacity_intervals()].
int ask_forecast(const struct study *study, uint32_t service, struct forecast *day,
                 struct err *err);

// Not collective. Price of one server of a type, and of all servers that there are; NaN where one
// is not known.
double ask_type_usd_per_h(const struct study *study, uint32_t type);
double ask_fleet_usd_per_h(const struct study *study);

// Not collective. A key for the memo from a text that says what is asked.
uint64_t ask_key(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
