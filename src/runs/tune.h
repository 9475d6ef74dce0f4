// SPDX-License-Identifier: Apache-2.0
// tune: every point of a study's grid tuned by every policy that it asks for. [M]
//
// A unit of work is one policy at one point. Units are dealt out over crews of ranks (crew.h); what
// each found is shared and put together in the order of the grid, so the result does not depend on
// the ranks, but for the wall times.
#ifndef RUNS_TUNE_H
#define RUNS_TUNE_H

#include "runs/eval.h"
#include "runs/progress.h"
#include "runs/survey.h"
#include "base/err.h"
#include "results/file/tuning_result.h"
#include "study/study.h"

// A study file and all its points, owned.
struct tune_input {
    struct survey *survey;
    struct study **studies; // [n_points] of the survey
    struct memo *memo;      // keeps what is measured; borrowed; NULL: nothing does
};

// Collective (eval->comm). Logically collective: source. Reads and checks every point before
// anything is simulated. What the source names is borrowed until tune_release(). On error nothing
// is left to release.
int tune_read(const struct eval *eval, const struct survey_source *source, struct tune_input *input,
              struct err *err);
// Not collective.
void tune_release(struct tune_input *input);

// What was left undone by a tuning that was stopped, on rank 0.
struct tune_rest {
    bool stopped;
    uint32_t n_units, n_done; // outcomes: all, and those that are there
    char *in_work;            // owned: a line for each crew's unit under way; NULL: none
};

// Collective (eval->comm). Logically collective: input. On rank 0 the result (caller frees with
// tuning_result_destroy), elsewhere NULL. Its steps are all that was simulated. progress: NULL for
// none. A signal to stop, where there is a memo, is no failure: rest->stopped on every rank; then
// only what is done is in the result, and outcomes that are not are tuning_result_outcome_none().
int tune_run(const struct eval *eval, const struct tune_input *input, progress_search_fn progress,
             void *user, struct tuning_result **tuning, struct tune_rest *rest, struct err *err);

#endif
