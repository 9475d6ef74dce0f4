// SPDX-License-Identifier: Apache-2.0
#include "cluster/router.h"

#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"

static void fill_roster(struct router *router, const struct router_setup *setup)
{
    uint32_t n = setup->n_servers;
    bool by_work = policy_load_unit(&setup->fleet->balancer) == LOAD_WORK;
    router->weight = mem_calloc(n, sizeof *router->weight);
    router->group = mem_calloc(n, sizeof *router->group);
    for (uint32_t s = 0; s < n; s++) {
        const struct group_config *group = &setup->fleet->groups[setup->group[s]];
        router->group[s] = setup->group[s];
        // Work is core-time: a server with more cores gets through it faster.
        router->weight[s] = group->weight * (by_work ? (double)group->platform->cores : 1);
    }
    router->roster = (struct policy_roster){.n_servers = n,
                                            .weight = router->weight,
                                            .group = router->group,
                                            .tabs = setup->tabs,
                                            .n_services = setup->fleet->n_services,
                                            .seed = setup->fleet->seed,
                                            .cell = setup->cell};
}

static struct view *create_view(const struct router_setup *setup)
{
    const struct balancer_config *config = &setup->fleet->balancer;
    struct view_config view = {
        .n_servers = setup->n_servers,
        .status_delay_ns = config->status_delay_ns,
        .report_period_ns = config->report_period_ns,
        .reports_per_ns = 2e-9 * (setup->rate_qps + 1),
        .lookahead_ns = setup->lookahead_ns,
        .horizon_ns = 4 * (setup->lookahead_ns + config->report_period_ns + SIMTIME_MS),
        .in_lanes = policy_wants_lanes(config)};
    return view_create(&view);
}

struct router *router_create(const struct router_setup *setup)
{
    struct router *router = mem_calloc(1, sizeof *router);
    fill_roster(router, setup);
    if (fleet_has_feedback(setup->fleet))
        router->view = create_view(setup);
    router->policy = policy_create(&setup->fleet->balancer, &router->roster, router->view);
    return router;
}

void router_destroy(struct router *router)
{
    if (!router)
        return;
    policy_destroy(router->policy);
    view_destroy(router->view);
    mem_free(router->weight);
    mem_free(router->group);
    mem_free(router);
}

// News that comes when it should have been heard already is heard a nanosecond after the last
// query.
void router_hear(struct router *router, const struct query *query, int64_t end_ns)
{
    struct view *view = router->view;
    if (!view)
        return;
    size_t row = (size_t)router->group[query->server] * router->roster.n_services;
    const struct svctab *tab = router->roster.tabs[row + query->service];
    int64_t least_ns = view->now_ns - view->due.status_delay_ns + 1;
    const struct completion ended = {end_ns > least_ns ? end_ns : least_ns,
                                     svctab_load(tab, router->policy->unit, query), query->server,
                                     0};
    view_report(view, &ended, 1);
}
