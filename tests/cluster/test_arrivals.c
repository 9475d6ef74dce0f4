// SPDX-License-Identifier: Apache-2.0
// What the cells of a fleet take in, against the streams of all of them.
#include "cluster/arrivals.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/fixture.h"
#include "cluster/outage.h"
#include "support/suite.h"

enum { N_CELLS = 3 };
#define DURATION_NS (20 * SIMTIME_MS)
#define NUMBER_MASK ((UINT64_C(1) << QUERY_ORIGIN_SHIFT) - 1)

// Three cells of 5, 4 and 4 servers.
struct fleet {
    struct fixture fixture;
    struct layout *layout;
    uint64_t n_generated[FIXTURE_SERVICES];
};

static void init(struct fleet *fleet, bool failover)
{
    memset(fleet->n_generated, 0, sizeof fleet->n_generated);
    fixture_init(&fleet->fixture, 2, 2);
    fleet->fixture.config.n_cells = N_CELLS;
    fleet->fixture.config.duration_ns = DURATION_NS;
    fleet->fixture.groups[0].n_servers = 7;
    fleet->fixture.groups[1].n_servers = 6;
    fleet->fixture.config.outages.events = fleet->fixture.events;
    fleet->fixture.config.outages.failover = failover;
    fleet->layout = layout_create(&fleet->fixture.config, 1, LAYOUT_AUTO);
}

// A drain of a whole cell, from and until a share of the run.
static void add_drain(struct fleet *fleet, uint32_t cell, double from_frac, double until_frac)
{
    struct outage_config *outages = &fleet->fixture.config.outages;
    int64_t at_ns = (int64_t)(from_frac * (double)DURATION_NS);
    fleet->fixture.events[outages->n_events++] =
        (struct outage_event){.at_ns = at_ns,
                              .for_ns = (int64_t)(until_frac * (double)DURATION_NS) - at_ns,
                              .kind = OUTAGE_DRAIN,
                              .whole_cell = true,
                              .cell = cell};
}

// Two cells, one after the other and for a while both.
static void init_two_out(struct fleet *fleet)
{
    init(fleet, true);
    add_drain(fleet, 1, 0.2, 0.5);
    add_drain(fleet, 2, 0.4, 0.7);
    add_drain(fleet, 1, 0.9, 2);
}

static struct arrivals *make_arrivals(struct fleet *fleet, uint32_t cell)
{
    struct arrivals_setup setup = {.fleet = &fleet->fixture.config,
                                   .layout = fleet->layout,
                                   .cell = cell,
                                   .n_generated = fleet->n_generated};
    struct err err = {0};
    struct arrivals *arrivals = arrivals_create(&setup, &err);
    ck_assert_msg(arrivals != NULL, "%s", err.text);
    return arrivals;
}

// Queries in the order in which they came.
struct taken {
    struct query *v;
    size_t n;
};

static bool in_order(const struct query *a, const struct query *b)
{
    return a->arrive_ns != b->arrive_ns ? a->arrive_ns < b->arrive_ns : a->seq < b->seq;
}

// All before until_ns, in steps of window_ns as a balancer takes them; every run must be one that a
// policy may have at once, and begin where the arrivals said.
static void take(struct arrivals *arrivals, struct taken *taken, int64_t until_ns,
                 int64_t window_ns)
{
    int64_t begin_ns;
    while ((begin_ns = arrivals_peek_ns(arrivals)) < until_ns) {
        int64_t end_ns = begin_ns + window_ns < until_ns ? begin_ns + window_ns : until_ns;
        size_t n, n_before = taken->n;
        struct query *run;
        while (run = arrivals_next(arrivals, end_ns, 100, &n), n > 0) {
            taken->v = mem_realloc(taken->v, taken->n + n, sizeof *run);
            memcpy(taken->v + taken->n, run, n * sizeof *run);
            for (size_t i = 1; i < n; i++)
                ck_assert_uint_eq(run[i].seq, run[0].seq + i);
            taken->n += n;
        }
        ck_assert_uint_gt(taken->n, n_before);
        ck_assert_int_eq(taken->v[n_before].arrive_ns, begin_ns);
        ck_assert_int_lt(taken->v[taken->n - 1].arrive_ns, end_ns);
    }
    for (size_t i = 1; i < taken->n; i++)
        ck_assert(in_order(&taken->v[i - 1], &taken->v[i]));
}

