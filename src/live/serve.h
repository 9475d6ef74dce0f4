// SPDX-License-Identifier: Apache-2.0
// serve: a study's server, run for real on this machine.
//
// One process, one thread for each of the server's cores, each with an engine that runs the model,
// and the study's own stream of queries in real time. What is measured is in a log; what took time
// or cores away from it is said with it.
//
//     struct serve_result result;
//     if (serve_run(plan, &config, &result, &err) == 0) {
//         ... result.log ...
//         serve_release(&result);
//     }
//
// Ends early when it is asked to, or when all its workers have failed; what was measured until then
// is in the log.
#ifndef LIVE_SERVE_H
#define LIVE_SERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "live/interference.h"
#include "live/live_log.h"
#include "native/engine.h"

// Who lets queries in at their time (live_server.h).
enum serve_sender {
    SERVE_SENDER_AUTO,   // a thread, where there is a core for it
    SERVE_SENDER_THREAD, // a thread, whatever it takes from the workers
    SERVE_SENDER_WORKERS // whoever looks at the queue
};
extern const char *const serve_sender_names[]; // "auto" "thread" "workers" NULL

struct serve_config {
    const struct engine_type *engine;
    struct engine_setup setup; // but for the model and the cost, which are each service's
    int sender;                // enum serve_sender
    bool rests;                // idle workers sleep
    int64_t most_waiting;      // queries of a service that may wait
    int64_t grace_ns;          // what still waits so long after the end is left
    int64_t fail_after;        // a worker fails after so many requests, to try it; 0: none does
    bool (*stops)(void *user); // is it to stop? Asked some 50 times a second; NULL: never
    void (*progress)(void *user, int64_t now_ns); // NULL: none
    void *user;
};

struct serve_result {
    struct live_log *log; // owned
    struct live_counts counts;
    bool stopped;   // it was asked to, or all workers have failed
    int64_t end_ns; // when it stopped, else the study's duration
    uint32_t n_servers;
    uint32_t n_workers, n_pinned, n_failed; // of all servers
    uint32_t cores_per_worker;
    uint32_t n_cores;    // that this process may use, or those of a fleet
    bool sent_by_thread; // and was there a core for that thread?
    bool sender_has_core;
    struct interference interference; // of all workers
    char kernels[160];                // of the first service's engine
    double table_frac;                // of the first service's, rows that it holds
    char processor[128];
};

int serve_run(const struct live_plan *plan, const struct serve_config *config,
              struct serve_result *result, struct err *err);
void serve_release(struct serve_result *result);

#endif
