// SPDX-License-Identifier: Apache-2.0
#include "live/live_load.h"

#include "base/simtime.h"
#include "live/live_clock.h"
#include "live/live_fixture.h"
#include "support/suite.h"

static bool stops_later(void *user)
{
    return live_clock_ns() > *(const int64_t *)user;
}

// Nothing is sent before its time; how late it was is known by quantile. Asked to stop, it does.
START_TEST(sends)
{
    struct study *study = live_fixture_study(NULL, NULL, NULL);
    struct live_plan *plan = live_fixture_plan(study);
    for (int stops = 0; stops < 2; stops++) {
        struct live_log *log = live_log_create(plan);
        struct live_server *server =
            live_server_create(&(struct live_server_config){.log = log, .most_waiting = 1000});
        live_server_start(server, live_clock_ns() + SIMTIME_MS);
        int64_t until_ns = live_server_start_ns(server) + 50 * SIMTIME_MS;
        struct live_load load = {.server = server,
                                 .plan = plan,
                                 .cpu = -1,
                                 .stops = stops ? stops_later : NULL,
                                 .user = &until_ns};
        live_load_send(&load);
        ck_assert(load.stopped == (stops == 1));
        ck_assert_uint_le(load.n_sent, plan->n_queries);
        ck_assert(stops || load.n_sent == plan->n_queries);
        for (size_t i = 0; i < load.n_sent; i++)
            if (log->queries[i].fate == LIVE_WAITING)
                ck_assert_int_ge(log->queries[i].arrive_ns, plan->queries[i].arrive_ns);
        int64_t p50_ns = live_load_lateness_ns(log, 0.5), p99_ns = live_load_lateness_ns(log, 0.99);
        ck_assert_int_ge(p50_ns, 0);
        ck_assert_int_ge(p99_ns, p50_ns);
        ck_assert_int_ge(live_load_lateness_ns(log, 1), p99_ns);
        live_server_destroy(server);
        live_log_destroy(log);
    }
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

// Of nothing that was sent nothing was late.
START_TEST(nothing)
{
    struct study *study = live_fixture_study(NULL, NULL, NULL);
    struct live_plan *plan = live_fixture_plan(study);
    struct live_log *log = live_log_create(plan);
    ck_assert_int_eq(live_load_lateness_ns(log, 0.99), 0);
    live_log_destroy(log);
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", sends}, {"limits", nothing}};
    return suite_run("live_load", tests, sizeof tests / sizeof *tests);
}
