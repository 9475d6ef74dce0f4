// SPDX-License-Identifier: Apache-2.0
// load_sides: results files of any kind as what compare.h compares.
//
// A run is one side; a sweep, a tuning and a capacity search are several. Points of a sweep whose
// own files are still in the folder beside it (src/runs/pointdir.h), and are of the same study,
// are taken from these, because only they have the time bins that pairs are made of.
#ifndef APP_LOAD_SIDES_H
#define APP_LOAD_SIDES_H

#include <stddef.h>

#include "base/err.h"
#include "results/report/compare_side.h"

struct load_sides {
    struct compare_sides sides;
    struct run_result **runs; // [n_runs] of the files that are runs, read whole, in their order
    size_t n_runs;
};

// `baseline`, if it is a file and not among the n, is read before them; NULL: none. On failure
// nothing is left to release.
int load_sides(struct load_sides *loaded, const char *const *files, size_t n, const char *baseline,
               struct err *err);
void load_sides_release(struct load_sides *loaded);

#endif
