// SPDX-License-Identifier: Apache-2.0
// oracle: what must become of the queries of a block of servers, worked out request by request.
//
// Each server's queue is simulated step by step, and everything that the record holds, and all that
// the balancer is told, is added up from the intervals. A server that goes down is another server
// when it comes up again: each time between two outages is a queue of its own, of which only what
// is before the end counts.
//
//     struct oracle *setting = oracle_make(1);
//     setting->fixture.cost_configs[0].contention_frac = 0.5;
//     oracle_ready(setting);
//     oracle_holds(setting);
#ifndef CLUSTER_ORACLE_H
#define CLUSTER_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/simtime.h"
#include "cluster/fixture.h"

// The bins of the record, the first of which is the warm-up; where the block lies in its cell,
// which begins before it, and in the fleet.
enum { ORACLE_BINS = 5, ORACLE_IN_CELL = 3, ORACLE_IN_FLEET = 5, ORACLE_SERVERS = 4 };
#define ORACLE_WARMUP_NS (7 * SIMTIME_MS)

// A block of servers of group 0, and queries for them.
struct oracle {
    struct fixture fixture;
    struct query *queries;
    size_t n_queries;
    enum load_unit unit;
    bool deaf;                 // the balancer does not listen to completions
    struct timeline *timeline; // of a server, to be filled by oracle_run(); NULL: none is watched
};

// A fleet as fixture_init() makes it, with a return delay; for the test to change what it wants.
struct oracle *oracle_make(uint32_t n_services);
// With two services, an accelerator, that unit of loads and that contention.
struct oracle *oracle_make_reporting(enum load_unit unit, double contention_frac);
// Cold cores for all services.
void oracle_set_cold(struct oracle *setting, double factor, double cooling_s, double warming_s);
// Tables and queries, those dealt to the servers at random.
void oracle_ready(struct oracle *setting);
void oracle_destroy(struct oracle *setting);

// Runs the queries in batches of random sizes up to most_batch; NULL: nobody listens.
struct record *oracle_run(const struct oracle *setting, const struct cpu_kernel *kernel,
                          uint32_t most_batch, struct completions *reports);
// What the balancer makes of the losses in *list: those that are tried again are left, as their
// next attempts, the others are counted. oracle_run() has done it.
void oracle_retry(const struct oracle *setting, struct record *record, struct completions *list);

// Fails the test unless the record, and which queries are to be tried again, is what it must be;
// then also unless the reports are. Both destroy the setting.
void oracle_holds(struct oracle *setting);
void oracle_reports_hold(struct oracle *setting);
// Watching a server, whichever it is, changes nothing of that, and what is seen is what each of its
// requests did. Does not destroy the setting.
void oracle_watch_holds(struct oracle *setting);

// Fails the test unless two records agree, piece by piece, so that a failure says which.
void oracle_same_groups(const struct record *record, const struct record *expected);
void oracle_same_tallies(const struct record *record, const struct record *expected);
void oracle_same_servers(const struct record *record, const struct record *expected);

// For qsort(): reports by end and server, queries by number and attempt.
int oracle_by_end(const void *a, const void *b);
int oracle_by_seq(const void *a, const void *b);

#endif
