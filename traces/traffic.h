// SPDX-License-Identifier: Apache-2.0
// traffic: what one service asks for, as configuration.
//
// When its queries come (arrivals), how many items they carry (sizes), and how often over the whole
// fleet. No query of the service is larger than sizes.max_items, wherever its size comes from.
//
// A query may have a second size, the length of its history (what the user did before, which
// sequence models read), drawn like the first or recorded in a trace; it is at most
// history.max_items.
#ifndef TRACES_TRAFFIC_H
#define TRACES_TRAFFIC_H

#include "traces/arrival.h"
#include "traces/qsize.h"

struct service_traffic {
    double rate_qps; // mean over the whole fleet; ignored by replay unless asked to rescale
    struct arrival_config arrivals;
    struct size_config sizes;
    struct size_config history;    // as sizes; where has_history
    bool has_history;              // else all histories are 0
    const struct qsize *histories; // what they are drawn from, borrowed; NULL: a trace carries them
};

#endif