static struct taken take_all(struct fleet *fleet, uint32_t cell)
{
    struct taken taken = {0};
    struct arrivals *arrivals = make_arrivals(fleet, cell);
    take(arrivals, &taken, SIMTIME_NEVER, 100 * SIMTIME_US);
    arrivals_destroy(arrivals);
    return taken;
}

static void release(struct fleet *fleet)
{
    layout_destroy(fleet->layout);
    fixture_release(&fleet->fixture);
}

// Where a query comes from.
static uint32_t origin_of(const struct query *query, uint32_t cell)
{
    uint32_t origin = (uint32_t)(query->seq >> QUERY_ORIGIN_SHIFT) & QUERY_MAX_ORIGINS;
    return origin ? origin - 1 : cell;
}

static bool is_out(const struct fleet *fleet, uint32_t cell, int64_t at_ns)
{
    int64_t until_ns;
    return outage_cell_out(&fleet->fixture.config, cell, at_ns, &until_ns);
}

// Every query of every stream must have been taken in by exactly one cell, unchanged but for its
// origin. Returns how many went elsewhere.
static size_t assert_union(struct fleet *fleet, const struct taken taken[N_CELLS])
{
    size_t n_all = 0, n_taken = 0, n_away = 0;
    for (uint32_t origin = 0; origin < N_CELLS; origin++) {
        size_t n;
        struct query *stream = fixture_queries(&fleet->fixture, origin, &n);
        bool *seen = mem_calloc(n, sizeof *seen);
        n_all += n;
        for (uint32_t cell = 0; cell < N_CELLS; cell++)
            for (size_t i = 0; i < taken[cell].n; i++) {
                struct query query = taken[cell].v[i];
                if (origin_of(&query, cell) != origin)
                    continue;
                query.seq &= NUMBER_MASK;
                ck_assert(query.seq < n && !seen[query.seq]);
                ck_assert_mem_eq(&query, &stream[query.seq], sizeof query);
                seen[query.seq] = true;
                n_taken++;
                n_away += origin != cell;
            }
        mem_free(seen);
        mem_free(stream);
    }
    ck_assert_uint_eq(n_taken, n_all);
    ck_assert_uint_eq(fleet->n_generated[0] + fleet->n_generated[1], n_all);
    return n_away;
}

// ---- core ---------------------------------------------------------------------------------------

// Without outages: the cell's stream, counted by service.
START_TEST(own_stream)
{
    struct fleet fleet;
    init(&fleet, false);
    for (uint32_t cell = 0; cell < N_CELLS; cell++) {
        size_t n, n_first = 0;
        struct query *stream = fixture_queries(&fleet.fixture, cell, &n);
        memset(fleet.n_generated, 0, sizeof fleet.n_generated);
        struct taken taken = take_all(&fleet, cell);
        ck_assert_uint_eq(taken.n, n);
        ck_assert_mem_eq(taken.v, stream, n * sizeof *stream);
        for (size_t i = 0; i < n; i++)
            n_first += stream[i].service == 0;
        ck_assert_uint_eq(fleet.n_generated[0], n_first);
        ck_assert_uint_eq(fleet.n_generated[1], n - n_first);
        mem_free(taken.v);
        mem_free(stream);
    }
    release(&fleet);
}
END_TEST

