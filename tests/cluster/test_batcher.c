// SPDX-License-Identifier: Apache-2.0
#include "cluster/batcher.h"

#include <string.h>

#include "support/suite.h"

enum { N_SERVICES = 2 };

// The queues of one server, 10 ns away, with rules that a test may change.
struct shop {
    struct waiting waiting[N_SERVICES];
    int64_t full_ns[N_SERVICES];
    struct batcher_rule rules[N_SERVICES][N_PLACES];
    enum order orders[N_SERVICES];
    uint64_t n_queries;
};

static struct batcher open_shop(struct shop *shop, const struct batcher_rule *rule)
{
    memset(shop, 0, sizeof *shop);
    for (uint32_t i = 0; i < N_SERVICES; i++) {
        shop->full_ns[i] = SIMTIME_NEVER;
        shop->rules[i][PLACE_CORES] = *rule;
    }
    return (struct batcher){.waiting = shop->waiting,
                            .full_ns = shop->full_ns,
                            .rules = (const struct batcher_rule(*)[N_PLACES])shop->rules,
                            .orders = shop->orders,
                            .n_services = N_SERVICES,
                            .dispatch_delay_ns = 10};
}

static void come(const struct batcher *batcher, struct shop *shop, uint16_t service,
                 int64_t arrive_ns, uint16_t items)
{
    const struct query query = {
        .arrive_ns = arrive_ns, .seq = shop->n_queries++, .size_items = items, .service = service};
    waiting_push(&shop->waiting[service], &query,
                 batcher_key(shop->orders[service], &query, 0, NULL));
    batcher_find_full(batcher, service);
}

static void close_shop(struct shop *shop)
{
    for (uint32_t i = 0; i < N_SERVICES; i++)
        waiting_release(&shop->waiting[i]);
}

static const struct batcher_rule pull = {
    .used = true, .splits = true, .most_items = 10, .most_queries = UINT32_MAX};
static const struct batcher_rule whole = {
    .used = true, .merges = true, .most_items = 10, .most_queries = 3, .delay_ns = 100};

// The queue whose first query came first is next, of two that came together that of the service
// that is named first; a place that is not used, and empty queues, have no turn.
START_TEST(turns)
{
    struct shop shop;
    struct batcher batcher = open_shop(&shop, &pull);
    ck_assert_int_eq(batcher_turn(&batcher, PLACE_CORES).due_ns, SIMTIME_NEVER);
    come(&batcher, &shop, 1, 50, 3);
    ck_assert_int_eq(batcher_turn(&batcher, PLACE_CORES).due_ns, 60);
    ck_assert_uint_eq(batcher_turn(&batcher, PLACE_CORES).service, 1);
    come(&batcher, &shop, 0, 50, 3);
    ck_assert_uint_eq(batcher_turn(&batcher, PLACE_CORES).service, 0);
    ck_assert_int_eq(batcher_turn(&batcher, PLACE_ACCEL).due_ns, SIMTIME_NEVER);
    close_shop(&shop);
}
END_TEST

// One query at a time, cut at the most; or several, whole or cut, as many as may be.
START_TEST(takes)
{
    struct shop shop;
    struct batcher batcher = open_shop(&shop, &pull);
    come(&batcher, &shop, 0, 0, 14);
    come(&batcher, &shop, 0, 1, 5);
    struct batcher_taken taken = batcher_take(&shop.waiting[0], &pull);
    ck_assert_uint_eq(taken.n_queries, 1);
    ck_assert_uint_eq(taken.n_items, 10);
    ck_assert_uint_eq(taken.rest, 4);
    waiting_at(&shop.waiting[0], 0)->left_items = 4;
    struct batcher_rule merging = pull;
    merging.merges = true;
    taken = batcher_take(&shop.waiting[0], &merging);
    ck_assert_uint_eq(taken.n_queries, 2);
    ck_assert_uint_eq(taken.n_items, 9);
    ck_assert_uint_eq(taken.rest, 0);
    merging.most_items = 6;
    taken = batcher_take(&shop.waiting[0], &merging);
    ck_assert_uint_eq(taken.n_items, 6);
    ck_assert_uint_eq(taken.rest, 3);
    merging.most_queries = 1;
    ck_assert_uint_eq(batcher_take(&shop.waiting[0], &merging).n_items, 4);
    merging = whole;
    merging.most_items = 6;
    ck_assert_uint_eq(batcher_take(&shop.waiting[0], &merging).n_queries, 1);
    waiting_at(&shop.waiting[0], 0)->left_items = 14; // alone it is a batch however large
    ck_assert_uint_eq(batcher_take(&shop.waiting[0], &merging).n_items, 14);
    close_shop(&shop);
}
END_TEST

