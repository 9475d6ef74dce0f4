// SPDX-License-Identifier: Apache-2.0
// fleet_balancer: the balancer of a fleet that runs for real. [M]
//
// On rank 0, with the fleet's servers on the ranks behind it. Sends each query of the plan at its
// time to the server that the study's policy picks, by the simulated balancer's code
// (cluster/router.h) with the time of a clock. What servers say has ended is in the balancer's view
// as old as the study says, by status_delay and report_period, or older where the message was late.
// A server that has no worker left is no longer chosen from when the balancer learns of it.
//
// It sleeps until a query is due: between two queries nothing that comes in can matter. Queries
// arrive when they were really routed, as of a thread that sends (live_load.h).
#ifndef LIVE_FLEET_BALANCER_H
#define LIVE_FLEET_BALANCER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "live/fleet_mail.h"
#include "live/live_log.h"

struct fleet_balancer {
    struct fleet_mail *mail;
    struct live_log *log;      // where to each query went is noted in it, and when
    int64_t start_ns;          // of live_clock
    bool has_core;             // that nobody else uses: it need not sleep to the last
    bool (*stops)(void *user); // asked some 50 times a second; NULL: never
    void (*progress)(void *user, int64_t now_ns); // NULL: none
    void *user;
    // What it says afterwards:
    bool stopped;   // it was asked to, here or at a server, or no server is left
    int64_t end_ns; // when, else the study's duration
    uint32_t n_down;
};

// Not collective. All of the run; returns when every server has said that it is done. After -1, as
// after 0, all servers have been told to end, as far as MPI could.
int fleet_balancer_run(struct fleet_balancer *balancer, struct err *err);

#endif
