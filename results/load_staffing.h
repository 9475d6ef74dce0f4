// SPDX-License-Identifier: Apache-2.0
// load_staffing: a capacity search's results file back into a struct staffing. [H]
//
// What load.h promises holds here, too: nothing in the file is trusted, every failure is one line
// with the file's name, and what comes back is what was stored; arrays that the file does not hold
// say nothing.
#ifndef RESULTS_LOAD_STAFFING_H
#define RESULTS_LOAD_STAFFING_H

#include "base/err.h"
#include "results/staffing.h"

// NULL on failure. Caller frees with staffing_destroy().
struct staffing *load_staffing_open(const char *path, struct err *err);

#endif
