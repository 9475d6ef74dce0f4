// SPDX-License-Identifier: Apache-2.0
// load: a results file read back, for reports and comparisons. [H]
//
// Files come from anywhere, so nothing in one is trusted: it is read by way of h5_read.h, every
// dataset must be there with the shape the rest implies, numbers that index something must be in
// range. What cannot be read is one error naming the file, and so is the file of a tuning.
// No MPI is needed.
#ifndef RESULTS_FILE_LOAD_H
#define RESULTS_FILE_LOAD_H

#include <stdint.h>

#include "base/err.h"
#include "results/meta.h"
#include "results/summary.h"

// The time bins, for comparisons. Arrays are owned by the struct load; rows are bins.
struct load_bins {
    uint32_t n;
    double *start_s, *end_s;     // [n]
    int32_t *measured;           // [n] 0 in the warm-up
    uint64_t *n_queries;         // [n][n_services]
    double *latency_mean_s;      // [n][n_services]
    double *latency_s;           // [n][n_services][SUMMARY_N_QUANTILES]; NaN: too few queries
    double *all_latency_mean_s;  // [n]
    double *all_latency_s;       // [n][SUMMARY_N_QUANTILES]
    double *util_frac, *power_w; // [n][n_groups][N_PARTS]
};

struct load {
    char *path;        // as given
    struct meta *meta; // with study_text and study_digest; of groups: name, platform, n_servers
    struct summary *summary;
    struct load_bins bins;
    // Of /run: what reports show; strings owned.
    char *date, *host, *git_revision, *job_id, *nodes;
    int32_t n_ranks, n_nodes; // nodes: 0 unknown
    uint64_t n_restarts;
    double wall_s, queries_per_wall_s;
    uint64_t n_queries_simulated;
};

// NULL on failure. Caller frees with load_close.
struct load *load_open(const char *path, struct err *err);
void load_close(struct load *load); // NULL: no effect

#endif
