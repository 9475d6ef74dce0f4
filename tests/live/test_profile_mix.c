// SPDX-License-Identifier: Apache-2.0
#include "live/profile_mix.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "support/suite.h"

static const uint32_t items[] = {1, 4, 16}, busy[] = {1, 2};
static const double time_s[] = {1, 4, 16, 2, 8, 32}; // an item a second; two with both busy
static const struct profile_grid grid = {3, 2, items, busy, time_s};

static struct profile_sample sample(uint32_t n_items, double s)
{
    return (struct profile_sample){.time_s = (float)s, .items = n_items};
}

// Between the sizes of the grid time is linear, outside them the nearest.
START_TEST(the_grid_is_linear)
{
    ck_assert_double_eq(profile_grid_s(&grid, 0, 1), 1);
    ck_assert_double_eq(profile_grid_s(&grid, 0, 4), 4);
    ck_assert_double_eq(profile_grid_s(&grid, 0, 10), 10);
    ck_assert_double_eq(profile_grid_s(&grid, 1, 10), 20);
    ck_assert_double_eq(profile_grid_s(&grid, 1, 16), 32);
    ck_assert_double_eq(profile_grid_s(&grid, 0, 99), 16);
}
END_TEST

// Requests count for the sizes of the grid that they are between, by how near they are.
START_TEST(near_a_size)
{
    struct profile_mix *mix = profile_mix_create();
    struct profile_mix_near near[3];
    // Of 4 items 1.5 times the grid's, of 10 and 16 twice; other visits and other cores apart.
    const struct profile_sample one[] = {sample(4, 6), sample(10, 20)};
    const struct profile_sample two[] = {sample(4, 6), sample(16, 32)}, other[] = {sample(4, 80)};
    ck_assert(profile_mix_add(mix, 1, 16, 0, one, 2));
    ck_assert(profile_mix_add(mix, 2, 16, 1, other, 1));
    ck_assert(profile_mix_add(mix, 3, 16, 0, two, 2));
    profile_mix_near(mix, &grid, 0, 0, near);
    ck_assert_double_eq(near[0].weight, 0);
    ck_assert(isnan(near[0].ratio.value));
    ck_assert_double_eq_tol(near[1].weight, 2.5, 1e-9); // 10 is halfway between 4 and 16
    ck_assert_double_eq_tol(near[1].ratio.value, (2 * 1.5 + 0.5 * 2) / 2.5, 1e-6);
    ck_assert_double_gt(near[1].ratio.half_95, 0);
    ck_assert_double_eq_tol(near[2].ratio.value, 2, 1e-6);
    ck_assert_double_eq_tol(near[2].ratio.half_95, 0, 1e-6);
    ck_assert_double_eq_tol(near[2].cv, 0, 1e-3);
    // A mix that was cut elsewhere is one of all, and none of this.
    ck_assert(profile_mix_add(mix, 4, 4, 0, other, 1));
    profile_mix_near(mix, &grid, 0, 0, near);
    ck_assert_double_eq_tol(near[1].weight, 3.5, 1e-9);
    profile_mix_near(mix, &grid, 16, 0, near);
    ck_assert_double_eq_tol(near[1].weight, 2.5, 1e-9);
    profile_mix_destroy(mix);
}
END_TEST

// A whole mix: mean, ratio, time per item and spread; threads of a visit are one batch.
START_TEST(a_whole_mix)
{
    struct profile_mix *mix = profile_mix_create();
    for (uint64_t visit = 0; visit < 4; visit++)
        for (int thread = 0; thread < 2; thread++) {
            double times = thread == 0 ? 1.1 : 1.3;
            const struct profile_sample all[] = {sample(4, 4 * times), sample(16, 16 * times)};
            ck_assert(profile_mix_add(mix, visit, 16, 0, all, 2));
        }
    struct profile_mix_sum sum = profile_mix_sum(mix, &grid, 16, 0);
    ck_assert_uint_eq(sum.n, 16);
    ck_assert_double_eq_tol(sum.mean_s.value, 12, 1e-5);
    ck_assert_uint_eq(sum.mean_s.n_batches, 4);
    ck_assert_double_eq_tol(sum.mean_s.half_95, 0, 1e-5);
    ck_assert_double_eq_tol(sum.ratio.value, 1.2, 1e-6);
    ck_assert_double_eq_tol(sum.work_item_s, 1.2, 1e-6);
    ck_assert_double_eq_tol(sum.cv, 0, 1e-5); // one core is slower, and always as much
    ck_assert_double_eq_tol(sum.drift_cv, 0, 1e-5);
    ck_assert_uint_eq(profile_mix_sum(mix, &grid, 8, 0).n, 0);
    profile_mix_destroy(mix);
}
END_TEST

