// SPDX-License-Identifier: Apache-2.0
// load_tuning: the file of a tuning read back, for reports and whoever builds on one. [H]
//
// As careful as load.h: by way of h5_read.h, with every length checked against the rest and every
// number that indexes something against its range, so that what comes back can be used as if it had
// just been found. The file of a run is refused with one line that says so. No MPI is needed.
#ifndef RESULTS_FILE_LOAD_TUNING_H
#define RESULTS_FILE_LOAD_TUNING_H

#include "base/err.h"
#include "results/file/tuning_result.h"

// What store_tuning_write() was given, to the bit, but for line ends in names. NULL on failure,
// with one line that begins with the path. Caller frees with tuning_result_destroy().
struct tuning_result *load_tuning_open(const char *path, struct err *err);

#endif
