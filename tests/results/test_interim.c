// SPDX-License-Identifier: Apache-2.0
#include "results/interim.h"

#include <math.h>
#include <string.h>

#include "base/simtime.h"
#include "results/batch_hist.h"
#include "results/fixture.h"
#include "support/suite.h"

enum { N_BINS = 40, FIRST = N_BINS / 20 };

// One look at records whose run has come to reached_ns, as the ranks of a run would take it.
static struct ci look_at(struct record *const *records, uint32_t n, int64_t reached_ns)
{
    struct interim *looks[3];
    int64_t values[INTERIM_VALUES], sums[INTERIM_VALUES];
    bool ended = false;
    for (uint32_t r = 0; r < n; r++)
        looks[r] = interim_create(records[r], n);
    while (!ended) {
        size_t n_values = 0;
        memset(sums, 0, sizeof sums);
        for (uint32_t r = 0; r < n; r++) {
            n_values = interim_say(looks[r], reached_ns, values);
            ck_assert_uint_le(n_values, INTERIM_VALUES);
            for (size_t i = 0; i < n_values; i++)
                sums[i] += values[i];
        }
        for (uint32_t r = 0; r < n; r++)
            ended = interim_hear(looks[r], sums);
    }
    struct ci p95_s = interim_p95_s(looks[0]);
    for (uint32_t r = 0; r < n; r++)
        interim_destroy(looks[r]);
    return p95_s;
}

static void add(struct record *record, uint32_t bin, int64_t latency_ns, uint32_t n)
{
    struct tally *tally = record_tally(record, bin, 0, PATH_CPU);
    tally->n_queries += n;
    tally->hist[hist_index(latency_ns)] += n;
    if (latency_ns > tally->latency_max_ns)
        tally->latency_max_ns = latency_ns;
}

static struct record *empty_record(void)
{
    struct meta *meta = fixture_meta_one(1, 1);
    struct record_shape shape = fixture_shape(meta, N_BINS, N_BINS * SIMTIME_S);
    meta_destroy(meta);
    return record_create(&shape);
}

// 100 queries a bin: 90 of 1 us, 5 of 2 us, and 4 or 6, in turn, of 3 us, the rest of 1 us. Up to
// 32 s there are 29 stretches of a bin, from 2 to 30; 31 is left out. Of 2900 queries the 2755th is
// of 2 us. By hand: above it are 29 * 5 - 1 = 144 of 3 us, and of the 145 of 2 us a part of
// (145 - 144) / 145. The excess of a bin is -1 or +1 over its 5, and the same with two bins a batch
// would cancel; 29 values make 29 batches, of which neighbours do not correlate, so the half-width
// is t(28) * sqrt(sum of squares * 29 / 28) / 2900 of the fraction.
START_TEST(by_hand)
{
    struct record *record = empty_record();
    for (uint32_t bin = 0; bin < N_BINS; bin++) {
        uint32_t slow = bin % 2 ? 6 : 4;
        add(record, bin, 1000, 95 - slow);
        add(record, bin, 2000, 5);
        add(record, bin, 3000, slow);
    }
    struct ci p95_s = look_at(&record, 1, 32 * SIMTIME_S);
    ck_assert_double_eq_tol(p95_s.value, 2e-6, 1e-12);
    ck_assert_uint_eq(p95_s.n_batches, 29);
    // 15 even bins with 4 of them, 14 odd ones with 6: off by (144 / 29 - 4) and so on.
    double part = 1.0 / 145, squares = 0;
    for (int i = 0; i < 29; i++) {
        double excess = (i % 2 ? 6 : 4) + part * 5 - 5;
        squares += excess * excess;
    }
    double off = 2.0484 * sqrt(squares * 29 / 28) / 2900; // of the fraction, t of 28 degrees
    ck_assert_double_gt(off, 0.0035);
    ck_assert_double_lt(off, 0.0145);
    // Up by that part: within the queries of 3 us, of a coarse bucket of 32 ns that begins at 2976;
    // down: within those of 2 us, from 1984 to 1999 or 2000 to 2015 ns.
    ck_assert_double_ge(p95_s.half_95, 2976e-9 - 2015e-9);
    ck_assert_double_le(p95_s.half_95, 3007e-9 - 2000e-9);
    record_destroy(record);
}
END_TEST

