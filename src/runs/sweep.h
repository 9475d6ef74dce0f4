// SPDX-License-Identifier: Apache-2.0
// sweep: the points of a study simulated side by side. [M]
//
// The ranks are cut into crews (crew.h). Points are dealt out by the work that they are expected to
// be, the longest first, and each crew runs its own one after the other, every point into its own
// file (pointdir.h) with its own checkpoints (eval.h). With fewer points than ranks several ranks
// share one. None of this changes a byte of a point's results outside /run.
//
// A point that was begun before and not ended (its process was killed, by the kernel where memory
// was short, or with its machine) comes after all others, so that it cannot keep them from being
// done.
//
// A point that fails leaves the reason beside the others' files and holds up nobody. A wish to stop
// (checkpointing.h) that reaches any rank reaches all: every crew saves the point that it is at,
// and starts no other. What is there already is never done again, so the same call later resumes
// from there.
#ifndef RUNS_SWEEP_H
#define RUNS_SWEEP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "runs/eval.h"
#include "runs/survey.h"
#include "base/err.h"

struct sweep_options {
    const bool *todo;    // [n_points] of the survey: what to do
    FILE *progress;      // NULL: silent
    const char *command; // the command line, for the record
    bool json;           // progress for scripts
};

// Why a point failed.
struct sweep_failure {
    uint32_t point;
    char *reason; // owned
};

// What has come of it. On ranks other than 0 without the failures' list.
struct sweep_outcome {
    uint32_t n_done, n_failed;
    bool stopped;
    uint64_t n_queries;             // simulated
    struct sweep_failure *failures; // [n_failed], owned
};

// Collective (eval->comm). Logically collective: survey and chosen. Each rank looks at its part of
// the chosen points (survey_look) and all get all facts; those of the others are emptied.
int sweep_look(const struct eval *eval, struct survey *survey, const bool *chosen, struct err *err);

// Collective (eval->comm). Logically collective: survey, with its facts, and options. -1 when it
// could not be done at all; that points failed is no error. On rank 0 the facts of the points that
// were done or failed say so afterwards. sweep_release(outcome) follows.
int sweep_run(const struct eval *eval, struct survey *survey, const struct sweep_options *options,
              struct sweep_outcome *outcome, struct err *err);

// Not collective.
void sweep_release(struct sweep_outcome *outcome);

#endif
