// SPDX-License-Identifier: Apache-2.0
// live_host: one server's engines and workers, opened, started and ended.
//
// Between the queues (live_server.h) and whoever runs the whole: one process that is the server
// (serve.h), or one of several that are a fleet's (fleet_serve.h).
//
//     struct live_host host = {.server = server, .plan = plan, .engine = &engine_own, ...};
//     if (live_host_open(&host, &err) == 0) {
//         live_server_start(server, start_ns);
//         live_host_begin(&host);
//         ...                                        // queries come
//         live_host_end(&host, until_ns, grace_ns);
//     }
//     live_host_close(&host);
#ifndef LIVE_LIVE_HOST_H
#define LIVE_LIVE_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "live/interference.h"
#include "live/live_server.h"
#include "live/worker.h"
#include "native/engine.h"

struct live_host {
    // Borrowed until live_host_close():
    struct live_server *server;
    const struct live_plan *plan;
    const struct engine_type *engine;
    const struct engine_setup *setup; // but for the model and the cost
    const int *cpus;                  // [plan->n_workers][cores_per_worker], -1: any
    bool rests;                       // idle workers sleep
    int64_t fail_after;               // the first worker fails after so many requests; 0: none does
    // What it says of itself: the first two once it is open, the others once it is closed.
    char kernels[160];
    double table_frac;
    uint32_t n_pinned, n_failed;
    struct interference interference;
    // Its own:
    struct engine **engines; // [n_services]
    struct worker *workers;  // [n_workers]
    uint32_t n_started;
    bool begun;
    struct worker_gate gate;
};

// Opens the engines, starts the workers, and waits until they have what they need. After a failure
// too, live_host_close() follows.
int live_host_open(struct live_host *host, struct err *err);
// They may begin; the server has been started.
void live_host_begin(struct live_host *host);
// No query arrives at until_ns or later; waits until all that did is answered, for grace_ns at
// most. What still waits is left.
void live_host_end(struct live_host *host, int64_t until_ns, int64_t grace_ns);
// Joins the workers; of a host that has not begun, they give up.
void live_host_close(struct live_host *host);

#endif