// The quantile of an M/M/1 queue is within the interval, and it is that of the same bins of the
// record, whichever rank simulated what.
START_TEST(of_a_queue)
{
    struct record *one = empty_record(), *parts[3];
    struct fixture_queue queue = {.seed = 3, .cores = 1, .rho = 0.5, .service_ns = 1e6};
    fixture_run_queue(one, &queue);
    for (int r = 0; r < 3; r++)
        parts[r] = empty_record();
    for (uint32_t bin = 0; bin < N_BINS; bin++) {
        const struct tally *tally = record_tally(one, bin, 0, PATH_CPU);
        for (uint32_t i = 0, k = bin; i < HIST_N_BUCKETS; i++)
            for (uint32_t j = 0; j < tally->hist[i]; j++, k++)
                add(parts[k % 3], bin, hist_lower_ns(i), 1);
    }
    struct ci p95_s = look_at(&one, 1, 30 * SIMTIME_S), shared = look_at(parts, 3, 30 * SIMTIME_S);
    const struct batch_hist_scope scope = {one, FIRST, {30 - 1 - FIRST, 1, 30 - 1 - FIRST}, 0, 1};
    struct batch_hist *hist = batch_hist_create(&scope);
    ck_assert_double_eq_tol(
        p95_s.value, batch_hist_quantile_ns(hist, 0, scope.plan.n_batches, 0.95) * 1e-9, 1e-15);
    double theory_s = -log(0.05) * 1e-3 / (1 - 0.5);
    ck_assert_double_gt(p95_s.half_95, 0);
    ck_assert_double_lt(p95_s.half_95, 0.2 * theory_s);
    ck_assert_double_le(fabs(p95_s.value - theory_s), p95_s.half_95);
    ck_assert_double_eq(p95_s.value, shared.value);
    ck_assert_double_eq(p95_s.half_95, shared.half_95);
    batch_hist_destroy(hist);
    record_destroy(one);
    for (int r = 0; r < 3; r++)
        record_destroy(parts[r]);
}
END_TEST

// What one rank has not come to counts for none, and a few stretches are too few.
START_TEST(too_few)
{
    struct record *record = empty_record();
    for (uint32_t bin = 0; bin < N_BINS; bin++)
        add(record, bin, 1000, 100);
    ck_assert(isnan(look_at(&record, 1, 7 * SIMTIME_S).value)); // 5 stretches, one of them the last
    ck_assert(!isnan(look_at(&record, 1, 8 * SIMTIME_S).value));
    struct interim *look = interim_create(record, 2);
    int64_t values[INTERIM_VALUES];
    size_t n = interim_say(look, 40 * SIMTIME_S, values);
    ck_assert_uint_eq(n, N_BINS - FIRST); // the other rank has come to none
    ck_assert(interim_hear(look, values));
    ck_assert(isnan(interim_p95_s(look).value));
    interim_destroy(look);
    record_clear(record);
    for (uint32_t bin = 0; bin < N_BINS; bin++)
        add(record, bin, 1000, 10); // 19 of 380 lie above it
    ck_assert(isnan(look_at(&record, 1, 40 * SIMTIME_S).value));
    record_destroy(record);
}
END_TEST

// A queue that grows has no p95.
START_TEST(growing)
{
    struct record *record = empty_record();
    for (uint32_t bin = 0; bin < N_BINS; bin++)
        for (uint32_t i = 0; i < 100; i++)
            add(record, bin, 1000000 * (int64_t)(bin + 1) + 1000 * (int64_t)i, 1);
    ck_assert(isnan(look_at(&record, 1, 40 * SIMTIME_S).value));
    record_destroy(record);
}
END_TEST

// Bins that are too few for stretches say nothing, at once.
START_TEST(two_bins)
{
    struct meta *meta = fixture_meta_one(1, 1);
    struct record_shape shape = fixture_shape(meta, 2, SIMTIME_S);
    struct record *record = record_create(&shape);
    add(record, 0, 1000, 1000);
    ck_assert(isnan(look_at(&record, 1, SIMTIME_S).value));
    record_destroy(record);
    meta_destroy(meta);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", by_hand},
                                       {"core", of_a_queue},
                                       {"limits", too_few},
                                       {"limits", growing},
                                       {"limits", two_bins}};
    return suite_run("interim", tests, sizeof tests / sizeof *tests);
}
