// SPDX-License-Identifier: Apache-2.0
// fixture: small fleets with made-up costs for the tests of cluster/, and what the engine is held
// against: a first-come first-served queue that is simulated step by step.
#ifndef CLUSTER_FIXTURE_H
#define CLUSTER_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/config.h"
#include "cluster/layout.h"
#include "cluster/server.h"
#include "cluster/svctab.h"
#include "results/record.h"
#include "traces/query.h"

enum { FIXTURE_SERVICES = 2, FIXTURE_GROUPS = 3, FIXTURE_COSTS = 6, FIXTURE_EVENTS = 8 };

// A fleet by hand. Everything that config points to lies in here, so it must not be moved.
struct fixture {
    struct fleet_config config;
    struct service_config services[FIXTURE_SERVICES];
    struct group_config groups[FIXTURE_GROUPS];
    struct platform platforms[FIXTURE_GROUPS];
    struct cost_config cost_configs[FIXTURE_COSTS]; // [group * n_services + service]
    struct cost *costs[FIXTURE_COSTS];
    struct settings settings[FIXTURE_COSTS]; // of the scheduler split, unless changed
    struct svctab *tabs[FIXTURE_COSTS], *slow_tabs[FIXTURE_COSTS];
    struct outage_event events[FIXTURE_EVENTS]; // for config.outages.events
};

// Defaults: one cell, 4 servers of 4 cores a group, log-normal sizes up to 400 items, batches of
// 32, 5 us + 1 us per item (half as much again for each further group and service), 50 us delays,
// policy random, Poisson arrivals that load the cores of the fleet to 70 %, 50 ms.
void fixture_init(struct fixture *fixture, uint32_t n_services, uint32_t n_groups);
// After a test has changed what it wants: makes costs and tables.
void fixture_ready(struct fixture *fixture);
void fixture_release(struct fixture *fixture);

// What a block of the group takes as its slow_tabs.
const struct svctab *const *fixture_slow_tabs(const struct fixture *fixture, uint32_t group);

// A policy with its default settings, but that size-aware calls 64 items large: some of every
// test's queries are.
void fixture_set_policy(struct fixture *fixture, const char *name);

// What split makes of a service on a group (settings[at]), but with requests of at most B items.
void fixture_set_batch(struct fixture *fixture, uint32_t at, int64_t batch_items);
// Its B and T, for a table by hand.
struct dispatch_config fixture_dispatch(const struct fixture *fixture, uint32_t at);

// Another scheduler for a group: settings as a study has them, the same for all of its services.
void fixture_set_scheduler(struct fixture *fixture, uint32_t group, const char *name,
                           const char *settings);

// An accelerator for a group, and a threshold for all its services.
void fixture_attach(struct fixture *fixture, uint32_t group, int64_t streams, bool overlap,
                    int64_t offload_items);

// Sets the rate of every service so that CPU work without queueing loads the cores to `load`.
void fixture_set_load(struct fixture *fixture, double load);

struct record *fixture_record(const struct fixture *fixture, uint32_t n_bins, int64_t warmup_ns);

// The queries of a cell as its source gives them; the caller frees them with mem_free().
struct query *fixture_queries(const struct fixture *fixture, uint32_t cell, size_t *n);

// The server blocks of a rank by part, NULL where a part is another rank's; `rank` -1: all of them.
struct server_block **fixture_blocks(const struct fixture *fixture, const struct layout *layout,
                                     int rank, struct record *record);
// Folds the remaining bins and destroys the blocks.
void fixture_finish(struct server_block **blocks, const struct layout *layout);

// True when two records say the same in every member; the samples of both get sorted.
bool fixture_same_record(struct record *a, struct record *b);

// A uniform integer in [0, n), number `index` of a stream of random numbers.
uint32_t fixture_draw(uint64_t stream, uint64_t index, uint32_t n);

// One request at a queue: when it comes; out: when it runs and how many units are busy when it
// starts, its own included.
struct fixture_request {
    int64_t ready_ns;
    int64_t begin_ns, end_ns;
    uint32_t busy;
    uint32_t unit; // that ran it: of those that are idle, the one with the lowest number
};

typedef int64_t (*fixture_service_fn)(void *user, size_t request, uint32_t busy);

// First come, first served by `n_units` units, step by step in time: units become idle, the head of
// the queue takes an idle unit or time moves on. Requests are in order of ready_ns.
void fixture_fcfs(struct fixture_request *requests, size_t n, uint32_t n_units,
                  fixture_service_fn service, void *user);

// How much of [begin, end) lies inside [from, to).
int64_t fixture_overlap_ns(int64_t begin_ns, int64_t end_ns, int64_t from_ns, int64_t to_ns);

#endif
