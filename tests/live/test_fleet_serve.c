// SPDX-License-Identifier: Apache-2.0
// Machinery, not speed: rank 0 balances, the others are servers of one core each.
#include "live/fleet_serve.h"

#include <stdio.h>
#include <string.h>

#include "base/simtime.h"
#include "cluster/router.h"
#include "live/live_fixture.h"
#include "live/live_results.h"
#include "live/topology.h"
#include "support/suite_mpi.h"

static const struct serve_config usual = {
    .engine = &engine_spin, .rests = true, .most_waiting = 1000, .grace_ns = 20 * SIMTIME_S};

struct run {
    struct study *study;
    struct live_plan *plan;
    struct serve_result result;
    struct err err;
    int rc;
};

// On every rank the same study: as many servers as there are ranks for, each of one worker.
static void serve_with(struct run *run, const struct serve_config *config,
                       uint32_t cores_per_worker, const char *policy, const char *setting)
{
    char servers[200];
    uint32_t n_servers = (uint32_t)suite_mpi_size() - 1;
    *run = (struct run){.rc = -1};
    snprintf(servers, sizeof servers,
             "fleet.groups[0]={cores: 1, cores_per_worker: %u, servers: %u, scheduler: "
             "{policy: fixed, batch_items: 16}, cost: {kind: synthetic, fixed: 20us}}",
             cores_per_worker, n_servers);
    run->study = live_fixture_study(servers, policy, setting);
    run->plan = live_plan_create_fleet(run->study, n_servers, &run->err);
    if (run->plan)
        run->rc = fleet_serve_run(MPI_COMM_WORLD, run->plan, config, &run->result, &run->err);
}

static void serve(struct run *run, const struct serve_config *config, const char *policy,
                  const char *setting)
{
    serve_with(run, config, 1, policy, setting);
}

static void release(struct run *run)
{
    if (run->rc == 0)
        serve_release(&run->result);
    live_plan_destroy(run->plan);
    study_destroy(run->study);
}

// Every query that arrived has a fate, a server that there is, and times in order.
static void check_log(const struct run *run)
{
    const struct live_log *log = run->result.log;
    size_t n_requests = 0;
    live_fixture_check(log);
    for (size_t i = 0; i < run->plan->n_queries; i++) {
        ck_assert_uint_lt(log->queries[i].server, run->plan->n_servers);
        ck_assert(i == 0 || log->queries[i].fate == LIVE_UNSENT ||
                  log->queries[i].arrive_ns > log->queries[i - 1].arrive_ns);
        n_requests += log->queries[i].n_requests;
    }
    ck_assert_uint_eq(log->n_requests, n_requests);
}

static struct router *make_router(const struct live_plan *plan)
{
    const uint16_t groups[16] = {0};
    const struct router_setup setup = {.fleet = plan->fleet,
                                       .tabs = (const struct svctab *const *)plan->tabs,
                                       .n_servers = plan->n_servers,
                                       .group = groups,
                                       .rate_qps = 1000};
    return router_create(&setup);
}

// A policy that looks at nothing sends every query where the simulated one does; all are answered.
START_TEST(routes_as_simulated)
{
    struct run run;
    serve(&run, &usual, "balancer.policy=random", "balancer.dispatch_delay=1ms");
    ck_assert_msg(run.rc == 0, "%s", run.err.text);
    if (suite_mpi_rank() == 0) {
        struct router *router = make_router(run.plan);
        check_log(&run);
        ck_assert(!run.result.stopped);
        ck_assert_uint_gt(run.result.counts.n_sent, 0);
        ck_assert_uint_eq(run.result.counts.n_ended, run.result.counts.n_sent);
        for (size_t i = 0; i < run.result.counts.n_sent; i++) {
            struct query query = run.plan->queries[i];
            policy_route(router->policy, &query, 1);
            ck_assert_uint_eq(run.result.log->queries[i].server, query.server);
            // None begins before it has travelled.
            ck_assert_int_ge(run.result.log->queries[i].begin_ns,
                             run.result.log->queries[i].arrive_ns + SIMTIME_MS);
        }
        router_destroy(router);
    }
    release(&run);
}
END_TEST

