// SPDX-License-Identifier: Apache-2.0
// balancer: one cell's load balancer, advanced window by window.
//
// Windows are conservative and exact. A completion of a query sent at time t cannot be heard before
//
//     t + lookahead,   lookahead = dispatch_delay + shortest service + status_delay
//
// so all queries that arrive in [t, t + lookahead) may be routed together, knowing only completions
// of earlier windows. Where servers can be out of service a query may end as soon as it gets there,
// so the shortest service counts as 0. Servers say what they have lost; the balancer counts it or
// sends it again (retry.h), and hears of it like of a completion. A window also ends where the
// members change (outage.h). A window begins at the next arrival, so empty time costs nothing. With
// servers on other ranks a window is half as long, so that one is under way while the next is
// routed, and it ends where what has been heard ends. Policies without feedback need no lookahead:
// their windows are as long as a batch.
//
// Where queries wait at servers (sched.h, advance), what ends is decided as time passes: all
// servers of the cell are told with each window that nothing comes before its end, and what they
// have not decided by then is heard a lookahead after that at the soonest. Windows end there, and a
// longer gap between arrivals is passed first.
//
// Where windows begin and end never changes a result.
//
// Servers work off changes and time bins when a query comes, which may be hours after the last one.
// So that little is left to be done between two looks at a signal, time passes in strides: before a
// query that comes later than a stride ends, and before the end of the run, all servers of the cell
// are told that nothing comes before that. Of a stride servers have some ten thousand steps to do;
// where there are fewer in the whole run, there are no strides.
#ifndef CLUSTER_BALANCER_H
#define CLUSTER_BALANCER_H

#include <stdint.h>

#include "base/blob.h"
#include "base/err.h"
#include "cluster/config.h"
#include "cluster/exchange.h"
#include "cluster/layout.h"
#include "results/record.h"
#include "traces/qsize.h"

struct balancer;

struct balancer_setup {
    const struct fleet_config *fleet;
    const struct layout *layout;
    const struct svctab *const *tabs; // [group * n_services + service]
    const struct qsize *const *sizes; // [service]
    uint32_t cell;
    struct exchange *exchange;
    struct record *record; // where the queries taken in are counted
};

enum balancer_state {
    BALANCER_ADVANCED, // routed a window
    BALANCER_PASSED,   // a stride is over: there was work, whoever steps may want to look around
    BALANCER_WAITS,    // for completions, or for room to send
    BALANCER_DONE      // no more queries, and nothing to be heard
};

// Everything in *setup is borrowed until balancer_destroy(). Fails when the traffic does.
struct balancer *balancer_create(const struct balancer_setup *setup, struct err *err);
void balancer_destroy(struct balancer *balancer); // NULL: no effect

enum balancer_state balancer_step(struct balancer *balancer);

// The completions of a parcel of an earlier window and what was lost of it, for parts elsewhere.
void balancer_hear(struct balancer *balancer, uint64_t window, const struct completions *news);

// A balancer with no answer outstanding as bytes; loading fills one that has done nothing, of the
// same cell under any layout.
void balancer_save(const struct balancer *balancer, struct blob *blob);
int balancer_load(struct balancer *balancer, struct blob_reader *reader, struct err *err);

// A time that no query arrives before, and not a stride after the last one: all servers can be
// settled there at once. At most the last nanosecond of the run.
int64_t balancer_next_ns(const struct balancer *balancer);

int64_t balancer_reached_ns(const struct balancer *balancer); // arrivals before it are routed
uint64_t balancer_n_windows(const struct balancer *balancer);

#endif