// With histories: a request of 4 items and a history of 6 takes 4 + 2 * 6, with the base's, 2, it
// takes 4; so of 20 it is 5, and a quarter more than the grid says. Means are of what was.
START_TEST(histories)
{
    struct profile_mix *mix = profile_mix_create();
    const struct history_fit fits[] = {{.of = {2, 0, 0}}, {.of = {0, 0, 0}}};
    struct profile_sample long_one = sample(4, 15), base = sample(4, 5), other = sample(4, 10);
    long_one.history_items = 6;
    base.history_items = 2;
    other.history_items = 99; // with two busy, where a history adds nothing
    const struct profile_sample all[] = {long_one, base};
    ck_assert(profile_mix_add(mix, 1, 16, 0, all, 2));
    ck_assert(profile_mix_add(mix, 2, 16, 1, &other, 1));
    profile_mix_rebase(mix, &grid, fits, 2);
    struct profile_mix_near near[3];
    struct profile_mix_sum sum = profile_mix_sum(mix, &grid, 16, 0);
    ck_assert_double_eq_tol(sum.mean_s.value, 10, 1e-6);
    ck_assert_double_eq_tol(sum.work_item_s, 20.0 / 8, 1e-6);
    ck_assert_double_eq_tol(sum.ratio.value, (15 * 4 / 12.0 + 5) / 8, 1e-6);
    profile_mix_near(mix, &grid, 16, 0, near);
    ck_assert_double_eq_tol(near[1].ratio.value, 1.25, 1e-6);
    ck_assert_double_eq_tol(near[1].cv, 0, 1e-3);
    ck_assert_double_eq_tol(profile_mix_sum(mix, &grid, 16, 1).ratio.value, 10.0 / 8, 1e-6);
    profile_mix_destroy(mix);
}
END_TEST

// What differs from visit to visit is drift, and what differs within one is noise, for which a
// request counts by the time that it takes: here 16 items vary by a tenth, and 1 item by all it is.
START_TEST(drift_and_noise)
{
    struct profile_mix *mix = profile_mix_create();
    for (uint64_t visit = 0; visit < 4; visit++) {
        double speed = visit % 2 == 0 ? 0.8 : 1.2;
        const struct profile_sample all[] = {
            sample(16, 16 * 0.9 * speed), sample(16, 16 * 1.1 * speed),
            sample(1, 0.0 * speed),       sample(1, 2.0 * speed),
            sample(16, 16 * 1.1 * speed), sample(16, 16 * 0.9 * speed)};
        ck_assert(profile_mix_add(mix, visit, 16, 0, all, 6));
    }
    struct profile_mix_sum sum = profile_mix_sum(mix, &grid, 16, 0);
    ck_assert_double_eq_tol(sum.ratio.value, 1, 1e-6);
    // Of 0.8, 1.2, 0.8, 1.2.
    ck_assert_double_eq_tol(sum.drift_cv, 0.2 * sqrt(4.0 / 3), 1e-6);
    // Squares of 4 times 1.6 and 2 times 1 over 4 times 16 and 2 times 1, with 5 free of 6.
    double variance = (4 * 1.6 * 1.6 + 2) / (4 * 16 * 16 + 2) * 6 / 5;
    ck_assert_double_eq_tol(sum.cv, sqrt(variance), 1e-6);
    profile_mix_destroy(mix);
    mix = profile_mix_create();
    const struct profile_sample one[] = {sample(4, 4)};
    ck_assert(profile_mix_add(mix, 0, 4, 0, one, 1));
    sum = profile_mix_sum(mix, &grid, 4, 0); // of one request neither is known
    ck_assert(isnan(sum.drift_cv));
    ck_assert(isnan(sum.cv));
    profile_mix_destroy(mix);
}
END_TEST

// The interval of a ratio holds the truth about as often as it says: 95 of 100, here of 200.
START_TEST(intervals_hold_the_truth)
{
    int held = 0;
    for (uint64_t trial = 0; trial < 200; trial++) {
        struct profile_mix *mix = profile_mix_create();
        const struct rng_stream stream = rng_stream(trial, RNG_TEST, 1);
        for (uint64_t visit = 0; visit < 12; visit++) {
            struct profile_sample all[32];
            uint64_t words[66];
            rng_fill(&stream, visit * 33, 33, words);
            size_t n = 8 + rng_below((uint32_t)words[64], 24);
            double drift = 1 + 0.2 * (rng_u01(words[65]) - 0.5);
            for (size_t i = 0; i < n; i++) {
                uint32_t size = 1 + rng_below((uint32_t)words[2 * i], 16);
                all[i] = sample(size, size * 1.5 * drift * (0.9 + 0.2 * rng_u01(words[2 * i + 1])));
            }
            ck_assert(profile_mix_add(mix, visit, 16, 0, all, n));
        }
        struct ci ci = profile_mix_sum(mix, &grid, 16, 0).ratio;
        held += fabs(ci.value - 1.5) <= ci.half_95;
        profile_mix_destroy(mix);
    }
    ck_assert_int_ge(held, 180); // 95 % less 3.2 standard errors
    ck_assert_int_le(held, 200);
}
END_TEST

