// SPDX-License-Identifier: Apache-2.0
#include "live/serve.h"

#include <string.h>

#include "base/simtime.h"
#include "live/live_fixture.h"
#include "live/topology.h"
#include "support/suite.h"

static const struct serve_config usual = {
    .engine = &engine_spin, .rests = true, .most_waiting = 1000, .grace_ns = 10 * SIMTIME_S};

static struct serve_result serve(const struct live_plan *plan, const struct serve_config *config)
{
    struct err err = {0};
    struct serve_result result;
    ck_assert_msg(serve_run(plan, config, &result, &err) == 0, "%s", err.text);
    live_fixture_check(result.log);
    return result;
}

// Whoever lets queries in: all of them arrive, in real time, and are answered.
START_TEST(all_answered)
{
    struct study *study = live_fixture_study(NULL, NULL, NULL);
    struct live_plan *plan = live_fixture_plan(study);
    for (int sender = SERVE_SENDER_AUTO; sender <= SERVE_SENDER_WORKERS; sender++) {
        struct serve_config config = usual;
        config.sender = sender;
        struct serve_result result = serve(plan, &config);
        ck_assert(!result.stopped);
        ck_assert_int_eq(result.end_ns, 200 * SIMTIME_MS);
        ck_assert_uint_eq(result.counts.n_ended, result.counts.n_sent);
        if (!result.sent_by_thread)
            ck_assert_uint_eq(result.counts.n_sent, plan->n_queries);
        ck_assert_int_ge(result.counts.busy_ns, (int64_t)result.counts.n_sent * 100 * SIMTIME_US);
        ck_assert_uint_eq(result.n_failed, 0);
        serve_release(&result);
    }
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

// A worker may be a team of several cores: requests take what the study says, as ever, and the
// others' time counts as well. Where there are too few cores, one line says so.
START_TEST(teams)
{
    struct topology topology;
    topology_read(&topology);
    struct study *study =
        live_fixture_study("fleet.groups[0].cores=1", "fleet.groups[0].cores_per_worker=2", NULL);
    struct live_plan *plan = live_fixture_plan(study);
    if (topology.n_cores >= 2) {
        struct serve_result result = serve(plan, &usual);
        ck_assert_uint_eq(result.n_workers, 1);
        ck_assert_uint_eq(result.cores_per_worker, 2);
        ck_assert_uint_eq(result.counts.n_sent, plan->n_queries);
        ck_assert_uint_eq(result.counts.n_ended, plan->n_queries);
        ck_assert_int_ge(result.counts.busy_ns, (int64_t)plan->n_queries * 100 * SIMTIME_US);
        ck_assert_double_ge(result.interference.wall_s,
                            1.99e-9 * (double)plan->n_queries * 100 * SIMTIME_US);
        serve_release(&result);
    }
    live_plan_destroy(plan);
    study_destroy(study);
    topology_release(&topology);
}
END_TEST

START_TEST(refuses_too_few_cores)
{
    struct err err = {0};
    struct serve_result result;
    struct study *study = live_fixture_study("fleet.groups[0].cores_per_worker=1024", NULL, NULL);
    struct live_plan *plan = live_fixture_plan(study);
    ck_assert_int_eq(serve_run(plan, &usual, &result, &err), -1);
    ck_assert_msg(strstr(err.text, "2 workers of 1024 cores each (cores, cores_per_worker): "
                                   "expected at most "),
                  "%s", err.text);
    ck_assert_int_eq(err.code, ERR_STUDY);
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

// Every request runs with its query's history, in each part of it: 20 us, 1 us an item and 2 us for
// each item of the history.
START_TEST(histories)
{
    struct study *study = live_fixture_study(
        "fleet.groups[0].cost={kind: synthetic, fixed: 20us, per_item: 1us, per_history: 2us}",
        "traffic[0].history={distribution: lognormal, mu: 3, sigma: 1, max_items: 100}", NULL);
    struct live_plan *plan = live_fixture_plan(study);
    struct serve_result result = serve(plan, &usual);
    ck_assert_uint_eq(result.counts.n_ended, result.counts.n_sent);
    ck_assert_uint_ge(result.log->n_requests, 3 * result.counts.n_ended);
    uint32_t most = 0;
    for (size_t i = 0; i < result.log->n_requests; i++) {
        const struct live_request *request = &result.log->requests[i];
        int64_t least_us = 20 + request->n_items + 2 * request->history_items;
        ck_assert_int_ge(request->end_ns - request->begin_ns, least_us * SIMTIME_US - SIMTIME_US);
        most = request->history_items > most ? request->history_items : most;
    }
    ck_assert_uint_gt(most, 50);
    serve_release(&result);
    struct serve_config config = usual;
    struct engine_type reads_none = engine_spin;
    struct err err = {0};
    reads_none.reads_history = false;
    config.engine = &reads_none;
    ck_assert_int_eq(serve_run(plan, &config, &result, &err), -1);
    ck_assert_str_eq(err.text,
                     "service a: its queries have histories, which engine spin does not read");
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

static bool stops_at_once(void *user)
{
    ++*(int *)user;
    return true;
}

// Asked to stop, it stops sending, and answers what has arrived.
START_TEST(stops)
{
    int n_asked = 0;
    struct study *study = live_fixture_study("duration=60s", "traffic[0].rate=500qps", NULL);
    struct live_plan *plan = live_fixture_plan(study);
    struct serve_config config = usual;
    config.stops = stops_at_once;
    config.user = &n_asked;
    struct serve_result result = serve(plan, &config);
    ck_assert_int_eq(n_asked, 1);
    ck_assert(result.stopped);
    ck_assert_int_ge(result.end_ns, 0); // also when it is asked before the start
    ck_assert_int_lt(result.end_ns, 30 * SIMTIME_S);
    ck_assert_uint_lt(result.counts.n_sent, plan->n_queries);
    ck_assert_uint_eq(result.counts.n_ended, result.counts.n_sent);
    serve_release(&result);
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

// A server that is too slow has more than it can answer when it ends: what waits after the grace is
// left, and counted.
START_TEST(too_slow)
{
    struct study *study = live_fixture_study("fleet.groups[0].cost.fixed=2ms", NULL, NULL);
    struct live_plan *plan = live_fixture_plan(study);
    struct serve_config config = usual;
    config.grace_ns = 0;
    config.most_waiting = 20;
    struct serve_result result = serve(plan, &config);
    ck_assert_uint_gt(result.counts.n_waiting, 0);
    ck_assert_uint_gt(result.counts.n_refused, 0);
    ck_assert_uint_gt(result.counts.n_ended, 0);
    serve_release(&result);
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

// The worker that fails takes one query with it; the only one takes all, and the run is over.
START_TEST(worker_fails)
{
    for (int cores = 1; cores <= 2; cores++) {
        struct study *study = live_fixture_study(cores == 1 ? "fleet.groups[0].cores=1" : NULL,
                                                 "duration=400ms", "traffic[0].rate=200qps");
        struct live_plan *plan = live_fixture_plan(study);
        struct serve_config config = usual;
        config.fail_after = 5;
        struct serve_result result = serve(plan, &config);
        ck_assert_uint_eq(result.n_failed, 1);
        ck_assert(result.stopped == (cores == 1));
        ck_assert_uint_ge(result.counts.n_lost, 1);
        ck_assert_uint_eq(result.counts.n_ended + result.counts.n_lost, result.counts.n_sent);
        if (cores == 2)
            ck_assert_uint_eq(result.counts.n_lost, 1);
        serve_release(&result);
        live_plan_destroy(plan);
        study_destroy(study);
    }
}
END_TEST

static int no_engine(void *state, const struct engine_setup *setup, struct engine_facts *facts,
                     struct err *err)
{
    (void)state;
    (void)setup;
    (void)facts;
    return err_set(err, ERR_STUDY, "no library");
}

// An engine that does not open is an error that names the service.
START_TEST(no_engine_at_all)
{
    struct err err = {0};
    struct study *study = live_fixture_study(NULL, NULL, NULL);
    struct live_plan *plan = live_fixture_plan(study);
    struct engine_type broken = engine_spin;
    struct serve_config config = usual;
    struct serve_result result;
    broken.open = no_engine;
    config.engine = &broken;
    ck_assert_int_eq(serve_run(plan, &config, &result, &err), -1);
    ck_assert_str_eq(err.text, "service a: no library");
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", all_answered},
                                       {"core", histories},
                                       {"core", stops},
                                       {"core", teams},
                                       {"limits", too_slow},
                                       {"errors", worker_fails},
                                       {"errors", refuses_too_few_cores},
                                       {"errors", no_engine_at_all}};
    return suite_run("serve", tests, sizeof tests / sizeof *tests);
}
