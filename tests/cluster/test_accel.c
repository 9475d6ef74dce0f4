// SPDX-License-Identifier: Apache-2.0
#include "cluster/accel.h"

#include "base/mem.h"
#include "cluster/fixture.h"
#include "support/suite.h"

enum { N_JOBS = 700, N_SERVERS = 3 };

// One server's queries, and when each passes the link and the streams.
struct tandem {
    struct accel_job jobs[N_JOBS];
    struct fixture_request link[N_JOBS], stream[N_JOBS];
    size_t n;
    bool overlap;
};

static int64_t load_ns(void *user, size_t i, uint32_t busy)
{
    (void)busy;
    return ((struct tandem *)user)->jobs[i].load_ns;
}

static int64_t held_ns(void *user, size_t i, uint32_t busy)
{
    const struct tandem *tandem = user;
    (void)busy;
    return tandem->jobs[i].compute_ns + (tandem->overlap ? 0 : tandem->jobs[i].load_ns);
}

// One after the other through the link, then as they come to the streams; without overlap a query
// comes to the streams at once and does both there.
static void simulate(struct tandem *tandem, uint32_t n_streams)
{
    for (size_t i = 0; i < tandem->n; i++)
        tandem->link[i].ready_ns = tandem->stream[i].ready_ns = tandem->jobs[i].start_ns;
    if (tandem->overlap) {
        fixture_fcfs(tandem->link, tandem->n, 1, load_ns, tandem);
        for (size_t i = 0; i < tandem->n; i++)
            tandem->stream[i].ready_ns = tandem->link[i].end_ns;
    }
    fixture_fcfs(tandem->stream, tandem->n, n_streams, held_ns, tandem);
}

static struct accel_job draw_job(uint64_t seed, uint64_t i, int64_t t_ns)
{
    uint32_t load = fixture_draw(seed, 4 * i + 1, 500),
             compute = fixture_draw(seed, 4 * i + 2, 900);
    return (struct accel_job){.start_ns = t_ns,
                              .load_ns = load < 50 ? 0 : load,
                              .compute_ns = compute < 90 ? 0 : compute};
}

static int64_t waited_ns(const struct tandem *tandem, size_t i)
{
    const struct fixture_request *link = &tandem->link[i], *stream = &tandem->stream[i];
    int64_t for_link_ns = tandem->overlap ? link->begin_ns - link->ready_ns : 0;
    return for_link_ns + stream->begin_ns - stream->ready_ns;
}

// Time until a stream is free: when fewer queries are open than there are streams, and no earlier.
static void assert_drain(const struct tandem *tandem, size_t n, uint32_t n_streams, int64_t t_ns,
                         int64_t drain_ns)
{
    int64_t link_ns = 0;
    uint32_t open = 0, open_before = 0;
    for (size_t i = 0; i < n; i++) {
        open += tandem->stream[i].end_ns > t_ns + drain_ns;
        open_before += tandem->stream[i].end_ns > t_ns + drain_ns - 1;
        if (tandem->overlap && tandem->link[i].end_ns > link_ns)
            link_ns = tandem->link[i].end_ns;
    }
    ck_assert_uint_lt(open, n_streams);
    ck_assert_int_ge(t_ns + drain_ns, link_ns);
    ck_assert(drain_ns == 0 || open_before >= n_streams || link_ns == t_ns + drain_ns);
}

// Of the first n queries, what lies beyond t_ns.
static void assert_backlog(const struct tandem *tandem, struct accel_pool *pool, uint32_t server,
                           size_t n, int64_t t_ns)
{
    int64_t backlog_ns = 0, drain_ns;
    for (size_t i = 0; i < n; i++)
        backlog_ns += fixture_overlap_ns(tandem->stream[i].begin_ns, tandem->stream[i].end_ns, t_ns,
                                         INT64_MAX);
    ck_assert_int_eq(accel_backlog_ns(pool, server, t_ns, &drain_ns), backlog_ns);
    assert_drain(tandem, n, pool->n_streams, t_ns, drain_ns);
}

// A random stream of queries over some servers, their backlog asked for now and then.
static void assert_pool(uint64_t seed, uint32_t n_streams, bool overlap, uint32_t gap_ns)
{
    struct accel_pool pool;
    struct tandem *tandems = mem_calloc(N_SERVERS, sizeof *tandems);
    accel_pool_init(&pool, N_SERVERS, n_streams, overlap);
    int64_t t_ns = 0;
    for (uint64_t i = 0; i < N_JOBS; i++) {
        struct tandem *tandem = &tandems[fixture_draw(seed, 4 * i + 3, N_SERVERS)];
        t_ns += fixture_draw(seed, 4 * i, 2 * gap_ns);
        tandem->overlap = overlap;
        tandem->jobs[tandem->n++] = draw_job(seed, i, t_ns);
    }
    for (uint32_t s = 0; s < N_SERVERS; s++) {
        struct tandem *tandem = &tandems[s];
        simulate(tandem, n_streams);
        for (size_t i = 0; i < tandem->n; i++) {
            struct accel_job *job = &tandem->jobs[i];
            if (i % 37 == 36) // between the last query and this one
                assert_backlog(tandem, &pool, s, i, (job[-1].start_ns + job->start_ns) / 2);
            ck_assert_int_eq(accel_assign(&pool, s, job),
                             tandem->stream[i].end_ns - tandem->stream[i].begin_ns);
            ck_assert_int_eq(job->finish_ns, tandem->stream[i].end_ns);
            ck_assert_int_eq(job->wait_ns, waited_ns(tandem, i));
        }
        assert_backlog(tandem, &pool, s, tandem->n, t_ns);
        assert_backlog(tandem, &pool, s, tandem->n, t_ns + 3000);
        assert_backlog(tandem, &pool, s, tandem->n, t_ns + 10 * N_JOBS * gap_ns);
    }
    accel_pool_release(&pool);
    mem_free(tandems);
}

