// SPDX-License-Identifier: Apache-2.0
#include "cluster/waiting.h"

#include "base/mem.h"
#include "support/suite.h"

static struct query numbered(uint64_t seq)
{
    return (struct query){.seq = seq, .size_items = (uint16_t)(seq % 7 + 1)};
}

// First come first served over many turns of the ring, with the sum of what is left.
START_TEST(order)
{
    struct waiting waiting = {0};
    uint64_t pushed = 0, popped = 0, n_items = 0;
    for (int i = 0; i < 5000; i++) {
        bool push = waiting.n == 0 || (i * 7919 % 13 < (i / 1000 % 2 ? 5 : 8));
        if (push) {
            struct query query = numbered(pushed++);
            waiting_push(&waiting, &query);
            n_items += query.size_items;
        } else {
            ck_assert_uint_eq(waiting_at(&waiting, 0)->query.seq, popped);
            n_items -= numbered(popped++).size_items;
            waiting_pop(&waiting);
        }
        ck_assert_uint_eq(waiting.n, pushed - popped);
        ck_assert_uint_eq(waiting.n_items, n_items);
        if (waiting.n > 0)
            ck_assert_uint_eq(waiting_at(&waiting, waiting.n - 1)->query.seq, pushed - 1);
    }
    ck_assert_uint_gt(waiting.n, 100);
    waiting_release(&waiting);
    ck_assert_uint_eq(waiting.n, 0);
}
END_TEST

// As bytes and back, with a query that has partly left; nonsense is refused.
START_TEST(saved)
{
    struct waiting waiting = {0}, loaded = {0}, bad = {0};
    struct blob blob = {0};
    for (uint64_t i = 0; i < 21; i++) {
        struct query query = numbered(6);
        query.seq = i;
        waiting_push(&waiting, &query);
        if (i == 4)
            waiting_pop(&waiting);
    }
    struct waiting_query *oldest = waiting_at(&waiting, 0);
    oldest->left_items = 3;
    oldest->finish_ns = 77;
    waiting.n_items -= 4;
    waiting_save(&waiting, &blob);
    struct blob_reader reader = blob_read(blob.bytes, blob.n);
    waiting_load(&loaded, &reader);
    ck_assert_int_eq(blob_end(&reader, NULL), 0);
    ck_assert_uint_eq(loaded.n, 20);
    ck_assert_uint_eq(loaded.n_items, waiting.n_items);
    for (uint32_t i = 0; i < loaded.n; i++)
        ck_assert_mem_eq(waiting_at(&loaded, i), waiting_at(&waiting, i),
                         sizeof(struct waiting_query));
    oldest->left_items = 0;
    blob_clear(&blob);
    waiting_save(&waiting, &blob);
    reader = blob_read(blob.bytes, blob.n);
    waiting_load(&bad, &reader);
    ck_assert_int_ne(blob_end(&reader, NULL), 0);
    reader = blob_read(blob.bytes, blob.n - 1);
    waiting_load(&bad, &reader);
    ck_assert_int_ne(blob_end(&reader, NULL), 0);
    blob_release(&blob);
    waiting_release(&waiting);
    waiting_release(&loaded);
    waiting_release(&bad);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", order}, {"core", saved}};
    return suite_run("waiting", tests, sizeof tests / sizeof *tests);
}
