// SPDX-License-Identifier: Apache-2.0
#include "results/overload.h"

#include <math.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "results/fixture.h"
#include "support/suite.h"

#define BINS 40

// The verdict on `servers` M/M/k servers of `cores` at `rho`, the first of them at `rho_first`,
// over BINS bins of bin_services services per core each; an empty start is dropped with `skip`
// bins.
static struct overload judge(uint32_t servers, uint32_t cores, double rho, double rho_first,
                             double bin_services, uint64_t seed, uint32_t skip)
{
    struct meta *meta = fixture_meta_one(servers, cores);
    struct record_shape shape =
        fixture_shape(meta, BINS, (int64_t)(BINS * bin_services) * SIMTIME_MS);
    struct record *r = record_create(&shape);
    for (uint32_t s = 0; s < servers; s++) {
        struct fixture_queue q = {seed, s, 0, 0, s, cores, s == 0 ? rho_first : rho, 1e6};
        fixture_run_queue(r, &q);
    }
    double length[BINS], busy[BINS], backlog[BINS], drain[BINS];
    for (uint32_t i = skip; i < BINS; i++) {
        const struct group_tally *g = record_group(r, i, 0);
        length[i - skip] =
            (double)(record_bin_start_ns(&shape, i + 1) - record_bin_start_ns(&shape, i));
        busy[i - skip] = (double)g->busy_ns[PART_CPU];
        backlog[i - skip] = (double)g->backlog_ns[PART_CPU];
        drain[i - skip] = (double)g->drain_max_ns[PART_CPU];
    }
    struct overload_series series = {BINS - skip, servers, length, busy, backlog,
                                     drain,       NULL,    0,      0,    (double)servers * cores};
    if (skip > 0) {
        series.backlog_before_ns = (double)record_group(r, skip - 1, 0)->backlog_ns[PART_CPU];
        series.drain_before_ns = (double)record_group(r, skip - 1, 0)->drain_max_ns[PART_CPU];
    }
    struct overload o = overload_judge(&series);
    record_destroy(r);
    meta_destroy(meta);
    return o;
}

// One M/M/k queue at 1.05 of its capacity is overloaded, in each of 20 seeds, and its load is
// right: 40 bins x 1000 services x 8 cores have a relative deviation of sqrt(2 / 320000) = 0.25 %.
START_TEST(says_overloaded_at_105)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct overload o = judge(1, 8, 1.05, 1.05, 1000, seed, 2);
        ck_assert_int_eq(o.verdict, OVERLOAD_YES);
        ck_assert_double_eq_tol(o.load_frac.value, 1.05, 0.011);
        ck_assert_double_eq_tol(o.drain_growth_frac, 0.05, 0.011);
    }
}
END_TEST

// At 0.95 it is stable in each of 40 seeds, with one core and with eight.
START_TEST(says_stable_at_095)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        ck_assert_int_eq(judge(1, 8, 0.95, 0.95, 1000, seed, 2).verdict, OVERLOAD_NO);
        ck_assert_int_eq(judge(1, 1, 0.95, 0.95, 4000, seed, 2).verdict, OVERLOAD_NO);
    }
}
END_TEST

// A short run at 0.95 may be called unsure, but never overloaded: 40 bins of 50 services, started
// empty, with nothing dropped, is no longer than the queue's own memory.
START_TEST(short_runs_are_not_overloaded)
{
    for (uint64_t seed = 0; seed < 50; seed++)
        ck_assert_int_ne(judge(1, 1, 0.95, 0.95, 50, seed, 0).verdict, OVERLOAD_YES);
}
END_TEST

// One server of 50 at 1.2 is caught although the whole group is at 0.61 of its capacity.
START_TEST(one_drowning_server)
{
    for (uint64_t seed = 0; seed < 5; seed++) {
        struct overload o = judge(50, 2, 0.6, 1.2, 200, seed, 2);
        ck_assert_int_eq(o.verdict, OVERLOAD_YES);
        ck_assert_double_lt(o.load_frac.value, 0.7);
        ck_assert_double_eq_tol(o.drain_growth_frac, 0.2, 0.08);
    }
}
END_TEST

// Fifty stable servers are not overloaded because the worst of them wanders.
START_TEST(many_stable_servers)
{
    for (uint64_t seed = 0; seed < 10; seed++)
        ck_assert_int_eq(judge(50, 2, 0.9, 0.9, 200, seed, 2).verdict, OVERLOAD_NO);
}
END_TEST

