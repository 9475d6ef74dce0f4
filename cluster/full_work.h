// SPDX-License-Identifier: Apache-2.0
// full_work: how much work queries are for a server that merges them, once many wait.
//
// Such a server is busy at any load: where few queries wait, its batches are small and take longer
// per item, and only as queries pile up do they become full. So how busy it is does not say whether
// it keeps up. The work in full requests and batches does:
//
//     items * (time of a full one, all cores busy) / (its items)
//
// A full one is the largest that the rules allow and the table knows. Of queries that are kept
// whole, the first that does not fit leaves half of its size unused, on average. Where no two share
// a request, cores take what the queries' own requests take. One queue keeps both cores and
// accelerator busy until it is empty, so they end together, and each does its part by its rate.
//
// Whole nanoseconds of core-time and stream-time, rounded down. Histories are left out.
#ifndef CLUSTER_FULL_WORK_H
#define CLUSTER_FULL_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/batcher.h"
#include "cluster/svctab.h"

// Queries of one service.
struct full_work_volume {
    uint64_t n_queries, n_items;
    int64_t work_ns; // svctab's work_ns summed over them; 0: not known, requests are as the mean
};

// One service on one server. Borrowed.
struct full_work {
    const struct batcher_rule *rules; // [N_PLACES]
    const struct svctab *tab;         // of this server
    const struct svctab *plain_tab;   // that work_ns is of: the same unless the server is slow
    uint32_t n_cores, n_streams;      // n_streams 0: there is no accelerator
    bool overlap;                     // copies overlap computations
};

// Added to work_ns.
void full_work_add(const struct full_work *work, const struct full_work_volume *of,
                   int64_t work_ns[N_PLACES]);

#endif