// How many queries went where a balancer sends them that learns of what ended just when the study
// says: all that were measured before are as they were.
static size_t count_as_said(const struct run *run)
{
    struct router *router = make_router(run->plan);
    size_t n_same = 0;
    for (size_t i = 0; i < run->result.counts.n_sent; i++) {
        const struct live_query *fate = &run->result.log->queries[i];
        struct query query = run->plan->queries[i];
        query.arrive_ns = fate->arrive_ns;
        policy_route(router->policy, &query, 1);
        n_same += query.server == fate->server;
        view_sent(router->view, query.server, -1);
        view_sent(router->view, fate->server, 1);
        query.server = fate->server;
        router_hear(router, &query, fate->end_ns);
    }
    router_destroy(router);
    return n_same;
}

// A policy that looks at its servers is told what has ended, so late that messages are in time even
// on a machine that is busy. Untold, or told otherwise, it would agree by chance alone.
START_TEST(learns_what_ended)
{
    struct run run;
    serve(&run, &usual,
          "balancer={policy: join-shortest-queue, dispatch_delay: 100us, status_delay: 25ms}",
          "duration=400ms");
    ck_assert_msg(run.rc == 0, "%s", run.err.text);
    if (suite_mpi_rank() == 0) {
        check_log(&run);
        ck_assert_uint_eq(run.result.counts.n_ended, run.result.counts.n_sent);
        ck_assert_uint_gt(run.result.counts.n_sent, 0);
        ck_assert_uint_ge(10 * count_as_said(&run), 8 * run.result.counts.n_sent);
    }
    release(&run);
}
END_TEST

// What was measured becomes a record and rows like that of one server, of as many servers.
START_TEST(results)
{
    struct run run;
    serve(&run, &usual, "balancer.policy=random", "balancer.dispatch_delay=1ms");
    ck_assert_msg(run.rc == 0, "%s", run.err.text);
    if (suite_mpi_rank() == 0) {
        struct live_results results;
        const struct serve_result *result = &run.result;
        int rc = live_results_make(run.study, result->log, result->end_ns, &results, &run.err);
        ck_assert_msg(rc == 0, "%s", run.err.text);
        rc = live_results_compare(MPI_COMM_SELF, result->log, &results, &run.err);
        ck_assert_msg(rc == 0, "%s", run.err.text);
        int64_t busy_ns = 0;
        for (uint32_t s = 0; s < run.plan->n_servers; s++)
            busy_ns += results.measured->servers[s].cpu_busy_ns;
        ck_assert_int_gt(busy_ns, 0);
        ck_assert_int_le(busy_ns, result->counts.busy_ns);
        // With the servers' own times, gaps and routing, what was measured comes again.
        ck_assert(results.has_row[LIVE_ROW_REPLAY_GAPS]);
        double error = results.rows[LIVE_ROW_REPLAY_GAPS].number[FIDELITY_MEAN].error_frac.value;
        ck_assert_double_le(error, 0.05);
        ck_assert_double_ge(error, -0.05);
        live_results_release(&results);
    }
    release(&run);
}
END_TEST

// The first server's only worker fails: what was sent there is lost until the balancer knows, the
// other servers answer the rest; with one server the run is over.
START_TEST(server_fails)
{
    struct run run;
    struct serve_config config = usual;
    config.fail_after = 5;
    serve(&run, &config, "balancer={policy: round-robin, dispatch_delay: 100us}", "duration=400ms");
    ck_assert_msg(run.rc == 0, "%s", run.err.text);
    if (suite_mpi_rank() == 0) {
        const struct live_counts *counts = &run.result.counts;
        check_log(&run);
        ck_assert_uint_eq(run.result.n_failed, 1);
        ck_assert_uint_ge(counts->n_lost, 1);
        ck_assert_uint_eq(counts->n_ended + counts->n_lost, counts->n_sent);
        ck_assert(run.result.stopped == (run.plan->n_servers == 1));
        for (size_t i = 0; i < run.plan->n_queries; i++)
            if (run.result.log->queries[i].fate == LIVE_LOST)
                ck_assert_uint_eq(run.result.log->queries[i].server, 0);
    }
    release(&run);
}
END_TEST

