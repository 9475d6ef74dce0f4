// SPDX-License-Identifier: Apache-2.0
// tuning_file: what a search found, as a results file. [H]
//
// The outcomes over point and policy are the root's variables, so that a reader has them at once;
// every point that was simulated is in /path; wall times are in /run, outside the digest. The
// layout stands in docs/results.md.
//
// Each axis of the grid is a coordinate of labels over `point`, named like the axis, and where all
// labels are quantities of one unit a second one of numbers, AXIS_value. Other characters than
// letters, digits and '_' become '_', and a name that is taken gets "axis_" in front. The root's
// attribute `axes` lists the axes' own names, one a line; so a reader takes the head first, which
// says what layout the rest has.
//
//     axis "rate" of labels "1kqps", "2kqps"   ->  rate, rate_value {1000, 2000} s-1
#ifndef RESULTS_FILE_TUNING_FILE_H
#define RESULTS_FILE_TUNING_FILE_H

#include <stdbool.h>

#include "base/err.h"
#include "results/file/dataset.h"
#include "results/file/tuning_result.h"
#include "results/meta.h"

// One process writes; what is promised of the file is what dataset_write.h promises.
int tuning_file_write(const struct tuning_result *tuning, const struct run_info *run,
                      const char *path, bool force, struct err *err);
// The file read back, trusting nothing in it (dataset_read.h): what was written, to the bit, but
// for labels that no point has. NULL on failure, with one line that begins with the path. Caller
// frees with tuning_result_destroy().
struct tuning_result *tuning_file_read(const char *path, struct err *err);

// The layout of a file without axes, for those who look at layouts.
extern const struct dataset_layout tuning_file_layout;

#endif
