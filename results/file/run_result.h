// SPDX-License-Identifier: Apache-2.0
// run_result: the results file of one run, written and read back. [H]
//
// What goes in is what the program has at the end of a run; what comes back is the same but for the
// number of batches and the 99 % half-width of most estimates, which are not kept (run_layout.h),
// and, unless the file is read whole, but for the histogram, the servers and the sample.
//
//     struct run_result *run = run_result_read("x.h5", DATASET_ALL, &err);
//     if (run)
//         report_print(stdout, run->meta, run->summary, &run->info);
//     run_result_destroy(run);
#ifndef RESULTS_FILE_RUN_RESULT_H
#define RESULTS_FILE_RUN_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "results/file/dataset_read.h"
#include "results/file/run_layout.h"
#include "results/meta.h"
#include "results/summary.h"

// All borrowed.
struct run_result_input {
    const struct meta *meta;
    const struct summary *summary;
    const struct record *total; // of all ranks
    const struct run_info *info;
    const struct fidelity *fidelity; // of a run that was measured; NULL: none
};

struct run_result {
    char *path; // as given
    // Of services: name, model, target; of groups: name, platform, servers, cores and streams; not
    // the group and cell of each server.
    struct meta *meta;
    struct summary *summary;
    struct run_result_bins bins;
    struct run_slowest slowest;
    struct fidelity fidelity;
    struct run_rest rest; // read whole: all of it; else only the lengths in it
    struct run_info info; // its texts are owned
};

// By one process; what is promised stands at dataset_write().
int run_result_write(const struct run_result_input *input, const char *path, bool force,
                     struct err *err);

// NULL on failure. DATASET_HEAD: what the file says of its study, without services, groups and
// bins. Caller frees with run_result_destroy().
struct run_result *run_result_read(const char *path, enum dataset_depth depth, struct err *err);
void run_result_destroy(struct run_result *run); // NULL: no effect

#endif
