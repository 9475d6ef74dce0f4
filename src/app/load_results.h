// SPDX-License-Identifier: Apache-2.0
// load_results: a results file of any kind, read back.
//
//     struct load_results results;
//     if (load_results(&results, "x.h5", DATASET_ALL, err) < 0)
//         return -1;
//     if (results.run)
//         report_print(out, results.run->meta, results.run->summary, &results.run->info);
//     load_results_release(&results);
#ifndef APP_LOAD_RESULTS_H
#define APP_LOAD_RESULTS_H

#include "base/err.h"
#include "results/file/dataset_read.h"

struct load_results { // what the file is; the others are NULL
    struct run_result *run;
    struct sweep_result *sweep;
    struct tuning_result *tuning;
    struct capacity_result *capacity;
};

// A run is read to that depth, the others but for what only other programs read. A tuning gets the
// settings of all schedulers, who alone know them. On failure nothing is left to release.
int load_results(struct load_results *results, const char *path, enum dataset_depth depth,
                 struct err *err);
void load_results_release(struct load_results *results);

#endif