// A peak above capacity that drains again is no overload.
START_TEST(a_peak_that_drains)
{
    double length[BINS], busy[BINS], backlog[BINS], drain[BINS];
    for (int i = 0; i < BINS; i++) {
        length[i] = 1e9;
        busy[i] = i >= 10 && i < 30 ? 1e9 : 6e8;
        backlog[i] = i >= 10 && i < 20 ? (i - 9) * 1e8 : i >= 20 && i < 30 ? (29 - i) * 1e8 : 0;
        drain[i] = backlog[i];
    }
    struct overload_series s = {BINS, 1, length, busy, backlog, drain, NULL, 0, 0, 1};
    ck_assert_int_eq(overload_judge(&s).verdict, OVERLOAD_NO);
}
END_TEST

// An exact, noiseless growth needs no statistics.
START_TEST(a_straight_line)
{
    double length[BINS], busy[BINS], drain[BINS];
    for (int i = 0; i < BINS; i++) {
        length[i] = 1e9;
        busy[i] = 1e9;
        drain[i] = (i + 1) * 1e7;
    }
    struct overload_series s = {BINS, 1, length, busy, drain, drain, NULL, 0, 0, 1};
    struct overload o = overload_judge(&s);
    ck_assert_int_eq(o.verdict, OVERLOAD_YES);
    ck_assert_double_eq_tol(o.load_frac.value, 1.01, 1e-12);
}
END_TEST

// Servers that merge are busy all the time, with backlogs that wander: stable at 43 % of what full
// batches carry, unsure at 99 %, overloaded where the backlog grows by 40 % of what is done.
START_TEST(full_batches_decide)
{
    double length[BINS], busy[BINS], backlog[BINS], grows[BINS], work[BINS];
    for (int i = 0; i < BINS; i++) {
        length[i] = busy[i] = 1e9;
        backlog[i] = i % 2 ? 3e7 : 1e7;
        grows[i] = backlog[i] + (i + 1) * 4e8;
        work[i] = 4.3e8 + (i % 3) * 2e7 - 2e7;
    }
    struct overload_series s = {BINS, 1, length, busy, backlog, backlog, work, 1e7, 1e7, 1};
    struct overload o = overload_judge(&s);
    ck_assert_int_eq(o.verdict, OVERLOAD_NO);
    ck_assert_double_eq_tol(o.load_frac.value, 0.43, 0.001); // the sum's last third is short of one
    s.work_ns = NULL;
    ck_assert_int_eq(overload_judge(&s).verdict, OVERLOAD_UNSURE);
    for (int i = 0; i < BINS; i++)
        work[i] = 9.9e8 + (i % 3) * 1e8 - 1e8;
    s.work_ns = work;
    ck_assert_int_eq(overload_judge(&s).verdict, OVERLOAD_UNSURE);
    s.backlog_ns = s.drain_ns = grows;
    o = overload_judge(&s);
    ck_assert_int_eq(o.verdict, OVERLOAD_YES);
    ck_assert_double_eq_tol(o.load_frac.value, 1.4, 0.01);
}
END_TEST

// Too few bins to judge: saturated is unsure, idle is stable, nothing at all is stable.
START_TEST(too_few_bins)
{
    const double length = 1e9, full = 1e9, idle = 1e8, some = 1e7, none = 0;
    struct overload_series s = {1, 1, &length, &full, &some, &some, NULL, 0, 0, 1};
    ck_assert_int_eq(overload_judge(&s).verdict, OVERLOAD_UNSURE);
    s.busy_ns = &idle;
    s.backlog_ns = s.drain_ns = &none;
    ck_assert_int_eq(overload_judge(&s).verdict, OVERLOAD_NO);
    s.n = 0;
    ck_assert_int_eq(overload_judge(&s).verdict, OVERLOAD_NO);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", says_overloaded_at_105}, {"core", says_stable_at_095},
        {"core", one_drowning_server},    {"core", many_stable_servers},
        {"core", a_peak_that_drains},     {"core", a_straight_line},
        {"core", full_batches_decide},    {"limits", short_runs_are_not_overloaded},
        {"limits", too_few_bins},
    };
    return suite_run("overload", tests, sizeof tests / sizeof *tests);
}