// A batch that is not full waits for its oldest query; a full one is due when it became full, by
// items or by queries, but not before its oldest is there.
START_TEST(patience)
{
    struct shop shop;
    struct batcher batcher = open_shop(&shop, &whole);
    come(&batcher, &shop, 0, 0, 4);
    come(&batcher, &shop, 0, 20, 4);
    ck_assert_int_eq(shop.full_ns[0], SIMTIME_NEVER);
    ck_assert_int_eq(batcher_turn(&batcher, PLACE_CORES).due_ns, 110);
    come(&batcher, &shop, 0, 30, 1); // three queries
    ck_assert_int_eq(shop.full_ns[0], 40);
    ck_assert_int_eq(batcher_turn(&batcher, PLACE_CORES).due_ns, 40);
    come(&batcher, &shop, 1, 5, 9);
    come(&batcher, &shop, 1, 7, 2); // eleven items
    ck_assert_int_eq(batcher_turn(&batcher, PLACE_CORES).due_ns, 17);
    ck_assert_uint_eq(batcher_turn(&batcher, PLACE_CORES).service, 1);
    shop.rules[0][PLACE_CORES].delay_ns = 0; // at once, so it does not matter when it was full
    batcher_find_full(&batcher, 0);
    ck_assert_int_eq(shop.full_ns[0], SIMTIME_NEVER);
    ck_assert_int_eq(batcher_turn(&batcher, PLACE_CORES).due_ns, 10);
    close_shop(&shop);
}
END_TEST

// late-last: those whose target has passed go behind the others, once, and keep their order.
START_TEST(late_last)
{
    struct shop shop;
    struct batcher batcher = open_shop(&shop, &pull);
    for (int64_t i = 0; i < 4; i++)
        come(&batcher, &shop, 0, 10 * i, 1);
    batcher_pass_late(&batcher, 0, 100, 112); // not the order: no effect
    ck_assert_uint_eq(waiting_at(&shop.waiting[0], 0)->query.seq, 0);
    shop.orders[0] = ORDER_LATE_LAST;
    batcher_pass_late(&batcher, 0, 0, 112); // no target, likewise
    ck_assert_uint_eq(waiting_at(&shop.waiting[0], 0)->query.seq, 0);
    static const uint64_t order[] = {2, 3, 0, 1};
    for (int again = 0; again < 2; again++) {
        batcher_pass_late(&batcher, 0, 100, 112);
        for (uint32_t i = 0; i < 4; i++)
            ck_assert_uint_eq(waiting_at(&shop.waiting[0], i)->query.seq, order[i]);
    }
    batcher_pass_late(&batcher, 0, 100, 1000); // all of them
    ck_assert_uint_eq(waiting_at(&shop.waiting[0], 0)->query.seq, 0);
    close_shop(&shop);
}
END_TEST

// Which goes first: the shortest, or the one with the least time left after its work.
START_TEST(keys)
{
    int64_t work_ns[] = {0, 100, 200, 300};
    const struct svctab tab = {.max_items = 3, .work_ns = work_ns};
    const struct query query = {.arrive_ns = 1000, .size_items = 3};
    ck_assert_int_eq(batcher_key(ORDER_FCFS, &query, 500, &tab), 0);
    ck_assert_int_eq(batcher_key(ORDER_LATE_LAST, &query, 500, &tab), 0);
    ck_assert_int_eq(batcher_key(ORDER_SHORTEST, &query, 500, &tab), 3);
    ck_assert_int_eq(batcher_key(ORDER_LEAST_SLACK, &query, 500, &tab), 1200);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", turns},
                                       {"core", takes},
                                       {"core", keys},
                                       {"limits", patience},
                                       {"limits", late_last}};
    return suite_run("batcher", tests, sizeof tests / sizeof *tests);
}
