// SPDX-License-Identifier: Apache-2.0
// live_server: the queues of a server that runs, between those who send and the workers.
//
// One lock guards the queues of all services and the log. Whoever holds it decides by the code of
// the simulated server (cluster/batcher.h) with the clock's time in place of a simulated one. A
// worker that has ended a request says so and gets the next one under the same hold of the lock.
//
//     struct live_job job = {.worker = 0};                  // on each worker's thread
//     while (live_server_next(server, &job)) {
//         job.request.begin_ns = live_server_now_ns(server);
//         ...                                               // job.request.n_items
//         job.request.end_ns = live_server_now_ns(server);
//     }
//
// Queries come in by live_server_send() from a thread that keeps the time, or, without one
// (`takes_arrivals`), whoever looks at the queues first lets in all that should have arrived by
// then: they count as arrived at their own time, to the nanosecond, and no core is used for
// sending. The queue holds a bounded number of queries; one that finds it full is refused, and
// counted.
//
// A server of a fleet (`is_posted`) is told of a query when its balancer has sent it, with the time
// at which it arrived there; whoever looks at the queues lets it in when the dispatch delay is
// over, or as soon as the news is there. What becomes of its queries is in a list that its main
// thread may read at any time, to tell the balancer.
#ifndef LIVE_LIVE_SERVER_H
#define LIVE_LIVE_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "live/live_log.h"

struct live_server;

struct live_server_config {
    struct live_log *log;  // filled; borrowed until live_server_destroy(), with its plan
    uint32_t most_waiting; // queries of a service that may wait; >= 1
    bool takes_arrivals;   // nobody sends: they are let in when their time has come
    bool is_posted;        // likewise those that live_server_post() was told of
    uint32_t number;       // of the server in its cell
    bool idle_sleeps;      // workers that find nothing sleep; else they look again at once
};

// What a worker has in hand.
struct live_job {
    uint32_t worker;
    bool ended; // there is a request in `request` that has ended
    size_t number;
    struct live_request request;
    uint32_t *queries; // whose it is; owned by the server
};

// A query that has ended, was refused or is lost, and when.
struct live_settled {
    int64_t at_ns;
    uint32_t query;
};

struct live_server *live_server_create(const struct live_server_config *config);
void live_server_destroy(struct live_server *server); // NULL: no effect; no thread uses it any more

// The run begins, at that time of live_clock; to be called before the threads look.
void live_server_start(struct live_server *server, int64_t start_ns);
int64_t live_server_start_ns(const struct live_server *server);
int64_t live_server_now_ns(const struct live_server *server);

// The query arrives now. Not with takes_arrivals or is_posted.
void live_server_send(struct live_server *server, size_t query);
// With is_posted: the query arrived at the balancer at arrive_ns, not before the one before it.
void live_server_post(struct live_server *server, size_t query, int64_t arrive_ns);
// With is_posted: how many are settled by now; *list has them in order, until
// live_server_destroy().
size_t live_server_settled(const struct live_server *server, const struct live_settled **list);

// Ends the worker's request, if it has one, and waits for the next. False: there will be none.
bool live_server_next(struct live_server *server, struct live_job *job);
// The worker has failed: its request (job->ended: there is one) is lost, and it asks for no more.
// When it was the last, whatever waits or arrives later is lost, too.
void live_server_fail(struct live_server *server, struct live_job *job);

// No query arrives at until_ns or later (0: none from now on); workers end when nothing waits.
void live_server_close(struct live_server *server, int64_t until_ns);
// Workers end after what they have in hand; what waits stays as it is.
void live_server_abandon(struct live_server *server);
// Workers that have not failed.
uint32_t live_server_n_alive(struct live_server *server);
// After a close: does nothing wait, and does nothing come any more? Asked now and then.
bool live_server_is_done(struct live_server *server);

#endif
