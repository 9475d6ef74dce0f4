// SPDX-License-Identifier: Apache-2.0
// worker: a thread that runs the requests of a live server, on a core of its own or, with a team
// (live/team.h), on several.
//
// It opens its part of each service's engine, so that its memory is near it, runs some requests so
// that nothing is new when the time counts, and waits for the others at a gate. What took its cores
// away meanwhile it says afterwards: of all the time where idle workers do not sleep, of the time
// in requests where they do, and of that of the others of its team.
//
// An engine that fails in a request ends its worker: the request is lost, and the server goes on
// with the other workers.
//
//     for (i = 0; i < n; i++)
//         worker_start(&workers[i]);
//     if (worker_gate_wait(&gate, &err) < 0) ...     // one could not open its engine
//     worker_gate_open(&gate, start_ns);
//     for (i = 0; i < n; i++)
//         worker_join(&workers[i]);
#ifndef LIVE_WORKER_H
#define LIVE_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "live/interference.h"
#include "live/live_server.h"
#include "live/team.h"
#include "native/engine.h"

// Where workers wait for one another and for the start.
struct worker_gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint32_t n_workers, n_ready, n_broken;
    bool open, given_up;
    struct err err; // of the first that broke
};

struct worker {
    // Borrowed, the first three until worker_join().
    struct live_server *server;
    const struct live_plan *plan;
    struct engine *const *engines; // [n_services]
    struct worker_gate *gate;
    uint32_t number;
    const int *cpus;     // [plan->cores_per_worker] to keep to, borrowed likewise; -1: any
    bool rests;          // idle workers sleep
    uint64_t fail_after; // it fails after so many requests, for tests of that; 0: it does not
    // What it says of itself, after worker_join():
    bool pinned, failed;
    uint64_t n_requests;
    struct interference interference;
    pthread_t thread;
    struct team *team; // its own; engines of it are the services'
};

void worker_gate_init(struct worker_gate *gate, uint32_t n_workers);
void worker_gate_release(struct worker_gate *gate);
// Until all workers have opened what they need; -1 with what one of them lacks, when all are told
// to give up.
int worker_gate_wait(struct worker_gate *gate, struct err *err);
// They may begin; the server has been started.
void worker_gate_open(struct worker_gate *gate);

// -1: the system gives no thread; the worker counts as broken at the gate.
int worker_start(struct worker *worker, struct err *err);
void worker_join(struct worker *worker);

#endif
