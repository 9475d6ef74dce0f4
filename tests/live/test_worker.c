// SPDX-License-Identifier: Apache-2.0
#include "live/worker.h"

#include <string.h>

#include "base/simtime.h"
#include "live/live_clock.h"
#include "live/live_fixture.h"
#include "support/suite.h"

static const int any[] = {-1, -1};

static int no_worker(const void *state, void *worker, const struct engine_limits *most,
                     struct err *err)
{
    (void)state;
    (void)worker;
    return err_set(err, ERR_FAIL, "no room for %u items", most->items);
}

static struct engine *open_spin(const struct live_plan *plan, const struct engine_type *type)
{
    const struct engine_setup setup = {.cost = plan->fleet->groups[0].costs[0]};
    struct engine *engine = engine_open(type, &setup, NULL);
    ck_assert_ptr_nonnull(engine);
    return engine;
}

// All queries of a plan, long ago, by one worker: they take no less than they should, and what the
// worker says of itself fits them. The one that is to fail after five does so with the sixth.
START_TEST(works)
{
    for (int fails = 0; fails < 2; fails++) {
        struct study *study = live_fixture_study("fleet.groups[0].cores=1", NULL, NULL);
        struct live_plan *plan = live_fixture_plan(study);
        struct live_log *log = live_log_create(plan);
        struct live_server *server = live_server_create(
            &(struct live_server_config){.log = log, .most_waiting = 1000, .takes_arrivals = true});
        struct engine *engine = open_spin(plan, &engine_spin);
        struct worker_gate gate;
        struct worker worker = {.server = server,
                                .plan = plan,
                                .engines = &engine,
                                .gate = &gate,
                                .cpus = any,
                                .rests = fails,
                                .fail_after = fails ? 5 : 0};
        worker_gate_init(&gate, 1);
        ck_assert_int_eq(worker_start(&worker, NULL), 0);
        ck_assert_int_eq(worker_gate_wait(&gate, NULL), 0);
        live_server_start(server, live_clock_ns() - SIMTIME_S);
        live_server_close(server, plan->fleet->duration_ns);
        worker_gate_open(&gate);
        worker_join(&worker);
        ck_assert(worker.failed == (fails == 1));
        ck_assert_uint_eq(worker.n_requests, fails ? 5 : 3 * plan->n_queries);
        for (size_t i = 0; i < worker.n_requests; i++)
            ck_assert_int_ge(log->requests[i].end_ns - log->requests[i].begin_ns, 28 * SIMTIME_US);
        ck_assert_double_gt(worker.interference.wall_s, 5 * 28e-6);
        live_fixture_check(log);
        worker_gate_release(&gate);
        engine_close(engine);
        live_server_destroy(server);
        live_log_destroy(log);
        live_plan_destroy(plan);
        study_destroy(study);
    }
}
END_TEST

// A worker that cannot open its engine says why at the gate, and nobody begins.
START_TEST(breaks)
{
    struct study *study = live_fixture_study(NULL, NULL, NULL);
    struct live_plan *plan = live_fixture_plan(study);
    struct engine_type broken = engine_spin;
    broken.worker_open = no_worker;
    struct engine *bad = open_spin(plan, &broken), *good = open_spin(plan, &engine_spin);
    struct worker_gate gate;
    struct worker workers[] = {{.plan = plan, .engines = &good, .gate = &gate, .cpus = any},
                               {.plan = plan, .engines = &bad, .gate = &gate, .cpus = any}};
    struct err err = {0};
    worker_gate_init(&gate, 2);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(worker_start(&workers[i], NULL), 0);
    ck_assert_int_eq(worker_gate_wait(&gate, &err), -1);
    ck_assert_str_eq(err.text, "service a: no room for 16 items");
    for (int i = 0; i < 2; i++)
        worker_join(&workers[i]);
    worker_gate_release(&gate);
    engine_close(bad);
    engine_close(good);
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", works}, {"errors", breaks}};
    return suite_run("worker", tests, sizeof tests / sizeof *tests);
}
