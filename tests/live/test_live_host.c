// SPDX-License-Identifier: Apache-2.0
// serve and fleet_serve run whole hosts; here is what they leave out.
#include "live/live_host.h"

#include <string.h>

#include "base/simtime.h"
#include "live/live_clock.h"
#include "live/live_fixture.h"
#include "support/suite.h"

static const int any[] = {-1, -1};
static const struct engine_setup setup;

struct shop {
    struct study *study;
    struct live_plan *plan;
    struct live_log *log;
    struct live_host host;
};

static void make(struct shop *shop, const struct engine_type *engine)
{
    shop->study = live_fixture_study(NULL, NULL, NULL);
    shop->plan = live_fixture_plan(shop->study);
    shop->log = live_log_create(shop->plan);
    const struct live_server_config config = {.log = shop->log,
                                              .most_waiting = 1000,
                                              .is_posted = true,
                                              .number = 3,
                                              .idle_sleeps = true};
    shop->host = (struct live_host){.server = live_server_create(&config),
                                    .plan = shop->plan,
                                    .engine = engine,
                                    .setup = &setup,
                                    .cpus = any,
                                    .rests = true};
}

static void release(struct shop *shop)
{
    live_server_destroy(shop->host.server);
    live_log_destroy(shop->log);
    live_plan_destroy(shop->plan);
    study_destroy(shop->study);
}

// Queries that are posted are run, and are all answered when it has ended.
START_TEST(runs)
{
    struct shop shop;
    struct err err = {0};
    const struct live_settled *list;
    make(&shop, &engine_spin);
    ck_assert_int_eq(live_host_open(&shop.host, &err), 0);
    live_server_start(shop.host.server, live_clock_ns());
    live_host_begin(&shop.host);
    for (size_t i = 0; i < 10; i++)
        live_server_post(shop.host.server, i, (int64_t)i);
    live_host_end(&shop.host, SIMTIME_S, 20 * SIMTIME_S);
    live_host_close(&shop.host);
    ck_assert_uint_eq(live_log_count(shop.log).n_ended, 10);
    ck_assert_uint_eq(live_server_settled(shop.host.server, &list), 10);
    ck_assert_uint_eq(shop.log->n_requests, 30);
    ck_assert_uint_eq(shop.log->requests[29].server, 3);
    ck_assert_uint_eq(shop.log->queries[9].server, 3);
    ck_assert_uint_eq(shop.host.n_failed, 0);
    release(&shop);
}
END_TEST

// Closed before it has begun, its workers give up.
START_TEST(given_up)
{
    struct shop shop;
    struct err err = {0};
    make(&shop, &engine_spin);
    ck_assert_int_eq(live_host_open(&shop.host, &err), 0);
    live_host_close(&shop.host);
    ck_assert_uint_eq(shop.log->n_requests, 0);
    release(&shop);
}
END_TEST

static int no_engine(void *state, const struct engine_setup *wanted, struct engine_facts *facts,
                     struct err *err)
{
    (void)state;
    (void)wanted;
    (void)facts;
    return err_set(err, ERR_STUDY, "no library");
}

// An engine that does not open is said, and there is nothing to join.
START_TEST(no_engine_at_all)
{
    struct shop shop;
    struct err err = {0};
    struct engine_type broken = engine_spin;
    broken.open = no_engine;
    make(&shop, &broken);
    ck_assert_int_eq(live_host_open(&shop.host, &err), -1);
    ck_assert_str_eq(err.text, "service a: no library");
    live_host_close(&shop.host);
    release(&shop);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", runs}, {"limits", given_up}, {"errors", no_engine_at_all}};
    return suite_run("live_host", tests, sizeof tests / sizeof *tests);
}
