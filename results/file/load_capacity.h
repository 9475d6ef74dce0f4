// SPDX-License-Identifier: Apache-2.0
// load_capacity: a capacity search's results file back into a struct capacity_result. [H]
//
// What load.h promises holds here, too: nothing in the file is trusted, every failure is one line
// with the file's name, and what comes back is what was stored; arrays that the file does not hold
// say nothing.
#ifndef RESULTS_FILE_LOAD_CAPACITY_H
#define RESULTS_FILE_LOAD_CAPACITY_H

#include "base/err.h"
#include "results/file/capacity_result.h"

// NULL on failure. Caller frees with capacity_result_destroy().
struct capacity_result *load_capacity_open(const char *path, struct err *err);

#endif
