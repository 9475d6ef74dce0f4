// SPDX-License-Identifier: Apache-2.0
// capacity_context: one question of `recfleet capacity` on its way to its answer. [M]
//
// What the modules that answer it share: the study, the ranks, what simulates (sample.h), what was
// simulated before (memo.h), and the answer (results/file/capacity_result.h), which is filled in on
// every rank alike. A question is worked on in stages, each a part of the whole; after every piece
// of one,
//
//     if (capacity_context_done(context, pieces / all, err) < 0) return -1;
//
// says how far it is and looks for a signal to stop: then it fails, and context->stopped is set.
// What was simulated is in the memo by then.
//
// An answer has rows, of which each is a search of its own or a day:
//
//     capacity_context_row(context, "size", row, n_rows);
//     capacity_context_label(context, "%s", type);               // "size 3 of 8 (xeon)"
//     capacity_context_tries(context, 96, "servers");            // then simulates
//     capacity_context_bracket(context, 104, 88);                // held, missed
//
// How much of a search is done nobody knows; its queries over those of a row before it are the
// guess, and inside the first row there is none. Of a day the slices are counted.
#ifndef CAPACITY_CAPACITY_CONTEXT_H
#define CAPACITY_CAPACITY_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "runs/eval.h"
#include "runs/memo.h"
#include "runs/progress.h"
#include "capacity/sample.h"
#include "base/err.h"
#include "results/file/capacity_result.h"
#include "search/measure.h"
#include "study/study.h"

struct capacity_context {
    const struct eval *eval;
    const struct study *study;
    struct memo *memo;              // NULL: nothing is kept
    struct sample_bench *bench;     // slices are simulated on it
    struct capacity_result *answer; // the answer
    // The scheduler's settings of every server: [n_schedulers][n_groups][n_services].
    struct settings *choices;
    progress_search_fn progress; // called on rank 0; NULL: none
    void *user;
    uint64_t n_queries; // simulated, in this part of the work or an earlier one
    uint64_t n_told;    // most that was ever told
    bool stopped;
    bool out_of_reach;     // capacity_result_out_of_reach() of the answer, of which nothing else is
                           // there
    struct progress_at at; // what is being done,
    double from_frac, to_frac; // [from_frac, to_frac] of the work
    double part_from, part_to; // of the stage: what is counted in slices; alike: nothing is
    uint32_t n_rows;           // of the answer, that are done
    uint64_t row_queries;      // context->n_queries when the row began,
    double costly_queries;     // and what rows before it have cost, where that was anything
    uint32_t n_costly;         // so many
    size_t n_memo;             // answers in the memo when the first row began
};

// Collective (context->eval->comm). Makes bench and choices of a context that has eval, study, memo
// and answer. While slices are simulated, the number of their queries is told, and a signal looked
// for. The context must not move until capacity_context_close().
void capacity_context_open(struct capacity_context *context);
// Not collective. Releases what capacity_context_open() made.
void capacity_context_close(struct capacity_context *context);

// Not collective. Begins a stage that ends at to_frac of the work.
void capacity_context_stage(struct capacity_context *context, const char *stage, double to_frac);
// Not collective. Begins a row of the answer, one of n that are all that is left of the work. name:
// "size". Rows before it count as done.
void capacity_context_row(struct capacity_context *context, const char *name, uint32_t row,
                          uint32_t n);
// Not collective. Of what the row is, in brackets behind its name.
void capacity_context_label(struct capacity_context *context, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
// Not collective. What the next slices are simulated for, in `unit`, a literal; and what was shown
// so far: NaN where nothing was.
void capacity_context_tries(struct capacity_context *context, double trying, const char *unit);
void capacity_context_bracket(struct capacity_context *context, double held, double missed);
// Not collective. The next sample_run()s are that part of the stage.
void capacity_context_part(struct capacity_context *context, double from_frac, double to_frac);
// Not collective. Says what context->at is, with so many queries beyond context->n_queries.
void capacity_context_tell(struct capacity_context *context, uint64_t n_queries);

// Collective (context->eval->comm). A part of the stage is done. -1: a signal asks to stop.
int capacity_context_done(struct capacity_context *context, double stage_frac, struct err *err);

// Not collective. The settings of all groups and services under a scheduler;
// [n_groups][n_services].
const struct settings *capacity_context_choices(const struct capacity_context *context,
                                                uint32_t scheduler);

// Not collective. The rates of the study's services over the day, into
// demand[study_capacity_intervals()][n_services].
int capacity_context_forecast(const struct study *study, struct capacity_demand *demand,
                              struct err *err);

// Not collective. Price of one server of a type, and of all servers that there are; NaN where one
// is not known.
double capacity_context_type_usd_per_h(const struct study *study, uint32_t type);
double capacity_context_fleet_usd_per_h(const struct study *study);

#endif
