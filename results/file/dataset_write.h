// SPDX-License-Identifier: Apache-2.0
// dataset_write: a results file from an artefact and its layout, by one process. [H]
//
// The file is netCDF-4 on HDF5, whose root says what it is (`program`, `schema_version`, `kind`)
// and what it says (`content_digest`, see content_digest.h). Everything that is not in the group
// /run depends on the artefact alone; its bytes also depend on HDF5, the digest does not.
//
// How a field stands in the file is in data_field.h; besides, every variable has `units` and
// `long_name`, real numbers have `_FillValue` NaN, and codes have `flag_values` and
// `flag_meanings`. Every axis of every variable has a dimension scale in the variable's own group,
// so that xarray, netCDF4, h5py and ncdump all read every group alone. Strings are of variable
// length in UTF-8. Variables of a few kilobytes and more are compressed.
//
// HDF5 makes the file in memory, which is then written as one piece: so a full disk is an ordinary
// error (HDF5 does not survive one), the checksum costs no second reading, and nothing half-written
// ever has the final name. Any HDF5 from 1.10.2 on will do, serial or parallel; MPI plays no part,
// so in a parallel program one rank writes and shares the outcome (par/agree.h).
#ifndef RESULTS_FILE_DATASET_WRITE_H
#define RESULTS_FILE_DATASET_WRITE_H

#include <stdbool.h>

#include "base/err.h"
#include "results/file/dataset.h"
#include "results/meta.h"

// Version of the layouts; a reader takes no other.
#define DATASET_SCHEMA_VERSION 2

// Before the work whose results go there: may the file be replaced (an existing one needs `force`,
// and must be a regular file), and can one be made? Touches nothing that is there. ERR_STUDY.
int dataset_write_check(const char *path, bool force, struct err *err);

// Writes the file, durably: when this returns 0 it is on the disk under its name. On failure
// nothing has changed. `run` (how the work went) becomes attributes of /run; NULL: none.
int dataset_write(const struct dataset_layout *layout, const void *artefact,
                  const struct run_info *run, const char *path, bool force, struct err *err);

#endif
