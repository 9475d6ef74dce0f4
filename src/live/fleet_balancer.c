// SPDX-License-Identifier: Apache-2.0
#include "live/fleet_balancer.h"

#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/router.h"
#include "live/live_clock.h"

#define LOOK_NS (20 * SIMTIME_MS)
#define SPIN_NS (100 * SIMTIME_US) // sleeps end by then later than they should

struct balancing {
    struct fleet_balancer *about;
    const struct live_plan *plan;
    struct router *router;
    bool *down;         // [n_servers]
    uint32_t *members;  // [n_servers]
    uint32_t n_done;    // servers
    size_t n_sent;      // queries
    int64_t arrived_ns; // of the last
    int64_t looked_ns;
    bool asked; // to stop
};

static int64_t now_ns(const struct balancing *all)
{
    return live_clock_ns() - all->about->start_ns;
}

static struct router *create_router(const struct live_plan *plan)
{
    const struct fleet_config *fleet = plan->fleet;
    uint16_t *group = mem_calloc(plan->n_servers, sizeof *group);
    double rate_qps = (double)plan->n_queries / simtime_to_s(fleet->duration_ns);
    const struct router_setup setup = {.fleet = fleet,
                                       .tabs = (const struct svctab *const *)plan->tabs,
                                       .n_servers = plan->n_servers,
                                       .group = group,
                                       .rate_qps = rate_qps,
                                       .lookahead_ns = fleet->balancer.dispatch_delay_ns +
                                                       fleet->balancer.status_delay_ns};
    struct router *router = router_create(&setup);
    mem_free(group);
    return router;
}

// ---- what comes in ------------------------------------------------------------------------------

static void leave_out(struct balancing *all, uint32_t server)
{
    uint32_t n = 0;
    all->down[server] = true;
    all->about->n_down++;
    for (uint32_t s = 0; s < all->plan->n_servers; s++)
        if (!all->down[s])
            all->members[n++] = s;
    if (n > 0)
        policy_set_members(all->router->policy, all->members, n);
}

static void take(struct balancing *all, uint32_t server, const struct fleet_note *note)
{
    struct query query;
    switch (note->what) {
    case FLEET_SETTLED:
        query = all->plan->queries[note->query];
        query.server = server;
        router_hear(all->router, &query, note->at_ns);
        break;
    case FLEET_DOWN:
        leave_out(all, server);
        break;
    case FLEET_STOP:
        all->asked = true;
        break;
    default:
        all->n_done++;
    }
}

static int take_all(struct balancing *all, struct err *err)
{
    struct fleet_note note;
    int from, rc;
    while ((rc = fleet_mail_receive(all->about->mail, &from, &note, err)) > 0)
        take(all, (uint32_t)from - 1, &note);
    return rc;
}

// ---- what goes out ------------------------------------------------------------------------------

static int send(struct balancing *all, uint32_t server, const struct fleet_note *note,
                struct err *err)
{
    while (!fleet_mail_has_room(all->about->mail))
        if (take_all(all, err) < 0)
            return -1;
    return fleet_mail_send(all->about->mail, (int)server + 1, note, err);
}

// No two queries arrive at the same nanosecond, so that their order can be told from their times.
static int route_next(struct balancing *all, int64_t at_ns, struct err *err)
{
    struct query query = all->plan->queries[all->n_sent];
    struct live_query *fate = &all->about->log->queries[all->n_sent];
    all->arrived_ns = at_ns > all->arrived_ns ? at_ns : all->arrived_ns + 1;
    query.arrive_ns = all->arrived_ns;
    policy_route(all->router->policy, &query, 1);
    fate->arrive_ns = query.arrive_ns;
    fate->server = query.server;
    fate->fate = LIVE_WAITING;
    return send(all, query.server,
                &(struct fleet_note){query.arrive_ns, (uint32_t)all->n_sent++, FLEET_QUERY}, err);
}

static int64_t next_ns(const struct balancing *all)
{
    return all->n_sent < all->plan->n_queries ? all->plan->queries[all->n_sent].arrive_ns
                                              : SIMTIME_NEVER;
}

// ---- the run ------------------------------------------------------------------------------------

static void look_about(struct balancing *all, int64_t at_ns)
{
    struct fleet_balancer *about = all->about;
    if (at_ns - all->looked_ns < LOOK_NS)
        return;
    all->looked_ns = at_ns;
    all->asked = all->asked || (about->stops && about->stops(about->user));
    if (about->progress)
        about->progress(about->user, at_ns > 0 ? at_ns : 0);
}

// Until the next query is due, but not for long.
static void wait_next(const struct balancing *all, int64_t at_ns)
{
    int64_t until_ns = next_ns(all), end_ns = all->plan->fleet->duration_ns;
    until_ns = until_ns < end_ns ? until_ns : end_ns;
    bool soon = until_ns - at_ns < LOOK_NS;
    live_clock_wait(all->about->start_ns + (soon ? until_ns : at_ns + LOOK_NS),
                    soon && all->about->has_core ? SPIN_NS : 0);
}

static int route_all(struct balancing *all, struct err *err)
{
    struct fleet_balancer *about = all->about;
    int64_t end_ns = all->plan->fleet->duration_ns;
    about->end_ns = end_ns;
    for (;;) {
        int64_t at_ns = now_ns(all);
        if (take_all(all, err) < 0)
            return -1;
        look_about(all, at_ns);
        about->stopped = all->asked || about->n_down == all->plan->n_servers;
        if (about->stopped || at_ns >= end_ns)
            break;
        if (next_ns(all) > at_ns)
            wait_next(all, at_ns);
        else if (route_next(all, at_ns, err) < 0)
            return -1;
    }
    about->stopped = about->stopped && now_ns(all) < end_ns;
    if (about->stopped)
        about->end_ns = now_ns(all) > all->arrived_ns ? now_ns(all) : all->arrived_ns + 1;
    return 0;
}

static int end_all(struct balancing *all, struct err *err)
{
    for (uint32_t s = 0; s < all->plan->n_servers; s++)
        if (send(all, s, &(struct fleet_note){all->about->end_ns, 0, FLEET_END}, err) < 0)
            return -1;
    while (all->n_done < all->plan->n_servers) {
        if (take_all(all, err) < 0)
            return -1;
        live_clock_wait(live_clock_ns() + SIMTIME_MS, 0);
    }
    return 0;
}

int fleet_balancer_run(struct fleet_balancer *balancer, struct err *err)
{
    const struct live_plan *plan = balancer->log->plan;
    struct balancing all = {
        .about = balancer, .plan = plan, .arrived_ns = -1, .looked_ns = -LOOK_NS};
    all.router = create_router(plan);
    all.down = mem_calloc(plan->n_servers, sizeof *all.down);
    all.members = mem_calloc(plan->n_servers, sizeof *all.members);
    live_clock_sharpen();
    int rc = route_all(&all, err);
    if (end_all(&all, rc == 0 ? err : NULL) < 0)
        rc = -1;
    router_destroy(all.router);
    mem_free(all.down);
    mem_free(all.members);
    return rc;
}
