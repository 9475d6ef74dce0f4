// SPDX-License-Identifier: Apache-2.0
// Where the run has begun long ago, all of its queries have come when somebody looks, so that what
// happens does not depend on the clock.
#include "live/live_server.h"

#include <pthread.h>

#include "base/simtime.h"
#include "live/live_clock.h"
#include "live/live_fixture.h"
#include "support/suite.h"

struct shop {
    struct study *study;
    struct live_plan *plan;
    struct live_log *log;
    struct live_server *server;
};

static void open_shop(struct shop *shop, const char *setting, struct live_server_config config)
{
    shop->study = live_fixture_study(setting, NULL, NULL);
    shop->plan = live_fixture_plan(shop->study);
    shop->log = config.log = live_log_create(shop->plan);
    shop->server = live_server_create(&config);
}

static void close_shop(struct shop *shop)
{
    live_fixture_check(shop->log);
    live_server_destroy(shop->server);
    live_log_destroy(shop->log);
    live_plan_destroy(shop->plan);
    study_destroy(shop->study);
}

static void start_long_ago(struct shop *shop)
{
    live_server_start(shop->server, live_clock_ns() - 10 * SIMTIME_S);
}

static bool next(struct shop *shop, struct live_job *job)
{
    bool more = live_server_next(shop->server, job);
    if (more)
        job->request.begin_ns = job->request.end_ns = live_server_now_ns(shop->server);
    return more;
}

// One worker takes all queries in order, in requests of B items; they arrived when they should
// have, and all of them end.
START_TEST(takes_all)
{
    struct shop shop;
    struct live_job job = {.worker = 1};
    open_shop(&shop, NULL,
              (struct live_server_config){.most_waiting = 1000, .takes_arrivals = true});
    start_long_ago(&shop);
    live_server_close(shop.server, shop.plan->fleet->duration_ns);
    for (size_t n = 0; next(&shop, &job); n++) {
        ck_assert_uint_eq(job.number, n);
        ck_assert_uint_eq(job.queries[0], n / 3);
        ck_assert_uint_eq(job.request.n_items, n % 3 == 2 ? 8 : 16);
    }
    ck_assert(live_server_is_done(shop.server));
    ck_assert_uint_eq(shop.log->n_requests, 3 * shop.plan->n_queries);
    ck_assert_uint_eq(live_log_count(shop.log).n_ended, shop.plan->n_queries);
    for (size_t i = 0; i < shop.plan->n_queries; i++)
        ck_assert_int_eq(shop.log->queries[i].arrive_ns, shop.plan->queries[i].arrive_ns);
    close_shop(&shop);
}
END_TEST

// Coalesced: requests are filled from several queries.
START_TEST(merges)
{
    struct shop shop;
    struct live_job job = {.worker = 0};
    open_shop(&shop, "fleet.groups[0].scheduler={policy: coalesce, batch_items: 100}",
              (struct live_server_config){.most_waiting = 1000, .takes_arrivals = true});
    start_long_ago(&shop);
    live_server_close(shop.server, shop.plan->fleet->duration_ns);
    ck_assert(next(&shop, &job));
    ck_assert_uint_eq(job.request.n_queries, 3);
    ck_assert_uint_eq(job.request.n_items, 100);
    while (next(&shop, &job))
        ;
    ck_assert_uint_eq(live_log_count(shop.log).n_ended, shop.plan->n_queries);
    ck_assert_uint_eq(shop.log->queries[0].n_batch, 3);
    close_shop(&shop);
}
END_TEST

// A queue of five takes five, and refuses the others by count.
START_TEST(refuses)
{
    struct shop shop;
    struct live_job job = {.worker = 0};
    open_shop(&shop, NULL, (struct live_server_config){.most_waiting = 5, .takes_arrivals = true});
    start_long_ago(&shop);
    live_server_close(shop.server, shop.plan->fleet->duration_ns);
    while (next(&shop, &job))
        ;
    const struct live_counts counts = live_log_count(shop.log);
    ck_assert_uint_eq(counts.n_ended, 5);
    ck_assert_uint_eq(counts.n_refused, shop.plan->n_queries - 5);
    close_shop(&shop);
}
END_TEST

