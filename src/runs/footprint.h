// SPDX-License-Identifier: Apache-2.0
// footprint: what a fleet asks of the machine beside its queries: memory, and the time of servers,
// cells, bins, outages and steps, which a run spends however few queries there are.
//
// Rough, from runs of programs built for release; good to tell what does not fit from what does.
//
//     if (footprint_check(&study->fleet, n_bins, n_ranks, err) < 0)
//         return -1; // instead of an end in the middle of the run
#ifndef RUNS_FOOTPRINT_H
#define RUNS_FOOTPRINT_H

#include <stdint.h>

#include "base/err.h"
#include "cluster/config.h"

// Of one process that has the whole fleet.
struct footprint {
    double address_bytes; // that it asks for
    double memory_bytes;  // of those, that it touches
    double record_bytes;  // of the latter, those that every process has for itself
    double wall_s;        // of one core
    double n_kept;        // single queries in the results
    double kept_bytes;    // of memory_bytes, those for them, which one process needs at the end
    double file_bytes;    // that they take in the results file
};

// Of a fleet whose record has n_bins bins.
struct footprint footprint_of(const struct fleet_config *fleet, uint32_t n_bins);

// Fails where the share of one of n_ranks processes is more than it can have now: the text says how
// much is needed, and how much there is.
int footprint_check(const struct fleet_config *fleet, uint32_t n_bins, int n_ranks,
                    struct err *err);

#endif
