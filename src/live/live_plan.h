// SPDX-License-Identifier: Apache-2.0
// live_plan: what a study asks of a server that runs for real.
//
// The study is of one server, or of one cell with equal ones; a server's cores are its workers,
// each of as many processor cores as its platform says (cores_per_worker). Its queries are those
// that the simulator would make of it: the same source, the same seed, all of them drawn before
// anything begins. How idle workers take them from their queues is what the study's scheduler says
// (sched.h, takes).
//
//     struct live_plan *plan = live_plan_create(study, &err);   // NULL: what cannot be served
//     for (size_t i = 0; i < plan->n_queries; i++)
//         ... plan->queries[i].arrive_ns ...
//     live_plan_destroy(plan);
#ifndef LIVE_LIVE_PLAN_H
#define LIVE_LIVE_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "cluster/batcher.h"
#include "cluster/config.h"
#include "cluster/svctab.h"
#include "study/study.h"
#include "traces/query.h"

struct live_plan {
    const struct fleet_config *fleet; // borrowed
    uint32_t n_services, n_servers;
    uint32_t n_workers; // of a server
    uint32_t cores_per_worker;
    struct query *queries; // [n_queries] as they arrive; seq is the place in the list
    size_t n_queries;
    struct batcher_rule (*rules)[N_PLACES]; // [n_services]
    enum order *orders;                     // [n_services]
    struct svctab **tabs;                   // [n_services] the study's service times
    uint32_t most_items;                    // of a request
    uint32_t most_history_items;            // of a query
    size_t most_requests;                   // that the queries can become
};

// Fails for studies of several servers, with failures or accelerators, with histories of queries
// that are merged, and where the traffic does. The study is borrowed until live_plan_destroy().
struct live_plan *live_plan_create(const struct study *study, struct err *err);
// The same for a study of one cell of n_servers, by as many processes and one that balances.
struct live_plan *live_plan_create_fleet(const struct study *study, uint32_t n_servers,
                                         struct err *err);
void live_plan_destroy(struct live_plan *plan); // NULL: no effect

#endif
