// SPDX-License-Identifier: Apache-2.0
// sweep_file: the points of a sweep into one results file, of the kind "sweep", and back.
//
// It is the layout of a run's file with a dimension `point` in front, whose coordinates are the
// axes of the sweep: what the root's attributes say of a run are the root's variables, then /total,
// /summary, /groups. How each run went is in /run, outside the digest. Where the sweep has
// replications, /folded holds the same once more with the dimension `case`; it is never read,
// because replications.h makes it again.
//
// The content depends on the points alone, not on the order in which they were taken, and what is
// outside /run on the study alone as long as all points are done. There is no time stamp.
//
// What comes back can be used as if it had just been taken in, but that an estimate has only its
// value and 95 % half-width, and that the labels of an axis stand in the order in which the points
// have them first.
#ifndef RESULTS_FILE_SWEEP_FILE_H
#define RESULTS_FILE_SWEEP_FILE_H

#include <stdbool.h>

#include "base/err.h"
#include "results/file/dataset.h"
#include "results/file/replications.h"
#include "results/file/sweep_result.h"

// By one process; what is promised stands at dataset_write().
int sweep_file_write(const char *path, bool force, const struct sweep_result *points,
                     struct err *err);

// NULL on failure. Caller frees with sweep_result_destroy().
struct sweep_result *sweep_file_read(const char *path, struct err *err);

// What the layout describes: the points, and the cases, which are only written.
struct sweep_frame {
    struct sweep_result result;
    struct replications fold;
};
extern const struct dataset_layout sweep_file_layout;

#endif
