// SPDX-License-Identifier: Apache-2.0
// timeline: what one server did over a time range, request by request.
//
// Filled while a fleet is simulated (cluster/run.h): which core, link or stream of the accelerator
// ran which part of which query, since when it waited there, and when it began and ended. Results
// files keep counts and a sample, not this: the study is simulated anew for it, and draws that are
// keyed by what they are for make that the same run, whatever it was that the ranks, windows and
// restarts of the first one were.
//
// Kept is what touches [from, to): requests that wait or run in it, queries that are lost in it.
// Times are those of the simulation in ns, as they are, also beyond the range.
//
//     struct timeline timeline = {.server = 5, .from_ns = a, .to_ns = b};
//     timeline_put(&timeline, &(struct timeline_slice){...});  // each part of a query
//     timeline_end(&timeline, &query);                         // then the query that they are of
//     timeline_release(&timeline);
#ifndef RESULTS_TIMELINE_H
#define RESULTS_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/err.h"

// Slices that are kept at most: more than that no viewer shows.
#define TIMELINE_MOST_SLICES 2000000u

// What a part of a query runs on.
enum timeline_unit { TIMELINE_CORE, TIMELINE_LINK, TIMELINE_STREAM, N_TIMELINE_UNITS };

enum timeline_fate {
    TIMELINE_DONE,
    TIMELINE_CUT,    // the server went down while it ran
    TIMELINE_DROPPED // or while it waited: it began and ended then
};

struct timeline_slice {
    int64_t ready_ns;          // it waits from here on
    int64_t begin_ns, end_ns;  // and runs
    uint32_t query;            // index into queries
    uint32_t lane;             // which of the cores or streams
    uint32_t part, size_items; // number of the request in its query; its items
    uint16_t unit, fate;       // enum timeline_unit, timeline_fate
};

struct timeline_query {
    uint64_t seq;     // number in the stream of the cell it comes from
    int64_t first_ns; // its first attempt arrived at the balancer
    int64_t reach_ns; // this one reached the server
    int64_t back_ns;  // response back at the client; lost: when it was
    uint32_t cell;    // that it comes from
    uint32_t attempt; // 0: the first
    uint32_t n_parts; // requests
    uint32_t n_batch; // queries in the batch that it shared, itself included
    uint32_t size_items;
    uint32_t service;
    bool lost, offloaded;
};

// Starts with what is asked for and zeros.
struct timeline {
    uint32_t server; // number in the fleet
    int64_t from_ns, to_ns;
    bool full; // there was more than TIMELINE_MOST_SLICES
    // Where the server is, and what it has; n_cores 0: it has not been simulated here.
    uint32_t cell, group, n_cores, n_streams;
    bool has_link;                  // copies to the accelerator pass beside its computations
    struct timeline_query *queries; // owned, in order of reach_ns
    size_t n_queries, queries_cap;
    struct timeline_slice *slices; // owned, query by query
    size_t n_slices, slices_cap;
};

// Another part of the query that timeline_end() will name; its `query` and `fate` are filled in.
void timeline_put(struct timeline *timeline, const struct timeline_slice *slice);
// All parts of it were put. Of one that is lost nothing is done after back_ns.
void timeline_end(struct timeline *timeline, const struct timeline_query *query);
void timeline_release(struct timeline *timeline);

// Everything as bytes; loading takes what a timeline of zeros does not have.
void timeline_save(const struct timeline *timeline, struct blob *blob);
int timeline_load(struct timeline *timeline, struct blob_reader *reader, struct err *err);

#endif
