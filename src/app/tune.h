// SPDX-License-Identifier: Apache-2.0
// tune: every point of a study's grid tuned by every policy that it asks for. [M]
//
// A unit of work is one policy at one point. Units are dealt out over crews of ranks (crew.h); what
// each found travels to rank 0 and is put together in the order of the grid, so the result does not
// depend on the ranks, but for the wall times.
#ifndef APP_TUNE_H
#define APP_TUNE_H

#include <stddef.h>
#include <stdint.h>

#include "runs/eval.h"
#include "base/err.h"
#include "results/file/tuning_result.h"
#include "study/grid.h"
#include "study/library.h"
#include "study/study.h"

// A study file and all its points.
struct tune_input {
    char *text;    // of the file
    char *written; // the same and, as comments at its end, the settings of the command line
    struct grid *grid;
    struct study **studies; // [grid_n_points]
};

// Where a study comes from; all borrowed.
struct tune_source {
    const char *path;
    const char *const *settings; // [n_settings], of the command line
    size_t n_settings;
    const struct library *library; // until tune_release()
};

// Collective (eval->comm). Logically collective: source. Reads and checks every point before
// anything is simulated. On error nothing is left to release.
int tune_read(const struct eval *eval, const struct tune_source *source, struct tune_input *input,
              struct err *err);
void tune_release(struct tune_input *input);

// Called on rank 0 when one of its crew's units is done: the part of its work that is behind it,
// and the queries simulated so far.
typedef void (*tune_progress_fn)(void *user, double done_frac, uint64_t n_queries);

// Collective (eval->comm). Logically collective: input. On rank 0 *tuning is the result (caller
// frees with tuning_result_destroy), elsewhere NULL. *n_queries: simulated by all ranks.
int tune_run(const struct eval *eval, const struct tune_input *input, tune_progress_fn progress,
             void *user, struct tuning_result **tuning, uint64_t *n_queries, struct err *err);

#endif
