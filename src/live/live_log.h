// SPDX-License-Identifier: Apache-2.0
// live_log: what became of every query and of every request, as it was measured.
//
// All of it is there before anything begins, so nothing is allocated while a server runs. Times are
// nanoseconds since the run's start. The one that fills it has the lock of the queues (live_server)
// or is alone (live_replay); it is read when all threads have ended.
//
// A query arrives, is refused where the queue is full, waits, runs in one request or several, ends.
// Its wait and service are those of the request that ends last, as in the simulation.
#ifndef LIVE_LIVE_LOG_H
#define LIVE_LIVE_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "live/live_plan.h"

enum live_fate {
    LIVE_UNSENT,  // the run was over before it could arrive
    LIVE_WAITING, // it arrived; all or a part of it has not ended
    LIVE_ENDED,
    LIVE_REFUSED, // the queue was full
    LIVE_LOST     // a worker failed with it, or all had failed
};
extern const char *const live_log_fates[]; // "unsent" ... NULL

struct live_query {
    int64_t arrive_ns; // at the balancer, as the study counts: before the dispatch delay
    int64_t begin_ns;  // of its first request
    int64_t last_begin_ns, end_ns;      // of the request that ends last; 0: none has ended
    uint32_t n_requests;                // that it is the first of
    uint32_t n_running;                 // of its requests at the moment
    uint32_t server;                    // that it was sent to
    uint32_t first_worker, last_worker; // of that server
    uint32_t n_batch;                   // queries in the request that ends last
    uint8_t fate;                       // enum live_fate
    uint8_t taken;                      // 1: no part of it waits
};

struct live_request {
    int64_t due_ns;   // from then on its queue could be taken from
    int64_t ready_ns; // the same, and some worker had nothing
    int64_t begin_ns, end_ns;
    uint32_t server, worker, n_queries, n_items;
    uint16_t history_items; // of the query; 0 where there are several, or none
    uint16_t service;
    uint16_t lost; // 1: the worker failed
};

struct live_log {
    const struct live_plan *plan;  // borrowed
    struct live_query *queries;    // [plan->n_queries]
    struct live_request *requests; // in the order in which they were taken
    size_t n_requests;
};

struct live_log *live_log_create(const struct live_plan *plan);
void live_log_destroy(struct live_log *log); // NULL: no effect

// A request has ended that held these queries [n_queries]; with request->lost they are lost.
void live_log_end(struct live_log *log, const struct live_request *request, const uint32_t *queries,
                  uint32_t n_queries);

// Takes what a request is to hold out of a queue that holds something, notes whose queries it is
// in queries[], and returns the request with its number of items; `begin` is the caller's.
struct live_request live_log_take(struct live_log *log, const struct batcher *batcher,
                                  uint32_t service, int64_t now_ns, uint32_t *queries);

struct live_counts {
    size_t n_sent, n_ended, n_refused, n_lost, n_waiting;
    int64_t busy_ns; // of all requests
};
struct live_counts live_log_count(const struct live_log *log);

#endif
