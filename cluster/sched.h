// SPDX-License-Identifier: Apache-2.0
// sched: how a server runs the queries that reach it.
//
// A scheduler splits, merges, orders or hands to the accelerator. Variants are const descriptors; a
// new one is one file sched_x.c with its settings and state, one line in SCHEDS below and one test.
// Everything else (searches, files, reports, the study) carries its settings as a `struct settings`
// described by its own table of fields. The first field of every table is the choice `policy`: its
// words name the ways of the scheduler, and a study picks scheduler and way by one of them.
//
// A scheduler has one state for a block of equal servers (server.h) and is told, in this order:
//
//     run     queries that find their server up, in order of arrival
//     advance nothing comes before some time: what begins before it begins (where queries wait)
//     cut     a server goes down: what it has not done is never done
//     fold    a time bin ends: what was used of each server since it was folded last
//
// It says of each query when it ended (server_record.h), as soon as that is certain: as it comes,
// or, where queries wait for a decision that later ones have a part in, as the last of it begins.
// What makes windows exact (balancer.h) is that nothing ends before it begins +
// sched_least_service_ns(), that what begins depends only on queries that reached the server no
// later, and that all that begins before the time given to `advance` has been told by then.
#ifndef CLUSTER_SCHED_H
#define CLUSTER_SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/err.h"
#include "base/settings.h"
#include "cluster/batcher.h"
#include "cluster/completions.h"
#include "cluster/config.h"
#include "cluster/cpu.h"
#include "cluster/server_record.h"
#include "cluster/svctab.h"
#include "results/timeline.h"
#include "traces/query.h"

// What a scheduler has to work with: one block of equal servers. Borrowed.
struct sched_setup {
    const struct fleet_config *fleet;
    const struct group_config *group;
    uint32_t cell, first_in_cell, n_servers;
    const struct svctab *const *tabs;      // [n_services]
    const struct svctab *const *slow_tabs; // the same of slow servers; NULL: none is slow
    const struct cpu_kernel *kernel;
    struct cpu_job *jobs; // room for a chunk of queries (server.h), shared by blocks
};

struct sched {
    const struct sched_type *type;
    struct sched_setup setup;
    const struct server_record *record; // where it says what ended
    void *state;                        // the type's, aligned to cache lines
};

// Use of one server's cores or streams.
struct sched_part {
    int64_t busy_ns;    // core-time used inside the bin
    int64_t backlog_ns; // of what it has taken and of what waits, beyond the bin's end
    int64_t drain_ns;   // until the first core is free, and what waits is done
    int64_t work_ns; // that came, where merging makes it less than what was used; 0: it is not said
};

// Of one server since its last fold. What it counts are attempts that it took, ended or not.
struct sched_usage {
    uint64_t n_queries, n_requests, n_items, n_accel_queries;
    struct sched_part cpu, accel;
};

struct sched_type {
    const char *name, *help;
    const struct field *fields;       // of its settings; the first is `policy`
    const struct settings_axis *axes; // which of them searches vary, in this order
    size_t state_size;
    // What a study gave: bit i of `given`, field i of the table was named. Fills in what follows
    // from it; a mistake is said as "key: text".
    int (*check)(void *settings, uint64_t given, struct err *err);
    // Can a server have these for one service and `others` for another? A mistake is said of the
    // former, as above. NULL: always.
    int (*agree)(const void *settings, const void *others, struct err *err);
    // Should a row be left out where such settings are printed, as it follows from the others?
    bool (*is_implied)(const void *settings, const struct field *field);
    // Settings that stand for themselves, whatever the traffic: largest_items in a query.
    void (*resolve)(void *settings, int64_t largest_items, int64_t n_cores);
    // One form for all resolved settings that make the same server for such queries.
    void (*simplify)(void *settings, int64_t largest_items);
    // Which service times resolved settings need.
    struct dispatch_config (*needs)(const void *settings);
    // How cores take from what waits, of resolved settings, for a server that runs (src/live);
    // false: some queries wait for an accelerator.
    bool (*takes)(const void *settings, struct batcher_rule *rule, enum order *order);
    void (*init)(struct sched *sched); // of zeros
    void (*release)(struct sched *sched);
    // n queries of a chunk. Every one of them: to server_record_one() or server_record_jobs(), and
    // with record->tells its completions to *out, which has room for one each.
    void (*run)(struct sched *sched, const struct query *queries, size_t n,
                struct completions *out);
    // Where queries wait; NULL: the end of each is known as it comes. Nothing comes to any server
    // of the block before until_ns any more (SIMTIME_NEVER: nothing at all): what begins earlier is
    // decided, and told and recorded like what run() ends. Makes its own room in *out.
    void (*advance)(struct sched *sched, int64_t until_ns, struct completions *out);
    // The same of one query, and what it ran on goes into *timeline (NULL: nobody draws it) and
    // into its record, if that is to be kept (server_record_wants()). Another way to the very state
    // that run() leaves, so that this has nothing to do with watching.
    void (*watch)(struct sched *sched, const struct query *query, struct completions *out,
                  struct timeline *timeline);
    // Of a server, since it was folded last, at edge_ns or later; it has been advanced to edge_ns.
    void (*fold)(struct sched *sched, uint32_t server, int64_t edge_ns, struct sched_usage *usage);
    // What waits at the server is lost; it has been advanced to t_ns.
    void (*cut)(struct sched *sched, uint32_t server, int64_t t_ns, struct completions *out);
    // As server_block_save() and server_block_load(); load says whether it took anything.
    size_t (*bytes)(const struct sched *sched);
    void (*save)(const struct sched *sched, uint32_t first, uint32_t n, struct blob *blob);
    bool (*load)(struct sched *sched, int64_t first, uint32_t n, struct blob_reader *reader);
};

// All of them, in the order of sched_types[]; the first is the default.
#define SCHEDS(X) X(split) X(queue)

#define SCHED_EXTERN(name) extern const struct sched_type sched_##name;
SCHEDS(SCHED_EXTERN)
extern const struct sched_type *const sched_types[]; // NULL-terminated

int sched_find(const char *name);          // index, -1 when unknown
int sched_find_policy(const char *policy); // of the scheduler with such a way, -1 when unknown

// The scheduler that has such settings; NULL: none.
const struct sched_type *sched_of(const struct settings *settings);
// Its defaults, resolved (resolve); they say nothing of the study.
struct settings sched_plain(const struct sched_type *type, int64_t largest_items, int64_t n_cores);
// For a server with or without an accelerator: what needs one is not used without.
struct settings sched_fit(const struct settings *settings, bool has_accelerator);

// Which service times resolved settings need; those of a group's servers for a service.
struct dispatch_config sched_needs(const struct settings *settings);
struct dispatch_config sched_dispatch(const struct group_config *group, uint32_t service);
// What the block's cores run on where requests of one query each begin as they come or as the next
// core is free, first come first served: the fastest lanes that hold all that they need, and the
// function of the setup's kernel for these.
struct sched_cores {
    enum cpu_lanes lanes;
    void (*assign)(struct cpu_pool *pool, struct cpu_job *jobs, size_t n);
};
struct sched_cores sched_cores(const struct sched_setup *setup);
// Shortest time from when a request or batch begins to its end, whatever is in it.
int64_t sched_least_service_ns(const struct group_config *group, const struct svctab *const *tabs,
                               uint32_t n_services);

#endif
