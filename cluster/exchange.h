// SPDX-License-Identifier: Apache-2.0
// exchange: how a cell's balancer reaches its servers, and what it cannot see: where they are.
//
// A balancer hands over the queries of a window, part by part. An exchange either runs them at once
// and returns their completions and what was lost and is to be tried again (servers in this
// process, exchange_local.h) or sends them away and delivers both later by balancer_hear()
// (exchange_mpi.h). Either way the balancer does the same things in the same order.
#ifndef CLUSTER_EXCHANGE_H
#define CLUSTER_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/server.h"
#include "traces/query.h"

struct exchange;

// A parcel: the queries of one window for one part of a cell.
struct parcel {
    uint32_t part;   // index into the layout's parts
    uint64_t window; // number of the window in its cell
    const struct query *queries;
    size_t n;
    // Behind them nothing comes before this time any more, and the servers say what that decides;
    // 0: they need not.
    int64_t until_ns;
};

struct exchange_type {
    const char *name;
    // True when the servers of `part` run in this process.
    bool (*is_local)(const struct exchange *exchange, uint32_t part);
    // False: no room to send just now, try again later.
    bool (*has_room)(struct exchange *exchange);
    // Local: runs the parcel, appends completions and losses to *completions and returns true.
    // Remote: sends it and returns false.
    bool (*deliver)(struct exchange *exchange, const struct parcel *parcel,
                    struct completions *completions);
    // No query comes to `part` before until_ns any more: its servers work off what that leaves to
    // do. Local: at once, with news in *completions, and true. Remote: false; an answer follows,
    // with that window, without news unless queries wait at servers (sched.h, advance).
    bool (*pass)(struct exchange *exchange, uint32_t part, uint64_t window, int64_t until_ns,
                 struct completions *completions);
    // The balancer of `cell` will send nothing more.
    void (*close)(struct exchange *exchange, uint32_t cell);
};

struct exchange {
    const struct exchange_type *type;
};

#endif
