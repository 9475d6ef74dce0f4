// SPDX-License-Identifier: Apache-2.0
// run_file: a results file of a run, for tests of what reads one.
#ifndef TESTS_RESULTS_RUN_FILE_H
#define TESTS_RESULTS_RUN_FILE_H

#include "base/err.h"

// Writes what fixture.h makes (fixture_meta, fixture_part, fixture_run) to `path`,
// over what is there. `digest`: of the study; NULL: the fixture's.
int run_file_write(const char *path, const char *digest, struct err *err);

#endif
