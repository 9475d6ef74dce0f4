// SPDX-License-Identifier: Apache-2.0
// live_load: the queries of a plan, sent to a server in real time.
//
// A thread of its own sends each query when its time has come, whatever the server does (open
// loop). With a core of its own it waits without sleeping for the last of each gap; without one it
// sleeps, and is as late as the system wakes it. How late each query was is in the log, whose
// arrivals are the real ones: the plan's times are what they should have been. Latencies count from
// the real ones, and so does the simulation that is compared with them.
#ifndef LIVE_LIVE_LOAD_H
#define LIVE_LIVE_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "live/live_server.h"

struct live_load {
    struct live_server *server; // borrowed
    const struct live_plan *plan;
    int cpu;                   // that it has for itself; -1: none
    bool (*stops)(void *user); // asked every 10 ms or so: should it stop? NULL: never
    void *user;
    bool stopped; // it did
    size_t n_sent;
};

// Sends all, and returns: from the thread that is to do it, once the server has been started. Where
// it may not keep to its core it runs where it is.
void live_load_send(struct live_load *load);

// How late queries were that arrived, of those first `n` of the plan: quantile q.
int64_t live_load_lateness_ns(const struct live_log *log, double q);

#endif