// With cells out, all cells together take in all streams, each query once; a query goes elsewhere
// exactly while its cell is out, and to a cell that is not.
START_TEST(each_query_once)
{
    struct fleet fleet;
    struct taken taken[N_CELLS];
    init_two_out(&fleet);
    for (uint32_t cell = 0; cell < N_CELLS; cell++)
        taken[cell] = take_all(&fleet, cell);
    ck_assert_uint_gt(assert_union(&fleet, taken), 500);
    for (uint32_t cell = 0; cell < N_CELLS; cell++) {
        for (size_t i = 0; i < taken[cell].n; i++) {
            const struct query *query = &taken[cell].v[i];
            uint32_t origin = origin_of(query, cell);
            ck_assert(!is_out(&fleet, cell, query->arrive_ns));
            ck_assert_int_eq(is_out(&fleet, origin, query->arrive_ns), origin != cell);
        }
        mem_free(taken[cell].v);
    }
    release(&fleet);
}
END_TEST

// The traffic of a cell that is out is shared by the servers in service: 5 of 9 and 4 of 9. The
// number that goes to one is binomial; the draws are fixed, four of its standard deviations.
START_TEST(shared_by_servers)
{
    struct fleet fleet;
    init(&fleet, true);
    add_drain(&fleet, 1, 0, 1);
    ck_assert_uint_eq(fleet.layout->n_servers[0], 5);
    ck_assert_uint_eq(fleet.layout->n_servers[2], 4);
    size_t n, n_first = 0;
    mem_free(fixture_queries(&fleet.fixture, 1, &n));
    struct taken taken = take_all(&fleet, 0);
    for (size_t i = 0; i < taken.n; i++)
        n_first += origin_of(&taken.v[i], 0) == 1;
    double expected = (double)n * 5 / 9;
    ck_assert_double_eq_tol((double)n_first, expected, 4 * sqrt(expected * 4 / 9));
    mem_free(taken.v);
    release(&fleet);
}
END_TEST

// Retries come in between by time and then by number, whatever the order in which they were heard
// of, and count as nothing new.
START_TEST(retries_merged)
{
    enum { N_RETRIES = 500 };
    struct fleet fleet;
    init_two_out(&fleet);
    fleet.fixture.config.outages.retries = 1;
    struct taken plain = take_all(&fleet, 0), merged = {0};
    uint64_t n_generated = fleet.n_generated[0];
    struct arrivals *arrivals = make_arrivals(&fleet, 0);
    for (uint32_t i = 0; i < N_RETRIES; i++) {
        uint32_t k = (i * 77) % N_RETRIES; // each once: 77 and 500 have no factor in common
        struct query retry = plain.v[3 * k];
        retry.delay_us = 50 * (k % 2); // every other one at the very time of another query
        retry.arrive_ns += (int64_t)retry.delay_us * 1000;
        retry.seq |= UINT64_C(1) << QUERY_ATTEMPT_SHIFT;
        arrivals_retry(arrivals, &retry);
    }
    take(arrivals, &merged, SIMTIME_NEVER, 30 * SIMTIME_US); // which looks at the order
    ck_assert_uint_eq(merged.n, plain.n + N_RETRIES);
    ck_assert_uint_eq(fleet.n_generated[0], 2 * n_generated);
    size_t p = 0;
    for (size_t i = 0; i < merged.n; i++)
        if (query_attempt(&merged.v[i]) == 0)
            ck_assert_mem_eq(&merged.v[i], &plain.v[p++], sizeof *plain.v);
    ck_assert_uint_eq(p, plain.n);
    arrivals_destroy(arrivals);
    mem_free(plain.v);
    mem_free(merged.v);
    release(&fleet);
}
END_TEST

