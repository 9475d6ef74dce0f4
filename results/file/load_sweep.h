// SPDX-License-Identifier: Apache-2.0
// load_sweep: the file of a sweep read back, for reports and whoever builds on one. [H]
//
// As careful as load.h: by way of h5_read.h, with every length checked against the rest and every
// number that indexes something against its range, so that what comes back can be used as if it had
// just been taken in. /folded is not read: replications.h makes it again. The file of a run or of a
// tuning is refused with one line that says so. No MPI is needed.
#ifndef RESULTS_FILE_LOAD_SWEEP_H
#define RESULTS_FILE_LOAD_SWEEP_H

#include "base/err.h"
#include "results/file/sweep_result.h"

// What store_sweep_write() was given, to the bit. NULL on failure, with one line that begins with
// the path. Caller frees with sweep_result_destroy().
struct sweep_result *load_sweep_open(const char *path, struct err *err);

#endif
