// SPDX-License-Identifier: Apache-2.0
// router: which server of its cell each query goes to.
//
// A policy (policy.h), what it must know of the servers, and its view of them (view.h), put
// together for one cell. It knows times and nothing of where they come from, so the simulated
// balancer (balancer.h), which has windows of simulated time, and a balancer that runs for real,
// which has a clock, choose by the same code.
//
//     struct router *router = router_create(&setup);
//     policy_route(router->policy, queries, n);   // in the order in which they arrive
//     view_report(router->view, ended, n_ended);  // simulated: each will be heard later than now
//     router_hear(router, &ended);                // by a clock: it may be heard already
#ifndef CLUSTER_ROUTER_H
#define CLUSTER_ROUTER_H

#include <stdint.h>

#include "cluster/completions.h"
#include "cluster/config.h"
#include "cluster/policy.h"
#include "cluster/svctab.h"
#include "cluster/view.h"

struct router_setup {
    const struct fleet_config *fleet;
    const struct svctab *const *tabs; // [group * n_services + service]
    uint32_t cell, n_servers;
    const uint16_t *group; // [n_servers]; copied
    double rate_qps;       // of the cell, about
    int64_t lookahead_ns;  // nothing is heard of a query sooner than this after it was routed
};

struct router {
    struct policy_roster roster;
    double *weight;  // [n_servers]
    uint16_t *group; // [n_servers]
    struct policy *policy;
    struct view *view; // NULL: the policy does not look at its servers
};

// What *setup points to is borrowed until router_destroy().
struct router *router_create(const struct router_setup *setup);
void router_destroy(struct router *router); // NULL: no effect

// A query has ended, or was lost, at its server (query->server) at end_ns. It is heard as the view
// says, and where that time has passed, with the next query. Without a view: no effect.
void router_hear(struct router *router, const struct query *query, int64_t end_ns);

#endif
