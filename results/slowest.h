// SPDX-License-Identifier: Apache-2.0
// slowest: one query's record, and the slowest queries of a run.
//
// Which interval of a run is measured may be known only when it is over: a warm-up that is chosen
// automatically ends at the start of one of the time bins. So what is kept are the n slowest
// queries of every interval that begins with a bin and lasts to the end: a query goes as soon as n
// slower ones are known that arrived in its own bin or later. In a steady run these are a few times
// n queries; never are they more than n for every bin, nor is there room for more than twice as
// many as are kept.
//
// Slower is a longer latency; among equals the one that arrived first, then the one of the cell and
// of the stream with the lower number. The order is total, and which queries are kept depends on
// nothing but the set of all: not on the ranks, nor on the order in which they were added.
//
//     struct slowest *slowest = slowest_create(100, n_bins);
//     if (slowest_wants(slowest, &query))
//         slowest_add(slowest, &query);
//     slowest_sort(slowest); // slowest first; the first 100 with bin >= k are those of [k, end)
#ifndef RESULTS_SLOWEST_H
#define RESULTS_SLOWEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// One query that ended. Times are since the start of the simulation; wait and service are those of
// its request that ended last, and its way through the network is what the latency has besides.
struct query_sample {
    int64_t arrive_ns, latency_ns, wait_ns, service_ns;
    uint64_t seq;
    uint32_t cell, server, size_items; // server: number in the fleet
    uint16_t service, path;
    // On its server, in the attempt that ended: when the first of its requests began and the last
    // one ended, and the cores, or streams of the accelerator, that ran those two.
    int64_t begin_ns, end_ns;
    uint32_t n_requests, first_unit, last_unit;
    uint32_t n_attempts;              // 1: the first one ended
    uint32_t n_batch;                 // queries in the batch that it shared, itself included
    uint32_t bin;                     // of struct slowest; in no file
    uint32_t history_items, reserved; // reserved: so that there is no padding
};

struct slowest {
    uint32_t n_most, n_bins;
    struct query_sample *v; // owned
    size_t n, cap;
    // [n_bins] The n_most-th slowest of what is known of the bin and later ones; latency -1: there
    // are not as many. Owned.
    struct query_sample *least;
};

// n_most, n_bins > 0. Caller slowest_destroy()s.
struct slowest *slowest_create(uint32_t n_most, uint32_t n_bins);
void slowest_clear(struct slowest *slowest);   // NULL: no effect
void slowest_destroy(struct slowest *slowest); // NULL: no effect

bool slowest_is_slower(const struct query_sample *a, const struct query_sample *b);

// False: n_most slower ones are known that count wherever this one does. query->bin < n_bins.
static inline bool slowest_wants(const struct slowest *slowest, const struct query_sample *query)
{
    const struct query_sample *least = &slowest->least[query->bin];
    return query->latency_ns >= least->latency_ns && slowest_is_slower(query, least);
}

// Copied. Of no effect where it is not wanted.
void slowest_add(struct slowest *slowest, const struct query_sample *query);
// Puts the slowest first, and drops what need not be kept.
void slowest_sort(struct slowest *slowest);

#endif