// Of two workers one fails with a request: its query is lost, and the other takes all else. When it
// fails as well, what waits is lost, and whatever comes later.
START_TEST(fails)
{
    struct shop shop;
    struct live_job job = {.worker = 0}, other = {.worker = 1};
    open_shop(&shop, NULL,
              (struct live_server_config){.most_waiting = 1000, .takes_arrivals = true});
    start_long_ago(&shop);
    live_server_close(shop.server, shop.plan->fleet->duration_ns / 2);
    ck_assert(next(&shop, &job));
    ck_assert(next(&shop, &other));
    live_server_fail(shop.server, &job);
    ck_assert_uint_eq(live_server_n_alive(shop.server), 1);
    ck_assert_uint_eq(live_log_count(shop.log).n_lost, 1);
    for (int i = 0; i < 10; i++)
        ck_assert(next(&shop, &other));
    live_server_fail(shop.server, &other);
    ck_assert(live_server_is_done(shop.server));
    const struct live_counts counts = live_log_count(shop.log);
    ck_assert_uint_eq(counts.n_ended,
                      2); // three requests each: of the next, the last was under way
    ck_assert_uint_eq(counts.n_waiting, 0);
    ck_assert_uint_eq(counts.n_lost, counts.n_sent - 2);
    ck_assert_uint_lt(counts.n_sent, shop.plan->n_queries);
    close_shop(&shop);
}
END_TEST

// Left with things waiting, workers end at once, and what waits is counted as that.
START_TEST(abandons)
{
    struct shop shop;
    struct live_job job = {.worker = 0};
    open_shop(&shop, NULL,
              (struct live_server_config){.most_waiting = 1000, .takes_arrivals = true});
    start_long_ago(&shop);
    ck_assert(next(&shop, &job));
    live_server_abandon(shop.server);
    ck_assert(!next(&shop, &job));
    ck_assert_uint_eq(live_log_count(shop.log).n_waiting, shop.plan->n_queries);
    close_shop(&shop);
}
END_TEST

struct hand {
    struct shop *shop;
    struct live_job job;
    pthread_t thread;
};

static void *work(void *user)
{
    struct hand *hand = user;
    while (next(hand->shop, &hand->job))
        ;
    return NULL;
}

// Two workers at once, asleep or not when idle, with a thread that sends or without: all queries
// end, in time and in order.
START_TEST(threads)
{
    for (int mode = 0; mode < 4; mode++) {
        struct shop shop;
        struct hand hands[2] = {{&shop, {.worker = 0}, 0}, {&shop, {.worker = 1}, 0}};
        bool sends = mode & 1;
        open_shop(&shop, NULL,
                  (struct live_server_config){
                      .most_waiting = 1000, .takes_arrivals = !sends, .idle_sleeps = mode & 2});
        live_server_start(shop.server, live_clock_ns());
        for (int i = 0; i < 2; i++)
            ck_assert_int_eq(pthread_create(&hands[i].thread, NULL, work, &hands[i]), 0);
        for (size_t i = 0; sends && i < shop.plan->n_queries / 2; i++) {
            live_clock_wait(live_server_start_ns(shop.server) + shop.plan->queries[i].arrive_ns, 0);
            live_server_send(shop.server, i);
        }
        live_server_close(shop.server, shop.plan->fleet->duration_ns);
        for (int i = 0; i < 2; i++)
            pthread_join(hands[i].thread, NULL);
        const struct live_counts counts = live_log_count(shop.log);
        ck_assert_uint_eq(counts.n_sent, shop.plan->n_queries / (sends ? 2 : 1));
        ck_assert_uint_eq(counts.n_ended, counts.n_sent);
        close_shop(&shop);
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", takes_all},  {"core", merges},
                                       {"core", threads},    {"limits", refuses},
                                       {"limits", abandons}, {"errors", fails}};
    return suite_run("live_server", tests, sizeof tests / sizeof *tests);
}
