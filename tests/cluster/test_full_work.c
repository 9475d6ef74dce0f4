// SPDX-License-Identifier: Apache-2.0
#include "cluster/full_work.h"

#include "support/suite.h"

enum { MOST = 100, CORES = 4, STREAMS = 2 };

// Tables by hand: 100 + 10 n ns on a core, twice that when all four are busy; 50 + n ns to load,
// 300
// + 2 n ns to compute.
struct bench {
    int64_t cpu_ns[CORES * (MOST + 1)], load_ns[MOST + 1], compute_ns[MOST + 1];
    struct svctab tab;
    struct batcher_rule rules[N_PLACES];
    struct full_work work;
};

static void set_up(struct bench *bench)
{
    *bench = (struct bench){.tab = {.cpu_items = MOST, .accel_items = MOST, .n_levels = CORES}};
    for (int busy = 1; busy <= CORES; busy++)
        for (int n = 1; n <= MOST; n++)
            bench->cpu_ns[(busy - 1) * (MOST + 1) + n] = (busy == CORES ? 2 : 1) * (100 + 10 * n);
    for (int n = 1; n <= MOST; n++) {
        bench->load_ns[n] = 50 + n;
        bench->compute_ns[n] = 300 + 2 * n;
    }
    bench->tab.cpu_ns = bench->cpu_ns;
    bench->tab.load_ns = bench->load_ns;
    bench->tab.compute_ns = bench->compute_ns;
    for (int place = 0; place < N_PLACES; place++)
        bench->rules[place] = (struct batcher_rule){
            .merges = true, .splits = true, .most_items = 50, .most_queries = UINT32_MAX};
    bench->work = (struct full_work){.rules = bench->rules,
                                     .tab = &bench->tab,
                                     .plain_tab = &bench->tab,
                                     .n_cores = CORES,
                                     .n_streams = STREAMS};
}

static int64_t work_at(const struct bench *bench, enum place place, uint64_t n_queries,
                       uint64_t n_items, int64_t work_ns)
{
    const struct full_work_volume volume = {n_queries, n_items, work_ns};
    int64_t both_ns[N_PLACES] = {0, 0};
    full_work_add(&bench->work, &volume, both_ns);
    return both_ns[place];
}

// Cores that fill requests of 50: 2 * 600 ns each, with all busy; whole queries of 20 leave room
// for 10 of them, and no more than two queries in one leave it at 40.
START_TEST(cores)
{
    struct bench bench;
    set_up(&bench);
    bench.rules[PLACE_CORES].used = true;
    ck_assert_int_eq(work_at(&bench, PLACE_CORES, 10, 200, 0), 200 * 1200 / 50);
    ck_assert_int_eq(work_at(&bench, PLACE_ACCEL, 10, 200, 0), 0);
    bench.rules[PLACE_CORES].splits = false;
    ck_assert_int_eq(work_at(&bench, PLACE_CORES, 10, 200, 0), 200 * 1000 / 40);
    bench.rules[PLACE_CORES].splits = true;
    bench.rules[PLACE_CORES].most_queries = 1;
    ck_assert_int_eq(work_at(&bench, PLACE_CORES, 10, 200, 0), 200 * 600 / 20);
}
END_TEST

// Without merging, what came is known by its requests, which take twice as long with all cores
// busy.
START_TEST(requests_of_their_own)
{
    struct bench bench;
    set_up(&bench);
    bench.rules[PLACE_CORES].used = true;
    bench.rules[PLACE_CORES].merges = false;
    ck_assert_int_eq(work_at(&bench, PLACE_CORES, 10, 200, 3000), 6000);
    ck_assert_int_eq(work_at(&bench, PLACE_CORES, 10, 200, 0), 200 * 600 / 20);
}
END_TEST

// An accelerator alone: 100 ns of loading and 400 of computing for 50 items; overlapped, a stream
// is held for the computing, or for the link's time where the copies take longer.
START_TEST(accelerator)
{
    struct bench bench;
    set_up(&bench);
    bench.rules[PLACE_ACCEL].used = true;
    ck_assert_int_eq(work_at(&bench, PLACE_ACCEL, 10, 200, 0), 200 * 500 / 50);
    bench.work.overlap = true;
    ck_assert_int_eq(work_at(&bench, PLACE_ACCEL, 10, 200, 0), 200 * 400 / 50);
    bench.load_ns[50] = 300;
    ck_assert_int_eq(work_at(&bench, PLACE_ACCEL, 10, 200, 0), 200 * 600 / 50);
}
END_TEST

// Both: cores alone would take 4800 ns over 4 of them, the streams 2000 over 2; together they end
// at one time t with t * 4 / 4800 + t * 2 / 2000 = 1.
START_TEST(both_end_together)
{
    struct bench bench;
    set_up(&bench);
    bench.rules[PLACE_CORES].used = bench.rules[PLACE_ACCEL].used = true;
    double t = 1 / (4.0 / 4800 + 2.0 / 2000);
    ck_assert_double_eq_tol((double)work_at(&bench, PLACE_CORES, 10, 200, 0), 4 * t, 1);
    ck_assert_double_eq_tol((double)work_at(&bench, PLACE_ACCEL, 10, 200, 0), 2 * t, 1);
}
END_TEST

// No queries are no work, whatever would do it; nor do requests that take no time.
START_TEST(nothing)
{
    struct bench bench;
    set_up(&bench);
    bench.rules[PLACE_CORES].used = true;
    ck_assert_int_eq(work_at(&bench, PLACE_CORES, 0, 0, 0), 0);
    for (int i = 0; i < CORES * (MOST + 1); i++)
        bench.cpu_ns[i] = 0;
    bench.rules[PLACE_CORES].merges = false;
    ck_assert_int_eq(work_at(&bench, PLACE_CORES, 10, 200, 1), 0);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", cores},       {"core", requests_of_their_own},
        {"core", accelerator}, {"core", both_end_together},
        {"limits", nothing},
    };
    return suite_run("full_work", tests, sizeof tests / sizeof *tests);
}
