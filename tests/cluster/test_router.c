// SPDX-License-Identifier: Apache-2.0
// What a router makes of a fleet's configuration; policies and views have tests of their own, and
// the balancer's tests hold what it routes.
#include "cluster/router.h"

#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/fixture.h"
#include "support/suite.h"

enum { N_SERVERS = 4, N_QUERIES = 300 };

static const uint16_t groups[N_SERVERS] = {0, 0, 1, 1};

static struct router *make(struct fixture *fixture, const char *policy)
{
    fixture_init(fixture, 1, 2);
    fixture->config.groups = fixture->groups;
    fixture->groups[1].weight = 3;
    fixture_ready(fixture);
    fixture_set_policy(fixture, policy);
    const struct router_setup setup = {.fleet = &fixture->config,
                                       .tabs = (const struct svctab *const *)fixture->tabs,
                                       .cell = 0,
                                       .n_servers = N_SERVERS,
                                       .group = groups,
                                       .rate_qps = 1e5,
                                       .lookahead_ns = 100 * SIMTIME_US};
    return router_create(&setup);
}

static uint32_t route(struct router *router, uint64_t seq, int64_t arrive_ns)
{
    struct query query = {.arrive_ns = arrive_ns, .seq = seq, .size_items = 10};
    policy_route(router->policy, &query, 1);
    return query.server;
}

// Servers have their group and its weight; a policy that looks at nothing has no view, and draws as
// the policy does alone.
START_TEST(of_a_fleet)
{
    struct fixture fixture;
    struct router *router = make(&fixture, "random");
    struct policy *alone = policy_create(&fixture.config.balancer, &router->roster, NULL);
    ck_assert_ptr_null(router->view);
    for (uint32_t s = 0; s < N_SERVERS; s++) {
        ck_assert_uint_eq(router->group[s], groups[s]);
        ck_assert_double_eq(router->weight[s], fixture.groups[groups[s]].weight);
    }
    for (uint64_t seq = 0; seq < N_QUERIES; seq++) {
        struct query query = {.seq = seq};
        policy_route(alone, &query, 1);
        ck_assert_uint_eq(route(router, seq, (int64_t)seq), query.server);
        router_hear(router, &query, (int64_t)seq); // without effect
    }
    policy_destroy(alone);
    router_destroy(router);
    fixture_release(&fixture);
}
END_TEST

// Where load is core-time a server weighs as much as it has cores.
START_TEST(weight_by_work)
{
    struct fixture fixture;
    struct router *router = make(&fixture, "least-work");
    ck_assert_ptr_nonnull(router->view);
    for (uint32_t s = 0; s < N_SERVERS; s++)
        ck_assert_double_eq(router->weight[s], fixture.groups[groups[s]].weight *
                                                   (double)fixture.platforms[groups[s]].cores);
    router_destroy(router);
    fixture_release(&fixture);
}
END_TEST

// What has ended counts no more once the status delay is over, and not before; news that is late
// counts from the next query on.
START_TEST(hears)
{
    struct fixture fixture;
    struct router *router = make(&fixture, "join-shortest-queue");
    int64_t delay_ns = fixture.config.balancer.status_delay_ns;
    struct query query = {.size_items = 10};
    query.server = route(router, 0, 1000);
    ck_assert_int_eq(view_load_of(router->view, query.server), 1);
    router_hear(router, &query, 2000);
    view_advance(router->view, 2000 + delay_ns - 1);
    ck_assert_int_eq(view_load_of(router->view, query.server), 1);
    view_advance(router->view, 2000 + delay_ns);
    ck_assert_int_eq(view_load_of(router->view, query.server), 0);

    int64_t late_ns = SIMTIME_S;
    query.server = route(router, 1, late_ns);
    router_hear(router, &query, late_ns - 10 * delay_ns);
    ck_assert_int_eq(view_load_of(router->view, query.server), 1);
    view_advance(router->view, late_ns + 1);
    ck_assert_int_eq(view_load_of(router->view, query.server), 0);
    router_destroy(router);
    fixture_release(&fixture);
}
END_TEST

// The same in lanes, of which there are fewer than queries that end late.
START_TEST(hears_in_lanes)
{
    struct fixture fixture;
    struct router *router = make(&fixture, "power-of-two");
    int64_t at_ns = 0, sum = 0;
    struct query sent[N_QUERIES] = {{0}};
    for (uint32_t i = 0; i < N_QUERIES; i++) {
        at_ns = 1000 * (int64_t)(i + 1);
        sent[i] = (struct query){.arrive_ns = at_ns, .seq = i, .size_items = 10};
        policy_route(router->policy, &sent[i], 1);
    }
    for (uint32_t i = 0; i < N_QUERIES; i++)
        router_hear(router, &sent[i], sent[i].arrive_ns);
    view_advance(router->view, at_ns + fixture.config.balancer.status_delay_ns + 1);
    for (uint32_t s = 0; s < N_SERVERS; s++)
        sum += view_load_of(router->view, s) != 0;
    ck_assert_int_eq(sum, 0);
    router_destroy(router);
    fixture_release(&fixture);
}
END_TEST

// NULL is nothing to destroy.
START_TEST(nothing)
{
    router_destroy(NULL);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", of_a_fleet},
                                       {"core", weight_by_work},
                                       {"core", hears},
                                       {"limits", hears_in_lanes},
                                       {"errors", nothing}};
    return suite_run("router", tests, sizeof tests / sizeof *tests);
}
