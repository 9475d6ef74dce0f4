// SPDX-License-Identifier: Apache-2.0
// server_record: how what ended on a block of servers is counted and told.
//
// A scheduler (sched.h) says which queries ended, when, and how long they waited; this module puts
// them into the record (results/record.h) and, where the balancer listens to completions, into the
// list that goes back to it. A query that has not ended when its server goes down is lost instead:
// it is told to the balancer, which decides what becomes of it (retry.h).
//
//     latency = dispatch_delay + wait + service + return_delay
//
// where wait and service are those of the query's request that ends last. A query that ends in a
// later attempt is recorded like any other, its latency from its first arrival on, in the bin of
// that. A query counts as completed in the bin in which its response is back (results/record.h).
#ifndef CLUSTER_SERVER_RECORD_H
#define CLUSTER_SERVER_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/completions.h"
#include "cluster/config.h"
#include "cluster/cpu.h"
#include "cluster/svctab.h"
#include "results/record.h"
#include "results/timeline.h"
#include "traces/query.h"

// Of one block; all pointers are borrowed.
struct server_record {
    struct record *record;
    const struct fleet_config *fleet;
    const struct svctab *const *tabs; // [n_services]
    uint32_t cell, first_in_cell, first_in_fleet;
    int64_t dispatch_delay_ns, return_delay_ns;
    uint32_t group;                   // the block's
    uint32_t arrive_bin;              // bin of the queries at hand, by arrival at the balancer
    int64_t arrive_edge_ns;           // its end
    struct group_tally *arrive_group; // of that bin
    const int64_t
        *until_ns; // [server of the block] when it goes down (availability.h); NULL: never
    struct query_sample *single; // where the record of the one query at hand goes; NULL: none is
    bool waits;                  // queries may end bins after they came (sched.h, advance)
    bool tells;                  // the balancer listens to completions
    enum load_unit unit;         // in which it counts them
};

// What became of one query, whichever way it went.
struct finished {
    const struct query *query;
    int64_t start_ns, finish_ns, wait_ns; // start: arrival at the server
    uint32_t n_requests;
};

// Where a query is counted that takes that path: by its first arrival, whichever attempt this is.
struct tally *server_record_tally(const struct server_record *rec, const struct query *query,
                                  enum record_path path);
enum record_path server_record_path(const struct server_record *rec, const struct query *query);

// Tells that a query's load ended at finish_ns, whole; for units other than requests, and for
// queries that were one request.
static inline void server_record_tell(const struct server_record *rec, const struct query *query,
                                      int64_t finish_ns, struct completions *out)
{
    const struct svctab *tab = rec->tabs[query->service];
    out->v[out->n++] =
        (struct completion){finish_ns, svctab_load(tab, rec->unit, query), query->server, 0};
}
// None of the completions from `first` on is later than its server's going down.
void server_record_cut(const struct server_record *rec, struct completions *out, size_t first);

// One query: recorded, or lost where its server goes down first.
void server_record_one(const struct server_record *rec, const struct finished *end,
                       enum record_path path, struct completions *out);
// The jobs of a chunk that the cores have done, the same for each; `jobs` is used up.
void server_record_jobs(const struct server_record *rec, const struct query *queries,
                        struct cpu_job *jobs, size_t n_jobs, struct completions *out);

// The record of a query whose run filled *single but for what it ran on. Is it to be kept, by its
// flags or as one of the slowest? Then what it ran on is to be filled in, and it is handed over.
bool server_record_wants(const struct server_record *rec, const struct query *query,
                         struct query_sample *single);
void server_record_keep(const struct server_record *rec, const struct query *query,
                        const struct query_sample *single);

// A query as a timeline has it: it ends at end_ns on its server, or is lost there.
struct timeline_query server_record_seen(const struct server_record *rec, const struct query *query,
                                         int64_t end_ns, bool lost);

#endif
