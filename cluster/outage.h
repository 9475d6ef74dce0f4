// SPDX-License-Identifier: Apache-2.0
// outage: when servers and cells are out of service, as a sequence of changes.
//
// Nothing here depends on load: crashes are drawn with keyed random numbers, events and schedules
// stand in the study. So a balancer and its servers, on whatever ranks, each work the same changes
// out for themselves and nothing is sent; and a run that resumes from a checkpoint works them out
// again from the beginning.
//
// A server is out for any of these causes, and back when none is left:
//
//   crash     up and down times in turn, exponential with mean mtbf and mttr, at least 1 ns, keyed
//             (seed, RNG_CRASH, server of the fleet, number). It begins in the long run's state:
//             down with probability mttr / (mtbf + mttr).
//   event     [at, at + for) of the list, of one server or of all servers of a cell
//   schedule  off: not among the first n_on of its group in this step. Servers are switched in an
//             order that takes one of every cell in turn (layout_turn()), so cells stay of a size.
//             The schedule is repeated over and over, before time 0 too.
//
// Two sides see these at different times. For the SERVERS a server is down from its crash to its
// recovery, and also while it is not powered, which is a matter of its schedule alone: powered from
// startup_ns before a step in which it is on until shutdown_ns after it. (A crashed server is
// repaired under power; a drained one stays up.) For the BALANCER a crash shows detect_delay after
// it, and a recovery detect_delay after that; drains and schedules are its own decisions and show
// at once. A server that is down when the run begins is known to be. A time is that at the server
// resp. at the balancer; events at time t come before queries that arrive at t.
//
//     struct outage *outage = outage_create(&setup);
//     while (outage_peek_ns(outage) <= t_ns) { outage_next(outage, &change); ... }
//     outage_destroy(outage);
//
// A change costs the logarithm of the number of servers; a server takes 17 bytes where there are
// crashes, 4 more where there are events. Nothing is allocated after outage_create().
#ifndef CLUSTER_OUTAGE_H
#define CLUSTER_OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/config.h"
#include "cluster/layout.h"

enum outage_side { OUTAGE_SERVERS, OUTAGE_BALANCER };

// One server changes. `up` alternates from change to change of a server, but for changes of
// `powered` alone: on the side of the servers, while one is down by a crash.
struct outage_change {
    int64_t at_ns;
    uint32_t server; // number in its cell
    bool up;
    bool powered; // OUTAGE_SERVERS; a server that is up is powered. The balancer's: always true
};

struct outage_setup {
    const struct fleet_config *fleet;
    const struct layout *layout;
    uint32_t first_part, n_parts; // whose servers: parts of one cell, in the layout's order
    enum outage_side side;
};

struct outage;

// Everything in *setup is borrowed until outage_destroy(). Stands before the changes at time 0: a
// server that is out from the start has one there.
struct outage *outage_create(const struct outage_setup *setup);
void outage_destroy(struct outage *outage); // NULL: no effect

// Time of the next change, SIMTIME_NEVER when there is none before the end of the run. Among very
// many crashes that show in none, as of servers that are all out for longer, it is a time up to
// which there is no change, so that no call searches for long.
int64_t outage_peek_ns(const struct outage *outage);
// Takes it. Changes come by time, then by number of the server. false: there was none at that time,
// *change is not set, and the search goes on.
bool outage_next(struct outage *outage, struct outage_change *change);
// When a server (number in its cell) that is up after the changes taken so far will go down:
// SIMTIME_NEVER when not before the end of the run.
int64_t outage_down_ns(const struct outage *outage, uint32_t server);

// Is the whole cell out for its balancer at that time, by an event, so that its traffic goes
// elsewhere? Always false without failover. The answer holds until *until_ns, at least.
bool outage_cell_out(const struct fleet_config *fleet, uint32_t cell, int64_t at_ns,
                     int64_t *until_ns);

#endif
