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
            waiting_push(&waiting, &query, 0);
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
        waiting_push(&waiting, &query, 0);
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

// The smallest key first, the first to come among equals, those that are deferred behind all of
// their new key: against a list that is searched.
START_TEST(by_key)
{
    enum { MOST = 3000 };
    static struct {
        int64_t key, since;
        uint64_t seq;
    } list[MOST];
    struct waiting waiting = {0};
    uint64_t pushed = 0;
    uint32_t n = 0;
    int64_t since = 0;
    for (int i = 0; i < 2 * MOST; i++) {
        uint32_t first = 0, what = (uint32_t)i * 7919 % 13;
        for (uint32_t j = 1; j < n; j++)
            if (list[j].key < list[first].key ||
                (list[j].key == list[first].key && list[j].since < list[first].since))
                first = j;
        if (n > 0)
            ck_assert_uint_eq(waiting_at(&waiting, 0)->query.seq, list[first].seq);
        if (n == 0 || what < (i / 1000 % 2 ? 5 : 8)) {
            struct query query = numbered(pushed++);
            list[n].key = (int64_t)(query.seq * 31 % 11) - 5;
            list[n].since = since++;
            list[n].seq = query.seq;
            waiting_push(&waiting, &query, list[n++].key);
        } else if (what == 9) {
            list[first].key += 3;
            list[first].since = since++;
            waiting_defer(&waiting, list[first].key);
        } else {
            list[first] = list[--n];
            waiting_pop(&waiting);
        }
        ck_assert_uint_eq(waiting.n, n);
    }
    ck_assert_uint_gt(n, 100);
    waiting_release(&waiting);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", order}, {"core", by_key}, {"core", saved}};
    return suite_run("waiting", tests, sizeof tests / sizeof *tests);
}
