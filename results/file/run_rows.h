// SPDX-License-Identifier: Apache-2.0
// run_rows: what a run's file says beyond its summary, made from the record: time bins, histogram,
// servers, single queries.
//
// The rows over time let a person see when a backlog grew or a crash hit, and let `compare` see how
// far two runs are alike. Servers are counted from the end of the warm-up as it was given, because
// it is known when counting begins. The sample is a uniform one of single queries, in the order of
// their arrival, or, where the study wants all, every query of the measured bins. Where it wants
// the slowest, they are a list of their own, slowest first; of all queries it is written, too.
//
// A number more of one of these is a member, its line in the table of fields and what
// run_rows_fill() makes it of. Units are in the members' names; what each means, in the tables.
#ifndef RESULTS_FILE_RUN_ROWS_H
#define RESULTS_FILE_RUN_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "results/data_field.h"
#include "results/record.h"
#include "results/summary.h"

struct run_frame; // run_layout.h

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
    uint64_t n_in_flight, n_late, n_waited, n_items, n_lost, n_pending, n_retries, n_completed;
    double latency_sd_s, latency_max_s, wait_mean_s;
};

// Of one time bin, group and component: cores or accelerator streams. The backlog is work that was
// taken and not done at the bin's end, the drain how long a new query would wait at the worst
// server.
struct run_part {
    double util_frac, power_w, backlog_s, drain_max_s;
};

// Of one server, whose number in the fleet is its place in the list.
struct run_server {
    uint32_t group, cell;
    bool slow;
    uint64_t n_queries, n_requests, n_items, n_accel_queries;
    double cpu_util_frac, accel_util_frac, energy_j;
};

// One query, of the sample or of the slowest.
struct run_sample {
    struct query_sample query; // as the record has it
    uint32_t service, path;    // as wide as an index in a file is
};

// The slowest queries of the measured bins, slowest first.
struct run_slowest {
    uint32_t n;
    struct run_sample *v;
};

// How many of them there are where a study wants all queries.
#define RUN_ROWS_SLOWEST_OF_ALL 100u

// Their members, and those of the query in a struct run_sample: what was known of it first, and
// its course on its server. Each ends with name NULL.
extern const struct data_field run_rows_time_fields[], run_rows_bin_fields[],
    run_rows_bin_rest_fields[], run_rows_part_fields[], run_rows_server_fields[],
    run_rows_query_fields[], run_rows_sample_fields[], run_rows_course_fields[];

// Fills in the frame's rows of bins, buckets, servers and single queries, and their lengths, for
// the run whose meta and summary stand in the frame. run_rows_release() frees them.
void run_rows_fill(struct run_frame *frame, const struct record *total);
void run_rows_release(struct run_frame *frame);

#endif
