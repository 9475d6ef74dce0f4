// SPDX-License-Identifier: Apache-2.0
// availability: which servers of a block are up, until when, and how long each was powered.
//
// outage.h tells what changes; a block wants to know what is: whether a query finds its server up,
// whether it ends before the server goes down, and for how much of a time bin the server drew
// power. All of it follows from the study and a time, so nothing is saved: after a restart the
// changes are taken again.
//
//     while (availability_next_ns(availability) <= t_ns) availability_next(availability,
//     bin_begin_ns, &change); if (availability->until_ns[server] <= t_ns) ...  // down powered_ns =
//     availability_powered_ns(availability, server, bin_begin_ns, bin_end_ns);
#ifndef CLUSTER_AVAILABILITY_H
#define CLUSTER_AVAILABILITY_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/layout.h"
#include "cluster/outage.h"

// Servers are numbered from the block's first.
struct availability {
    struct outage *outage;
    uint32_t first_in_cell, n_servers;
    // When a server that is up goes down, SIMTIME_NEVER: not before the end of the run; of one that
    // is down a time that is over. Good until the time of the next change.
    int64_t *until_ns;
    int64_t *unpowered_ns; // in the open bin; of a server without power, less when the bin ends
    bool *powered;
};

// Of one part of the layout, before the changes at time 0. The configs are borrowed until
// availability_destroy().
struct availability *availability_create(const struct fleet_config *fleet,
                                         const struct layout *layout, uint32_t part);
void availability_destroy(struct availability *availability); // NULL: no effect

// When the next change comes; SIMTIME_NEVER: not before the end of the run.
static inline int64_t availability_next_ns(const struct availability *availability)
{
    return outage_peek_ns(availability->outage);
}

// Takes it; false: it turned out to be none. The open bin begins at bin_begin_ns: for power, an
// earlier change counts from there. change->server is its number in the cell.
bool availability_next(struct availability *availability, int64_t bin_begin_ns,
                       struct outage_change *change);

// Time under power in the open bin [begin, end), whose changes have all been taken, and no later
// ones. Then the next bin is open.
int64_t availability_powered_ns(struct availability *availability, uint32_t server,
                                int64_t begin_ns, int64_t end_ns);

#endif