// Load and computation hold a stream together: a first-come first-served queue of the streams.
START_TEST(without_overlap)
{
    static const uint32_t streams[] = {1, 2, 3, 8};
    for (uint64_t i = 0; i < 4; i++)
        for (uint32_t gap_ns = 30; gap_ns < 2000; gap_ns *= 4)
            assert_pool(100 * i + gap_ns, streams[i], false, gap_ns);
}
END_TEST

// The link works ahead of the streams: two such queues in a row.
START_TEST(with_overlap)
{
    static const uint32_t streams[] = {1, 2, 3, 8};
    for (uint64_t i = 0; i < 4; i++)
        for (uint32_t gap_ns = 30; gap_ns < 2000; gap_ns *= 4)
            assert_pool(7 + 100 * i + gap_ns, streams[i], true, gap_ns);
}
END_TEST

// By hand, one stream, 10 ns of load and 30 of computation, three queries at 0: one after the other
// they end at 40, 80 and 120; with overlap at 40, 70 and 100.
START_TEST(by_hand)
{
    for (int overlap = 0; overlap < 2; overlap++) {
        struct accel_pool pool;
        int64_t drain_ns, per_query_ns = overlap ? 30 : 40;
        accel_pool_init(&pool, 1, 1, overlap);
        for (int i = 0; i < 3; i++) {
            struct accel_job job = {.load_ns = 10, .compute_ns = 30};
            ck_assert_int_eq(accel_assign(&pool, 0, &job), per_query_ns);
            ck_assert_int_eq(job.finish_ns, 40 + i * per_query_ns);
            ck_assert_int_eq(job.wait_ns, i * per_query_ns);
        }
        ck_assert_int_eq(accel_backlog_ns(&pool, 0, 50, &drain_ns), overlap ? 50 : 70);
        ck_assert_int_eq(drain_ns, overlap ? 50 : 70);
        accel_pool_release(&pool);
    }
}
END_TEST

// A server that goes down at 45 drops what its streams and its link would do after that, once, and
// both are free when it comes back; what was done before is not touched, nor are other servers.
START_TEST(cut_by_hand)
{
    for (int overlap = 0; overlap < 2; overlap++) {
        struct accel_pool pool;
        int64_t drain_ns;
        accel_pool_init(&pool, 2, 1, overlap);
        for (int i = 0; i < 8; i++) {
            struct accel_job job = {.load_ns = 10, .compute_ns = 30};
            accel_assign(&pool, i % 2 ? 0 : 1, &job);
        }
        // Four queries of 40: 160 - 45; or a copy of 10 and four computations: 10 + 4 x 30 - 45.
        ck_assert_int_eq(accel_cut(&pool, 0, 45), overlap ? 85 : 115);
        ck_assert_int_eq(accel_cut(&pool, 0, 45), 0);
        ck_assert_int_eq(accel_backlog_ns(&pool, 0, 45, &drain_ns), 0);
        ck_assert_int_eq(drain_ns, 0);
        struct accel_job job = {.start_ns = 50, .load_ns = 10, .compute_ns = 30};
        accel_assign(&pool, 0, &job);
        ck_assert_int_eq(job.finish_ns, 90);
        ck_assert_int_eq(accel_backlog_ns(&pool, 1, 45, &drain_ns), overlap ? 85 : 115);
        accel_pool_release(&pool);
    }
}
END_TEST

// The second of two streams, as is said, though the first is free.
START_TEST(stream_said)
{
    struct accel_pool pool;
    int64_t drain_ns;
    accel_pool_init(&pool, 1, 2, false);
    for (int i = 0; i < 2; i++) {
        struct accel_job job = {.start_ns = i, .load_ns = 10, .compute_ns = 30};
        ck_assert_int_eq(accel_assign_to(&pool, 0, 1, &job), 40);
        ck_assert_uint_eq(job.stream, 1);
        ck_assert_int_eq(job.finish_ns, 40 * (i + 1));
    }
    struct accel_job job = {.start_ns = 2, .load_ns = 10, .compute_ns = 30};
    accel_assign(&pool, 0, &job);
    ck_assert_uint_eq(job.stream, 0);
    ck_assert_int_eq(accel_backlog_ns(&pool, 0, 2, &drain_ns), 78 + 40);
    ck_assert_int_eq(drain_ns, 40);
    accel_pool_release(&pool);
}
END_TEST

// Servers have nothing to do with each other, and an unused one has nothing to do.
START_TEST(unused)
{
    struct accel_pool pool;
    int64_t drain_ns = 1;
    accel_pool_init(&pool, 2, 2, true);
    struct accel_job job = {.start_ns = 5, .load_ns = 10, .compute_ns = 30};
    accel_assign(&pool, 0, &job);
    ck_assert_int_eq(accel_backlog_ns(&pool, 1, 20, &drain_ns), 0);
    ck_assert_int_eq(drain_ns, 0);
    accel_pool_release(&pool);
    accel_pool_release(&pool); // a second time has no effect
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", without_overlap}, {"core", with_overlap},
                                       {"core", by_hand},         {"core", cut_by_hand},
                                       {"core", stream_said},     {"limits", unused}};
    return suite_run("accel", tests, sizeof tests / sizeof *tests);
}
