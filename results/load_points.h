// SPDX-License-Identifier: Apache-2.0
// load_points: the file of a sweep read back, for reports and whoever builds on one. [H]
//
// As careful as load.h: by way of h5_read.h, with every length checked against the rest and every
// number that indexes something against its range, so that what comes back can be used as if it had
// just been taken in. /folded is not read: fold.h makes it again. The file of a run or of a tuning
// is refused with one line that says so. No MPI is needed.
#ifndef RESULTS_LOAD_POINTS_H
#define RESULTS_LOAD_POINTS_H

#include "base/err.h"
#include "results/points.h"

// What store_points_write() was given, to the bit. NULL on failure, with one line that begins with
// the path. Caller frees with points_destroy().
struct points *load_points_open(const char *path, struct err *err);

#endif
