// SPDX-License-Identifier: Apache-2.0
// server: a block of equal servers of one cell, simulated together.
//
// Queries come in the order in which the balancer sent them; each reaches its server dispatch_delay
// later, so every server sees its own in order of arrival and can be simulated at once. This module
// is the block's clock: it cuts what comes into chunks that lie in one time bin and between two
// changes of what is up, has its scheduler run them (sched.h), and folds the bins (server_fold.h).
// What ended is recorded and told by server_record.h. No events, no allocation after the first
// batches.
//
// Servers can be out of service (outage.h). A query that comes to one that is down, or that has not
// ended when its server goes down, is lost there and then and told to the balancer (retry.h). What
// a server has not done when it goes down is never done, its cores are cold when it comes back, and
// its completions are reported as of that moment.
#ifndef CLUSTER_SERVER_H
#define CLUSTER_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/blob.h"
#include "cluster/completions.h"
#include "cluster/config.h"
#include "cluster/cpu.h"
#include "cluster/svctab.h"
#include "results/record.h"
#include "results/timeline.h"
#include "traces/query.h"

struct server_block;

// Queries prepared, run and recorded together: what they need fits the first-level cache.
enum { SERVER_CHUNK = 256 };

struct server_block_config {
    const struct fleet_config *fleet;
    uint32_t group, cell;
    uint32_t first_in_cell;  // number of the block's first server in its cell
    uint32_t first_in_fleet; // and in the fleet
    uint32_t n_servers;
    const struct layout *layout; // with `part`, for outages; NULL in a fleet without
    uint32_t part;
    const struct svctab *const *tabs;      // [n_services], of this group
    const struct svctab *const *slow_tabs; // the same of its slow servers; NULL: it has none
    bool wants_completions;                // the balancer's policy looks at its servers
    enum load_unit unit;                   // in which it counts them
    const struct cpu_kernel *kernel;
    struct record *record;
    struct timeline *timeline; // of one of the block's servers, to be filled; NULL: not watched
    struct cpu_job *jobs; // room for SERVER_CHUNK, shared by blocks of one thread; NULL: its own
};

// The config's pointers are borrowed until server_block_destroy().
struct server_block *server_block_create(const struct server_block_config *config);
void server_block_destroy(struct server_block *block); // NULL: no effect

// Runs n queries, in the order in which they were sent, on their servers; appends to *out their
// completions when the balancer wants them, and what is lost (where neither can be, NULL is fine).
void server_block_run(struct server_block *block, const struct query *queries, size_t n,
                      struct completions *out);

// Every query that arrives at the balancer before next_ns has been run: takes the changes and folds
// the bins that come before another can reach a server, and decides what begins before that. What
// is left to do then follows from next_ns. What that ends goes to *out as above; NULL: it is kept,
// saved with the servers, and goes to the next *out.
void server_block_settle(struct server_block *block, int64_t next_ns, struct completions *out);

// Servers [first, first + n) of a settled block as bytes, counted from the block's first. Which of
// them are up, and for how long in the open bin they were powered, follows from next_ns. Loading
// fills servers of a block, of any extent, that has run nothing; n and next_ns are as they were
// saved, and those servers of the saved run that are not in the block are passed over. A block that
// was loaded takes the changes up to next_ns once more, as time passes from 0 on.
size_t server_block_bytes(const struct server_block *block); // about, of one server
void server_block_save(const struct server_block *block, uint32_t first, uint32_t n,
                       struct blob *blob);
void server_block_load(struct server_block *block, int64_t first, uint32_t n, int64_t next_ns,
                       struct blob_reader *reader);

// Nothing more will come: folds the remaining bins, and what waits ends.
void server_block_finish(struct server_block *block);

#endif