// Factors that hang together as a study's noise does have its time and its fraction.
START_TEST(correlation_is_found)
{
    struct profile_mix *mix = profile_mix_create();
    const struct rng_stream stream = rng_stream(7, RNG_TEST, 2);
    enum { N = 200000 };
    struct profile_sample *all = mem_calloc(N, sizeof *all);
    double state = 0, own_s, frac_of, stay = exp(-1 / 4.0); // 4 requests long
    for (uint64_t i = 0; i < N; i++) {
        uint64_t words[4];
        rng_fill(&stream, 2 * i, 2, words);
        state = i > 0 && rng_u01(words[0]) < stay ? state : rng_u01(words[1]);
        own_s = rng_u01(words[2]) < sqrt(0.6) ? state : rng_u01(words[3]);
        all[i] = sample(4, 4 * (1 + own_s));
    }
    ck_assert(profile_mix_add(mix, 0, 4, 0, all, N));
    struct profile_mix_sum sum = profile_mix_sum(mix, &grid, 4, 0);
    double s = 0;
    ck_assert_double_eq_tol(sum.lag[0], 0.6 * stay, 0.03);
    ck_assert(profile_mix_correlation(&sum, 2, &s, &frac_of));
    ck_assert_double_eq_tol(s, 8, 0.8); // of gaps of 2 s
    ck_assert_double_eq_tol(frac_of, 0.6, 0.03);
    mem_free(all);
    profile_mix_destroy(mix);
}
END_TEST

// Where requests have nothing to do with each other there is no correlation, nor with two of them.
START_TEST(no_correlation)
{
    struct profile_mix *mix = profile_mix_create();
    const struct rng_stream stream = rng_stream(8, RNG_TEST, 3);
    struct profile_sample all[2000];
    double s, frac;
    for (uint64_t i = 0; i < 2000; i++) {
        uint64_t words[2];
        rng_block(&stream, i, words);
        all[i] = sample(4, 4 * (1 + rng_u01(words[0])));
    }
    ck_assert(profile_mix_add(mix, 0, 4, 0, all, 2000));
    struct profile_mix_sum sum = profile_mix_sum(mix, &grid, 4, 0);
    ck_assert_double_lt(fabs(sum.lag[0]), 0.08);
    ck_assert(!profile_mix_correlation(&sum, 2, &s, &frac));
    profile_mix_destroy(mix);
    mix = profile_mix_create();
    ck_assert(profile_mix_add(mix, 0, 4, 0, all, 2));
    sum = profile_mix_sum(mix, &grid, 4, 0);
    ck_assert(isnan(sum.lag[1]));
    ck_assert(!profile_mix_correlation(&sum, 2, &s, &frac));
    profile_mix_destroy(mix);
}
END_TEST

// A few requests have no correlation that could be told from chance, each lag by its own pairs.
START_TEST(few_requests)
{
    struct profile_mix *mix = profile_mix_create();
    const struct profile_sample three[] = {sample(4, 5), sample(4, 1), sample(4, 5)};
    struct profile_sample all[36];
    ck_assert(profile_mix_add(mix, 0, 4, 0, three, 3));
    ck_assert(isnan(profile_mix_sum(mix, &grid, 4, 0).lag[0]));
    profile_mix_destroy(mix);
    mix = profile_mix_create();
    for (int i = 0; i < 36; i++)
        all[i] = sample(4, i % 3 == 0 ? 5 : 4);
    ck_assert(profile_mix_add(mix, 0, 4, 0, all, 36));
    struct profile_mix_sum sum = profile_mix_sum(mix, &grid, 4, 0);
    ck_assert_double_lt(sum.lag[0], 0); // of 35 pairs
    ck_assert_double_gt(sum.lag[2], 0);
    ck_assert(isnan(sum.lag[9])); // of 26
    profile_mix_destroy(mix);
}
END_TEST

// Of an empty mix nothing is known.
START_TEST(empty)
{
    struct profile_mix *mix = profile_mix_create();
    struct profile_mix_near near[3];
    profile_mix_near(mix, &grid, 0, 0, near);
    ck_assert_double_eq(near[2].weight, 0);
    ck_assert(isnan(profile_mix_sum(mix, &grid, 16, 0).mean_s.value));
    profile_mix_destroy(mix);
    profile_mix_destroy(NULL);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", the_grid_is_linear},   {"core", near_a_size},
        {"core", a_whole_mix},          {"core", histories},
        {"core", drift_and_noise},      {"core", intervals_hold_the_truth},
        {"core", correlation_is_found}, {"limits", no_correlation},
        {"limits", few_requests},       {"errors", empty},
    };
    return suite_run("profile_mix", tests, sizeof tests / sizeof *tests);
}