// A retry that is heard of late, when the arrivals has already looked far ahead for the next query,
// still comes in its place.
START_TEST(late_retry)
{
    struct fleet fleet;
    struct taken taken = {0};
    init(&fleet, true);
    add_drain(&fleet, 0, 0.1, 0.5);
    fleet.fixture.config.outages.retries = 1;
    struct arrivals *arrivals = make_arrivals(&fleet, 0);
    take(arrivals, &taken, DURATION_NS / 5, 30 * SIMTIME_US);
    ck_assert_int_ge(arrivals_peek_ns(arrivals), DURATION_NS / 2);
    struct query retry = taken.v[taken.n - 1];
    retry.seq |= UINT64_C(1) << QUERY_ATTEMPT_SHIFT;
    retry.arrive_ns = DURATION_NS / 4;
    arrivals_retry(arrivals, &retry);
    ck_assert_int_eq(arrivals_peek_ns(arrivals), DURATION_NS / 4);
    size_t n_before = taken.n;
    take(arrivals, &taken, DURATION_NS, 30 * SIMTIME_US);
    ck_assert_mem_eq(&taken.v[n_before], &retry, sizeof retry);
    ck_assert_int_ge(taken.v[n_before + 1].arrive_ns, DURATION_NS / 2);
    arrivals_destroy(arrivals);
    mem_free(taken.v);
    release(&fleet);
}
END_TEST

// Saved anywhere and taken up by another, what follows is the same: streams, guests, retries.
START_TEST(saved)
{
    struct fleet fleet;
    init_two_out(&fleet);
    fleet.fixture.config.outages.retries = 1;
    for (uint32_t cell = 0; cell < N_CELLS; cell++) {
        struct taken whole = {0}, parts = {0};
        struct arrivals *once = make_arrivals(&fleet, cell), *now = make_arrivals(&fleet, cell);
        for (int64_t k = 1; k <= 20; k++) {
            int64_t until_ns = k * DURATION_NS / 20;
            take(once, &whole, until_ns, 30 * SIMTIME_US);
            take(now, &parts, until_ns, 70 * SIMTIME_US);
            struct query retry = whole.v[whole.n - 1];
            retry.arrive_ns = until_ns + 2 * SIMTIME_MS + k;
            retry.delay_us = 1;
            retry.seq |= UINT64_C(1) << QUERY_ATTEMPT_SHIFT;
            arrivals_retry(once, &retry);
            arrivals_retry(now, &retry);
            struct blob blob = {0};
            if (k % 2) // having looked ahead or not
                arrivals_peek_ns(now);
            arrivals_save(now, &blob);
            arrivals_destroy(now);
            now = make_arrivals(&fleet, cell);
            struct blob_reader reader = blob_read(blob.bytes, blob.n);
            ck_assert_int_eq(arrivals_load(now, &reader, NULL), 0);
            ck_assert_int_eq(blob_end(&reader, NULL), 0);
            ck_assert_int_eq(arrivals_peek_ns(now), arrivals_peek_ns(once));
            blob_release(&blob);
        }
        ck_assert_uint_eq(whole.n, parts.n);
        ck_assert_mem_eq(whole.v, parts.v, whole.n * sizeof *whole.v);
        arrivals_destroy(once);
        arrivals_destroy(now);
        mem_free(whole.v);
        mem_free(parts.v);
    }
    release(&fleet);
}
END_TEST

// ---- limits -------------------------------------------------------------------------------------

// While all cells are out each keeps its own; so does a fleet of one cell, and without failover
// everybody.
START_TEST(nowhere_to_go)
{
    struct fleet fleet;
    struct taken taken[N_CELLS];
    for (int failover = 0; failover < 2; failover++) {
        init(&fleet, failover);
        for (uint32_t cell = 0; cell < N_CELLS; cell++)
            add_drain(&fleet, cell, 0.3, failover ? 0.5 : 0.5 + 0.1 * cell);
        for (uint32_t cell = 0; cell < N_CELLS; cell++)
            taken[cell] = take_all(&fleet, cell);
        ck_assert_uint_eq(assert_union(&fleet, taken), 0);
        for (uint32_t cell = 0; cell < N_CELLS; cell++)
            mem_free(taken[cell].v);
        release(&fleet);
    }
}
END_TEST

