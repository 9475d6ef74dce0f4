// SPDX-License-Identifier: Apache-2.0
// run_layout: how the results of one run stand in its file.
//
// The frame borrows what the writer has (meta, summary) and what run_rows.h makes of the record;
// the reader fills the same struct, and run_result.h takes its pointers over. So only a frame that
// was read is ever dataset_destroy()ed.
//
// The number of batches behind an interval is kept of those estimates that `compare` compares:
// Welch's t needs it.
#ifndef RESULTS_FILE_RUN_LAYOUT_H
#define RESULTS_FILE_RUN_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "results/file/dataset.h"
#include "results/meta.h"
#include "results/record.h"
#include "results/summary.h"

// Of one time bin: its end, and whether it counts.
struct run_time {
    double end_s;
    bool measured;
};

// Of one time bin and service, or of all services together. NaN: too few queries.
struct run_bin {
    uint64_t n_queries;
    double latency_mean_s;
    double latency_s[SUMMARY_N_QUANTILES];
};

// The same, what only other programs read.
struct run_bin_rest {
    uint64_t n_in_flight, n_late, n_waited, n_items, n_lost, n_pending, n_retries;
    double latency_sd_s, latency_max_s, wait_mean_s;
};

// Of one time bin, group and component.
struct run_part {
    double util_frac, power_w, backlog_s, drain_max_s;
};

struct run_server {
    uint32_t group, cell;
    uint64_t n_queries, n_requests, n_items, n_accel_queries;
    double cpu_util_frac, accel_util_frac, energy_j;
};

struct run_sample {
    struct query_sample query;
    uint32_t service, path; // as wide as an index in a file is
};

struct run_frame {
    char *study_name, *program_version, *policy, *study_digest, *study_text;
    uint64_t seed, traffic_fingerprint;
    int64_t duration_ns, warmup_ns, measured_from_ns, measured_to_ns;
    bool warmup_auto, has_outages;
    uint32_t n_cells;
    uint32_t n_services, n_groups, n_servers, n_bins, n_buckets, n_samples;
    char **service_names, **group_names;
    double *bin_s, *bucket_s; // where they begin
    struct summary_service *services, total;
    struct meta_service *service_facts; // [service]: model
    struct summary_group *groups;
    struct meta_group *group_facts; // [group]: platform, servers
    struct summary_fleet fleet;
    struct run_time *times;        // [bin]
    struct run_bin *bins;          // [bin][service]
    struct run_bin_rest *bin_rest; // [bin][service]
    struct run_bin *all_bins;      // [bin]
    struct run_part *parts;        // [bin][group][component]
    double *bucket_end_s;          // [bucket]
    uint64_t *counts;              // [bucket][service][path]
    double servers_from_s;         // start of what /servers counts
    struct run_server *servers;
    struct run_sample *samples;
};

extern const struct dataset_layout run_layout;

#endif
