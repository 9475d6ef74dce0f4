// SPDX-License-Identifier: Apache-2.0
// fleet_server: one server of a fleet that runs for real, and what it and its balancer tell each
// other. [M]
//
// The main thread does the messages while the workers run (MPI_THREAD_FUNNELED). A query that comes
// in is posted to the queues (live_server.h) with its time at the balancer, and is let in when the
// dispatch delay is over; what has become of it is reported as soon as it is seen, or at multiples
// of the study's report_period. So a main thread that looks several times within the study's delays
// makes nothing later than the study says, and that is how often it looks where it has no core of
// its own: it sleeps in between. With a core it looks all the time.
#ifndef LIVE_FLEET_SERVER_H
#define LIVE_FLEET_SERVER_H

#include <stdbool.h>

#include "base/err.h"
#include "live/fleet_mail.h"
#include "live/live_host.h"

struct fleet_server {
    struct fleet_mail *mail;
    struct live_host *host;    // that has begun
    bool has_core;             // that nobody else uses: the main thread need not sleep
    int64_t grace_ns;          // what still waits so long after the end is left
    bool (*stops)(void *user); // asked some 50 times a second; NULL: never
    void *user;
};

// Not collective. Until the balancer has said that it is over and the queries are answered; 0, or
// -1 where MPI could not. The workers have nothing left to do after either.
int fleet_server_run(const struct fleet_server *server, struct err *err);

#endif
