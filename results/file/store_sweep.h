// SPDX-License-Identifier: Apache-2.0
// store_sweep: the points of a sweep into one results file, of the kind "sweep". [M] [H]
//
// The layout stands in docs/results.md. It is that of a run's file with a dimension `point` in
// front: what the root's attributes say of a run are the root's variables, then /total, /summary,
// /groups; /study has the study with its sweep. Where the sweep has replications, /folded holds the
// same once more with the dimension `case` (replications.h). How each run went is in /run.
//
// The axes are coordinates of every group over `point`: each an integer variable named like the
// axis, with its labels as codes; where all labels are numbers there is also AXIS_value, with the
// numbers. A name that cannot stand in the file or is taken is changed as in store_tuning.h.
//
// The bytes depend on the points alone, not on the order in which they were taken, and those
// outside /run on the study alone as long as all points are done. There is no time stamp. What is
// promised of the file otherwise is what store.h promises of a run's.
#ifndef RESULTS_FILE_STORE_SWEEP_H
#define RESULTS_FILE_STORE_SWEEP_H

#include <stdbool.h>

#include "base/err.h"
#include "results/file/sweep_result.h"

// Not collective. One process writes alone; MPI must be there, but no other rank takes part. An
// existing file needs `force`. On failure no file is left, and one that was there is as it was.
int store_sweep_write(const char *path, bool force, const struct sweep_result *points,
                      struct err *err);

#endif
