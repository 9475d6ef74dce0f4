// SPDX-License-Identifier: Apache-2.0
// server: a block of equal servers of one cell, simulated together.
//
// Queries come in the order in which the balancer sent them; each reaches its server dispatch_delay
// later, so every server sees its own in order of arrival and can be simulated at once: split or
// offload, core pool (cpu.h) or accelerator (accel.h), then the record (results/record.h). No
// events, no allocation after the first batches.
//
//     latency = dispatch_delay + wait + service + return_delay
//
// where wait and service are those of the query's request that ends last.
//
// Servers can be out of service (outage.h). A query that comes to one that is down, or that has not
// ended when its server goes down, is lost there and then: it is tried again if the study says so
// and attempts are left, at
//
//     max(arrival + 1 ns, time of loss + status_delay + retry_delay)
//
// rounded up to whole us since it first arrived. A query without an end is counted with the path of
// its last attempt: as pending when it was lost, or would be tried again, after the end of the run,
// else as lost. One that ends in a later attempt is recorded like any other, its latency from its
// first arrival on; whatever happens to it belongs to the bin of that. What a server has not done
// when it goes down is never done, its cores are cold when it comes back, and its completions are
// reported as of that moment. Only for the time that it is powered a server draws its idle power.
//
// At the end of every time bin a block is folded: core-time used inside the bin is what was
// assigned plus what the last bin carried over minus what reaches beyond this bin's end, exactly,
// and energy follows from it.
#ifndef CLUSTER_SERVER_H
#define CLUSTER_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/blob.h"
#include "cluster/config.h"
#include "cluster/cpu.h"
#include "cluster/svctab.h"
#include "cluster/view.h"
#include "results/record.h"
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
    const struct svctab *const *tabs; // [n_services], of this group
    bool wants_reports;               // the balancer listens to completions
    enum load_unit unit;              // in which it counts them
    const struct cpu_kernel *kernel;
    struct record *record;
    struct cpu_job *jobs; // room for SERVER_CHUNK, shared by blocks of one thread; NULL: its own
};

// Growing lists of completions and of lost queries that are to be tried again, reused from batch to
// batch. A lost query is as its next attempt will be (arrive_ns, delay_us, seq).
struct report_list {
    struct report *v;
    size_t n, cap;
    struct query *lost;
    size_t n_lost, lost_cap;
};

void report_list_reserve(struct report_list *list, size_t n_more);
void report_list_release(struct report_list *list);

// The config's pointers are borrowed until server_block_destroy().
struct server_block *server_block_create(const struct server_block_config *config);
void server_block_destroy(struct server_block *block); // NULL: no effect

// Runs n queries, in the order in which they were sent, on their servers; appends their completions
// to *reports when the balancer listens, and those to be tried again (where neither can be, NULL is
// fine).
void server_block_run(struct server_block *block, const struct query *queries, size_t n,
                      struct report_list *reports);

// Every query that arrives at the balancer before next_ns has been run: folds the bins that end
// before such a one can reach a server. What is left to fold then follows from next_ns.
void server_block_settle(struct server_block *block, int64_t next_ns);

// Servers [first, first + n) of a settled block as bytes, counted from the block's first. Which of
// them are up, and for how long in the open bin they were powered, follows from next_ns. Loading
// fills servers of a block, of any extent, that has run nothing; n and next_ns are as they were
// saved, and those servers of the saved run that are not in the block are passed over.
size_t server_block_bytes(const struct server_block *block); // about, of one server
void server_block_save(const struct server_block *block, uint32_t first, uint32_t n,
                       struct blob *blob);
void server_block_load(struct server_block *block, int64_t first, uint32_t n, int64_t next_ns,
                       struct blob_reader *reader);

// Nothing more will come: folds the remaining bins.
void server_block_finish(struct server_block *block);

// Shortest time from a query's arrival at a server to its first completion, given the tables.
int64_t server_least_service_ns(const struct group_config *group, const struct svctab *const *tabs,
                                uint32_t n_services);

#endif
