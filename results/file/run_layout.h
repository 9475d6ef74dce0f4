// SPDX-License-Identifier: Apache-2.0
// run_layout: how the results of one run stand in its file.
//
// The frame is what the writer has, meta and summary as they are, and what run_rows.h makes of the
// record. A reader fills the same, and run_result.h hands its parts on.
//
// The number of batches behind an interval is kept of those estimates that `compare` compares:
// Welch's t needs it.
#ifndef RESULTS_FILE_RUN_LAYOUT_H
#define RESULTS_FILE_RUN_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "results/file/dataset.h"
#include "results/fidelity.h"
#include "results/file/run_rows.h"
#include "results/meta.h"
#include "results/summary.h"

// The time bins, for comparisons.
struct run_result_bins {
    uint32_t n;
    double *start_s;          // [n]
    struct run_time *times;   // [n]
    struct run_bin *services; // [n][n_services]
    struct run_bin *all;      // [n]
    struct run_part *parts;   // [n][n_groups][N_PARTS]
};

// What is only read where a file is wanted whole.
struct run_rest {
    struct run_bin_rest *bins; // [bin][service]
    uint32_t n_buckets, n_samples;
    double *bucket_s, *bucket_end_s; // where they begin and end
    uint64_t *counts;                // [bucket][service][path]
    double servers_from_s;           // start of what /servers counts
    struct run_server *servers;
    struct run_sample *samples;
};

struct run_frame {
    struct meta meta; // its servers are written from `servers`, the names from the two below
    struct summary summary;
    struct summary_service total; // which stands behind the summary's services
    char **service_names, **group_names;
    struct run_result_bins bins;
    struct run_slowest slowest;
    struct run_rest rest;
    struct fidelity fidelity; // written as it is
};

extern const struct dataset_layout run_layout;

#endif
