// SPDX-License-Identifier: Apache-2.0
// Whole runs: the sum of the ranks' records must be that of one rank, to the last bit, for any
// layout and window.
#include "cluster/run.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/memroom.h"
#include "base/simtime.h"
#include "cluster/fixture_studies.h"
#include "results/gather.h"
#include "support/suite_mpi.h"

enum { N_BINS = FIXTURE_STUDY_BINS };
#define WARMUP_NS FIXTURE_STUDY_WARMUP_NS

// Runs the fleet over `comm` and adds the records up; NULL but on rank 0.
static struct record *run(MPI_Comm comm, const struct fixture *fixture, enum layout_mode layout,
                          struct run_cost *cost)
{
    struct record *mine = fixture_record(fixture, N_BINS, WARMUP_NS), *total = NULL;
    struct run_options options = {.layout = layout};
    struct err err = {0};
    int rc = run_fleet(comm, &fixture->config, &options, mine, cost, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    rc = gather_record(comm, mine, &total, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    record_destroy(mine);
    return total;
}

// ---- core ---------------------------------------------------------------------------------------

static void assert_study(int study)
{
    static const int64_t windows_ns[] = {0, 20 * SIMTIME_US};
    struct fixture fixture;
    struct run_cost cost;
    fixture_studies[study](&fixture);
    fixture_ready(&fixture);
    struct record *one = run(MPI_COMM_SELF, &fixture, LAYOUT_AUTO, &cost);
    ck_assert_uint_gt(cost.n_queries, 100);
    for (enum layout_mode layout = 0; layout < N_LAYOUT_MODES; layout++)
        for (int w = 0; w < 2; w++) {
            fixture.config.window_ns = windows_ns[w];
            struct record *many = run(MPI_COMM_WORLD, &fixture, layout, &cost);
            bool same = !many || fixture_same_record(one, many);
            record_destroy(many);
            ck_assert_msg(same, "study %d, layout %s, window %d", study, layout_mode_names[layout],
                          w);
        }
    record_destroy(one);
    fixture_release(&fixture);
}

// The record does not depend on ranks, layout or window, for any policy, cost and path.
START_TEST(same_record)
{
    for (int study = 0; fixture_studies[study]; study++)
        assert_study(study);
}
END_TEST

// What a server did, as bytes, in a run over `comm`; of rank 0.
static void watch(MPI_Comm comm, const struct fixture *fixture, enum layout_mode layout,
                  uint32_t server, struct timeline *timeline)
{
    struct record *record = fixture_record(fixture, N_BINS, WARMUP_NS);
    struct run_options options = {.layout = layout, .timeline = timeline};
    struct run_cost cost;
    struct err err = {0};
    *timeline =
        (struct timeline){.server = server, .from_ns = 2 * SIMTIME_MS, .to_ns = 6 * SIMTIME_MS};
    int rc = run_fleet(comm, &fixture->config, &options, record, &cost, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    rc = gather_timeline(comm, timeline, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    record_destroy(record);
}

static bool same_timeline(const struct timeline *a, const struct timeline *b)
{
    if (a->n_queries != b->n_queries || a->n_slices != b->n_slices || a->cell != b->cell)
        return false;
    for (size_t i = 0; i < a->n_slices; i++) {
        const struct timeline_slice *x = &a->slices[i], *y = &b->slices[i];
        const struct timeline_query *p = &a->queries[x->query], *q = &b->queries[y->query];
        if (x->begin_ns != y->begin_ns || x->end_ns != y->end_ns || x->lane != y->lane ||
            x->part != y->part || p->seq != q->seq || p->cell != q->cell ||
            p->back_ns != q->back_ns)
            return false;
    }
    return true;
}

static void assert_watched(int study, uint32_t server)
{
    struct fixture fixture;
    struct timeline one, many;
    fixture_studies[study](&fixture);
    fixture_ready(&fixture);
    watch(MPI_COMM_SELF, &fixture, LAYOUT_AUTO, server, &one);
    for (enum layout_mode layout = LAYOUT_SPREAD; layout < N_LAYOUT_MODES; layout++) {
        fixture.config.window_ns = layout == LAYOUT_SPREAD ? 20 * SIMTIME_US : 0;
        watch(MPI_COMM_WORLD, &fixture, layout, server, &many);
        bool same = suite_mpi_rank() > 0 || same_timeline(&one, &many);
        timeline_release(&many);
        ck_assert_msg(same, "study %d, server %u, layout %s", study, server,
                      layout_mode_names[layout]);
    }
    ck_assert_msg(one.n_slices > 0, "study %d, server %u of %u cores", study, server, one.n_cores);
    timeline_release(&one);
    fixture_release(&fixture);
}

// Nor does what is seen of a server, whichever it is.
START_TEST(same_timeline_everywhere)
{
    for (int study = 1; study < 9; study += 3) // an accelerator, many cells, hops and replies
        assert_watched(study, (uint32_t)study % 3);
}
END_TEST

// Nothing is lost: every query of the traffic is in a tally, and reached a server unless it came in
// the last 50 us.
START_TEST(nothing_lost)
{
    struct fixture fixture;
    struct run_cost cost;
    uint64_t n_tallied = 0, n_served = 0, n_sent = 0, n_last = 0;
    fixture_two_choices_accelerator(&fixture);
    fixture_ready(&fixture);
    struct record *record = run(MPI_COMM_SELF, &fixture, LAYOUT_AUTO, &cost);
    for (uint32_t cell = 0; cell < 3; cell++) {
        size_t n;
        struct query *queries = fixture_queries(&fixture, cell, &n);
        for (size_t i = 0; i < n; i++) {
            int64_t reach_ns = queries[i].arrive_ns + 50 * SIMTIME_US;
            n_sent++;
            n_last += reach_ns < WARMUP_NS || reach_ns >= fixture.config.duration_ns;
        }
        mem_free(queries);
    }
    for (size_t i = 0; i < N_BINS * 2 * N_PATHS; i++)
        n_tallied += record->tallies[i].n_queries;
    for (uint32_t s = 0; s < record->shape.n_servers; s++)
        n_served += record->servers[s].n_queries;
    ck_assert_uint_eq(n_tallied, n_sent);
    ck_assert_uint_eq(n_served, n_sent - n_last);
    ck_assert_uint_eq(cost.n_queries, n_sent);
    record_destroy(record);
    fixture_release(&fixture);
}
END_TEST

// Another seed is another run.
START_TEST(seeds)
{
    struct fixture fixture;
    struct run_cost cost;
    fixture_random_plain(&fixture);
    fixture_ready(&fixture);
    struct record *a = run(MPI_COMM_SELF, &fixture, LAYOUT_AUTO, &cost);
    struct record *again = run(MPI_COMM_SELF, &fixture, LAYOUT_AUTO, &cost);
    fixture.config.seed++;
    struct record *b = run(MPI_COMM_SELF, &fixture, LAYOUT_AUTO, &cost);
    ck_assert(fixture_same_record(a, again));
    ck_assert(!fixture_same_record(a, b));
    record_destroy(a);
    record_destroy(again);
    record_destroy(b);
    fixture_release(&fixture);
}
END_TEST

// What a run cost: queries add up over ranks, windows are those of the balancers here, and one rank
// sends nothing.
START_TEST(cost)
{
    struct fixture fixture;
    struct run_cost mine, alone;
    uint64_t n_queries, n_windows, n_bytes;
    fixture_two_choices_accelerator(&fixture);
    fixture_ready(&fixture);
    record_destroy(run(MPI_COMM_SELF, &fixture, LAYOUT_AUTO, &alone));
    record_destroy(run(MPI_COMM_WORLD, &fixture, LAYOUT_SPREAD, &mine));
    MPI_Allreduce(&mine.n_queries, &n_queries, 1, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
    MPI_Allreduce(&mine.n_windows, &n_windows, 1, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
    MPI_Allreduce(&mine.bytes_sent, &n_bytes, 1, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
    ck_assert_uint_eq(n_queries, alone.n_queries);
    ck_assert_uint_ge(n_windows, alone.n_windows);
    ck_assert_uint_gt(alone.n_windows, 0);
    ck_assert(mine.wall_s >= 0);
    if (suite_mpi_size() == 1)
        ck_assert_uint_eq(n_bytes, 0);
    else // a query is 32 bytes there, and its report 24 back
        ck_assert_uint_gt(n_bytes, n_queries * 56 * (uint64_t)(suite_mpi_size() - 1) /
                                       (2 * (uint64_t)suite_mpi_size()));
    fixture_release(&fixture);
}
END_TEST

struct told {
    int64_t reached_ns;
    uint64_t n_queries;
    int n;
};

static void tell(void *user, int64_t reached_ns, uint64_t n_queries)
{
    struct told *told = user;
    ck_assert_int_ge(reached_ns, told->reached_ns);
    ck_assert_uint_ge(n_queries, told->n_queries);
    *told = (struct told){reached_ns, n_queries, told->n + 1};
}

// Progress is told on rank 0 only, never goes back and stays within the run.
START_TEST(progress)
{
    struct fixture fixture;
    struct run_cost cost;
    struct told told = {0};
    struct err err = {0};
    fixture_two_choices_accelerator(&fixture);
    fixture_ready(&fixture);
    struct record *record = fixture_record(&fixture, N_BINS, WARMUP_NS);
    struct run_options options = {.layout = LAYOUT_AUTO, .progress = tell, .progress_user = &told};
    int rc = run_fleet(MPI_COMM_WORLD, &fixture.config, &options, record, &cost, &err);
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(told.n > 0, suite_mpi_rank() == 0);
    ck_assert_int_le(told.reached_ns, fixture.config.duration_ns);
    record_destroy(record);
    fixture_release(&fixture);
}
END_TEST

// A run with a cache of service times and a record that served another run gives the same record:
// what a search keeps between its runs changes nothing.
START_TEST(kept_between_runs)
{
    struct fixture fixture;
    struct run_cost cost;
    struct svctab_cache *times = svctab_cache_create();
    struct run_options options = {.layout = LAYOUT_AUTO, .times = times};
    fixture_two_choices_accelerator(&fixture);
    fixture_ready(&fixture);
    struct record *kept = fixture_record(&fixture, N_BINS, WARMUP_NS);
    for (int i = 0; i < 3; i++) {
        fixture.config.seed = 7 + (uint64_t)i;
        fixture_set_batch(&fixture, 0, 8 + 12 * i);
        struct record *fresh = run(MPI_COMM_SELF, &fixture, LAYOUT_AUTO, &cost);
        ck_assert(record_reshape(kept, &fresh->shape));
        int rc = run_fleet(MPI_COMM_SELF, &fixture.config, &options, kept, &cost, NULL);
        ck_assert_int_eq(rc, 0);
        ck_assert(fixture_same_record(fresh, kept));
        record_destroy(fresh);
    }
    svctab_cache_destroy(times);
    record_destroy(kept);
    fixture_release(&fixture);
}
END_TEST

// ---- limits -------------------------------------------------------------------------------------

// Windows of a microsecond, thousands of them.
START_TEST(tiny_windows)
{
    struct fixture fixture;
    struct run_cost few, many;
    fixture_shortest_queue_noise(&fixture);
    fixture.config.duration_ns = 4 * SIMTIME_MS;
    fixture_ready(&fixture);
    struct record *whole = run(MPI_COMM_SELF, &fixture, LAYOUT_AUTO, &few);
    fixture.config.window_ns = SIMTIME_US;
    struct record *cut = run(MPI_COMM_SELF, &fixture, LAYOUT_AUTO, &many);
    ck_assert(fixture_same_record(whole, cut));
    ck_assert_uint_gt(many.n_windows, 5 * few.n_windows);
    record_destroy(whole);
    record_destroy(cut);
    fixture_release(&fixture);
}
END_TEST

// ---- errors -------------------------------------------------------------------------------------

// What is wrong with a study is said alike on all ranks, with the names of its parts.
static void assert_refused(const struct fixture *fixture, const char *said)
{
    struct record *record = fixture_record(fixture, N_BINS, WARMUP_NS);
    struct run_options options = {.layout = LAYOUT_SPREAD};
    struct run_cost cost;
    struct err err = {0};
    int rc = run_fleet(MPI_COMM_WORLD, &fixture->config, &options, record, &cost, &err);
    ck_assert_int_eq(rc, -1);
    ck_assert_int_eq(err.code, ERR_STUDY);
    ck_assert_msg(strstr(err.text, said) != NULL, "expected `%s` in: %s", said, err.text);
    record_destroy(record);
}

// A cost that is no time.
START_TEST(bad_cost)
{
    struct fixture fixture;
    fixture_two_choices_accelerator(&fixture);
    fixture_ready(&fixture);
    fixture.cost_configs[3].per_item_s = 1e6;
    assert_refused(&fixture, "group new, service ads: cost of 1 items");
    fixture_release(&fixture);
}
END_TEST

// Sizes and arrivals that are none.
START_TEST(bad_traffic)
{
    struct fixture fixture;
    fixture_two_choices_accelerator(&fixture);
    fixture_ready(&fixture);
    fixture.services[1].traffic.rate_qps = -1;
    assert_refused(&fixture, "services[1].arrivals: rate");
    fixture.services[0].traffic.sizes.distribution = qsize_find("fixed");
    assert_refused(&fixture, "service feed: sizes: items");
    fixture_release(&fixture);
}
END_TEST

// A backlog of centuries is refused, by the sizes that occur: a cap that nothing reaches is none.
START_TEST(backlog)
{
    struct fixture fixture;
    struct run_cost cost;
    fixture_random_plain(&fixture);
    struct service_traffic *traffic = &fixture.services[0].traffic;
    traffic->sizes =
        (struct size_config){.distribution = qsize_find("fixed"), .items = 1, .max_items = 65535};
    traffic->rate_qps = 20000;
    fixture.cost_configs[0].fixed_s = 50000;
    fixture_set_batch(&fixture, 0, 1);
    fixture_ready(&fixture);
    record_destroy(run(MPI_COMM_WORLD, &fixture, LAYOUT_AUTO, &cost));
    traffic->sizes.items = 65535;
    assert_refused(&fixture, "the backlog could exceed 1e+09 s");
    struct qsize *given = qsize_create(&traffic->sizes, NULL);
    fixture.config.sizes = (const struct qsize *const *)&given;
    traffic->sizes.items = 1; // what is given counts
    assert_refused(&fixture, "the backlog could exceed 1e+09 s");
    qsize_destroy(given);
    fixture_release(&fixture);
}
END_TEST

enum { ROOM_BYTES = 64 << 20, PIECE_BYTES = 1 << 20, MOST_PIECES = 256 };

// A limit of addresses with so much room below it, on the last rank alone.
static bool limit_last_rank(void)
{
    struct rlimit limit;
    if (suite_mpi_rank() != suite_mpi_size() - 1)
        return false;
    ck_assert_int_eq(getrlimit(RLIMIT_AS, &limit), 0);
    limit.rlim_cur = (rlim_t)1 << 46;
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    limit.rlim_cur -= (rlim_t)memroom_address_bytes() - ROOM_BYTES;
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    return true;
}

// What a rank has taken while the run was under way.
struct pieces {
    void *v[MOST_PIECES];
    size_t n;
    bool limited;
};

static enum run_wish take_all(void *user)
{
    struct pieces *pieces = user;
    while (pieces->limited && !mem_is_short() && pieces->n < MOST_PIECES)
        pieces->v[pieces->n++] = mem_alloc(PIECE_BYTES);
    return RUN_GO_ON;
}

// Where one rank runs out of memory on the way all ranks leave with the same error, and do not wait
// for each other. The last of all tests: the limit stays.
START_TEST(out_of_memory)
{
    if (getenv("RF_UNDER_VALGRIND")) // whose own memory would be short, too
        return;
    struct fixture fixture;
    struct run_cost cost;
    struct err err = {0};
    fixture_two_choices_accelerator(&fixture);
    fixture.config.duration_ns *= 1000; // to be asked on the way
    fixture_ready(&fixture);
    struct record *mine = fixture_record(&fixture, N_BINS, WARMUP_NS);
    struct pieces pieces = {.limited = limit_last_rank()};
    const struct run_control control = {take_all, NULL, NULL, &pieces};
    const struct run_options options = {.control = &control};
    int rc = run_fleet(MPI_COMM_WORLD, &fixture.config, &options, mine, &cost, &err);
    for (size_t i = 0; i < pieces.n; i++)
        mem_free(pieces.v[i]);
    ck_assert_int_eq(rc, -1);
    ck_assert_msg(strncmp(err.text, "out of memory at ", 17) == 0, "%s", err.text);
    record_destroy(mine);
    fixture_release(&fixture);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", same_record},
                                       {"core", same_timeline_everywhere},
                                       {"core", nothing_lost},
                                       {"core", seeds},
                                       {"core", cost},
                                       {"core", progress},
                                       {"core", kept_between_runs},
                                       {"limits", tiny_windows},
                                       {"errors", bad_cost},
                                       {"errors", bad_traffic},
                                       {"errors", backlog},
#ifndef __SANITIZE_ADDRESS__ // which maps in another way, and ends in its own words
                                       {"errors", out_of_memory}
#endif
    };
    return suite_mpi_run(&argc, &argv, "run", tests, sizeof tests / sizeof *tests);
}