// Retries at or after the end of the run are none.
START_TEST(after_the_end)
{
    struct fleet fleet;
    struct taken taken = {0};
    init_two_out(&fleet);
    fleet.fixture.config.outages.retries = 1;
    struct arrivals *arrivals = make_arrivals(&fleet, 0);
    struct query retry = {.arrive_ns = DURATION_NS, .seq = UINT64_C(1) << QUERY_ATTEMPT_SHIFT};
    take(arrivals, &taken, SIMTIME_NEVER, DURATION_NS);
    arrivals_retry(arrivals, &retry);
    ck_assert_int_eq(arrivals_peek_ns(arrivals), SIMTIME_NEVER);
    retry.arrive_ns--;
    arrivals_retry(arrivals, &retry);
    ck_assert_int_eq(arrivals_peek_ns(arrivals), DURATION_NS - 1);
    arrivals_destroy(arrivals);
    mem_free(taken.v);
    release(&fleet);
}
END_TEST

// ---- errors -------------------------------------------------------------------------------------

// Traffic that is none: no arrivals, and the reason.
START_TEST(bad_traffic)
{
    struct fleet fleet;
    struct err err = {0};
    init_two_out(&fleet);
    fleet.fixture.services[1].traffic.rate_qps = 0;
    struct arrivals_setup setup = {
        .fleet = &fleet.fixture.config, .layout = fleet.layout, .n_generated = fleet.n_generated};
    ck_assert_ptr_null(arrivals_create(&setup, &err));
    ck_assert_int_eq(err.code, ERR_STUDY);
    arrivals_destroy(NULL);
    release(&fleet);
}
END_TEST

static int try_bytes(struct fleet *fleet, const struct blob *blob, size_t n)
{
    struct arrivals *arrivals = make_arrivals(fleet, 0);
    struct blob_reader reader = blob_read(blob->bytes, n);
    int rc = arrivals_load(arrivals, &reader, NULL);
    rc = rc == 0 ? blob_end(&reader, NULL) : rc;
    arrivals_destroy(arrivals);
    return rc;
}

// Bytes that were cut, and a retry that no server could run, are refused.
START_TEST(damaged)
{
    struct fleet fleet;
    struct blob blob = {0};
    init_two_out(&fleet);
    fleet.fixture.config.outages.retries = 1;
    struct arrivals *arrivals = make_arrivals(&fleet, 0);
    struct query retry = {.arrive_ns = DURATION_NS / 2, .size_items = 7};
    arrivals_retry(arrivals, &retry);
    arrivals_save(arrivals, &blob);
    ck_assert_int_eq(try_bytes(&fleet, &blob, blob.n), 0);
    for (size_t n = 0; n < blob.n; n += 1 + n / 9)
        ck_assert_int_eq(try_bytes(&fleet, &blob, n), -1);
    const struct query bad[] = {{.arrive_ns = DURATION_NS / 2},
                                {.arrive_ns = DURATION_NS / 2, .size_items = 401},
                                {.arrive_ns = DURATION_NS / 2, .size_items = 7, .service = 2},
                                {.arrive_ns = DURATION_NS, .size_items = 7},
                                {.arrive_ns = 1, .size_items = 7, .delay_us = 1}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        memcpy(blob.bytes + blob.n - sizeof retry, &bad[i], sizeof retry);
        ck_assert_int_eq(try_bytes(&fleet, &blob, blob.n), -1);
    }
    arrivals_destroy(arrivals);
    blob_release(&blob);
    release(&fleet);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", own_stream},        {"core", each_query_once},
                                       {"core", shared_by_servers}, {"core", retries_merged},
                                       {"core", late_retry},        {"core", saved},
                                       {"limits", nowhere_to_go},   {"limits", after_the_end},
                                       {"errors", bad_traffic},     {"errors", damaged}};
    return suite_run("arrivals", tests, sizeof tests / sizeof *tests);
}