static bool stops_at_once(void *user)
{
    return *(int *)user == suite_mpi_rank();
}

// Whichever rank is asked to stop: it is over everywhere, and what arrived is answered.
START_TEST(stops)
{
    for (int asked = 0; asked < suite_mpi_size(); asked++) {
        struct run run;
        struct serve_config config = usual;
        config.stops = stops_at_once;
        config.user = &asked;
        serve(&run, &config, "balancer.policy=random", "duration=60s");
        ck_assert_msg(run.rc == 0, "%s", run.err.text);
        if (suite_mpi_rank() == 0) {
            check_log(&run);
            ck_assert(run.result.stopped);
            ck_assert_int_lt(run.result.end_ns, 30 * SIMTIME_S);
            ck_assert_uint_lt(run.result.counts.n_sent, run.plan->n_queries);
            ck_assert_uint_eq(run.result.counts.n_ended, run.result.counts.n_sent);
        }
        release(&run);
    }
}
END_TEST

// Servers that are too slow: what finds a full queue is refused, what waits at the end is left.
START_TEST(too_slow)
{
    struct run run;
    struct serve_config config = usual;
    config.grace_ns = 0;
    config.most_waiting = 5;
    serve(&run, &config, "balancer.policy=round-robin", "fleet.groups[0].cost.fixed=5ms");
    ck_assert_msg(run.rc == 0, "%s", run.err.text);
    if (suite_mpi_rank() == 0) {
        check_log(&run);
        ck_assert_uint_gt(run.result.counts.n_waiting, 0);
        ck_assert_uint_gt(run.result.counts.n_refused, 0);
    }
    release(&run);
}
END_TEST

static int no_engine(void *state, const struct engine_setup *setup, struct engine_facts *facts,
                     struct err *err)
{
    if (suite_mpi_rank() == 1)
        return err_set(err, ERR_STUDY, "no library");
    return engine_spin.open(state, setup, facts, err);
}

// An engine that does not open on one rank is the same error on all, and nobody hangs.
START_TEST(no_engine_on_one)
{
    struct run run;
    struct serve_config config = usual;
    struct engine_type broken = engine_spin;
    broken.open = no_engine;
    config.engine = &broken;
    serve(&run, &config, NULL, NULL);
    ck_assert_int_eq(run.rc, -1);
    ck_assert_str_eq(run.err.text, "service a: no library");
    release(&run);
}
END_TEST

// Workers of two cores each: they serve where there are as many, and else every rank says the same.
START_TEST(teams)
{
    struct topology topology;
    struct run run;
    topology_read(&topology);
    serve_with(&run, &usual, 2, NULL, NULL);
    if (topology.n_cores < 2 * ((size_t)suite_mpi_size() - 1)) {
        ck_assert_int_eq(run.rc, -1);
        ck_assert_msg(strstr(run.err.text, "each of 1 worker of 2 cores"), "%s", run.err.text);
        ck_assert_int_eq(run.err.code, ERR_STUDY);
    } else {
        ck_assert_msg(run.rc == 0, "%s", run.err.text);
        if (suite_mpi_rank() == 0) {
            check_log(&run);
            ck_assert_uint_eq(run.result.cores_per_worker, 2);
            ck_assert_uint_gt(run.result.counts.n_ended, 0);
            ck_assert_uint_eq(run.result.counts.n_ended, run.result.counts.n_sent);
        }
    }
    release(&run);
    topology_release(&topology);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", routes_as_simulated},
                                       {"core", learns_what_ended},
                                       {"core", results},
                                       {"core", stops},
                                       {"core", teams},
                                       {"limits", too_slow},
                                       {"errors", server_fails},
                                       {"errors", no_engine_on_one}};
    return suite_mpi_run(&argc, &argv, "fleet_serve", tests, sizeof tests / sizeof *tests);
}
