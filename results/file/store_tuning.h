// SPDX-License-Identifier: Apache-2.0
// store_tuning: what a search found, into one results file. [M] [H]
//
// The layout stands in docs/results.md: the outcomes over cell and policy are the root's variables,
// so that a reader has them at once; every point that was simulated is in the group /path. What is
// promised of the file is what store.h promises of a run's, and everything outside the group /run,
// where the wall times are, is the same on any number of ranks.
//
// Each axis of the grid is an integer variable over `cell`, named like the axis if such a name can
// stand in the file: other characters than letters, digits and '_' become '_', and a name that is
// taken gets "axis_" in front. The root's attribute `coordinates` lists these variables, `axes` the
// axes' own names, one a line.
#ifndef RESULTS_FILE_STORE_TUNING_H
#define RESULTS_FILE_STORE_TUNING_H

#include <mpi.h>
#include <stdbool.h>

#include "base/err.h"
#include "results/meta.h"
#include "results/file/tuning_result.h"

// Collective (comm). Logically collective: path and force must agree. Writes rank 0's tuning and
// run info; both may be NULL on the other ranks. An existing file needs `force`. Fails alike on all
// ranks, with one error and no file left.
int store_tuning_write(MPI_Comm comm, const char *path, bool force,
                       const struct tuning_result *tuning, const struct run_info *run,
                       struct err *err);

#endif
