// SPDX-License-Identifier: Apache-2.0
#include "results/strata.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "results/hist.h"
#include "support/suite.h"

// A made-up hour: latencies are exponential, in every stratum with a mean of its own, and every
// piece is off by a factor of its own (a busy cell, a busy minute).
struct hour {
    uint32_t n_strata, n_pieces; // per stratum
    uint32_t n_queries;          // per piece
    double slope;                // the last stratum's mean over the first's, less 1
    double sd;                   // of the pieces' factors
};

struct made {
    struct strata_piece *pieces;
    size_t n;
};

static double mean_of(const struct hour *hour, uint32_t stratum)
{
    double at = hour->n_strata > 1 ? (double)stratum / (hour->n_strata - 1) : 0;
    return 1e6 * (1 + hour->slope * at);
}

// Nearly normal: the sum of 12 uniform numbers.
static double normal(const struct rng_stream *stream, uint64_t i)
{
    uint64_t words[12];
    double sum = -6;
    rng_fill(stream, 6 * i, 6, words);
    for (int k = 0; k < 12; k++)
        sum += rng_u01(words[k]);
    return sum;
}

// One piece's histogram, into the empty *counts.
static void draw_counts(const struct hour *hour, uint64_t seed, uint32_t stratum, uint32_t j,
                        uint32_t *counts)
{
    uint64_t entity = (uint64_t)stratum * hour->n_pieces + j;
    struct rng_stream own = rng_stream(seed, RNG_TEST, 2 * entity),
                      one = rng_stream(seed, RNG_TEST, 2 * entity + 1);
    double scale = mean_of(hour, stratum) * rng_exp(hour->sd * normal(&own, 0));
    uint64_t *words = mem_calloc(hour->n_queries + 1, sizeof *words);
    double *units = mem_calloc(hour->n_queries, sizeof *units);
    rng_fill(&one, 0, (hour->n_queries + 1) / 2, words);
    rng_exponential(words, hour->n_queries, units);
    for (uint32_t i = 0; i < hour->n_queries; i++)
        counts[hist_index((int64_t)(scale * units[i]))]++;
    mem_free(words);
    mem_free(units);
}

// Moves what is counted into a piece, and leaves counts empty.
static struct strata_piece cut_piece(uint32_t *counts, uint32_t stratum, double weight)
{
    uint32_t first = 0, end = HIST_N_BUCKETS;
    while (counts[first] == 0)
        first++;
    while (counts[end - 1] == 0)
        end--;
    uint32_t n = end - first, *own = mem_calloc(n, sizeof *own);
    memcpy(own, counts + first, n * sizeof *own);
    memset(counts + first, 0, n * sizeof *own);
    return (struct strata_piece){stratum, first, n, own, weight};
}

static struct made make(const struct hour *hour, uint64_t seed)
{
    struct made made = {.n = (size_t)hour->n_strata * hour->n_pieces};
    made.pieces = mem_calloc(made.n, sizeof *made.pieces);
    uint32_t *counts = mem_calloc(HIST_N_BUCKETS, sizeof *counts);
    for (uint32_t h = 0, i = 0; h < hour->n_strata; h++)
        for (uint32_t j = 0; j < hour->n_pieces; j++, i++) {
            draw_counts(hour, seed, h, j, counts);
            made.pieces[i] = cut_piece(counts, h, 1.0 / hour->n_pieces);
        }
    mem_free(counts);
    return made;
}

static void drop(struct made *made)
{
    for (size_t i = 0; i < made->n; i++)
        mem_free((void *)(uintptr_t)made->pieces[i].counts);
    mem_free(made->pieces);
}

// Fraction of the hour's latencies above x ns; factors of pieces by a sum over their distribution.
static double above(const struct hour *hour, double x)
{
    double sum = 0, weights = 0;
    for (uint32_t h = 0; h < hour->n_strata; h++)
        for (int k = -40; k <= 40; k++) {
            double z = k * 0.1, weight = exp(-0.5 * z * z);
            sum += weight * exp(-x / (mean_of(hour, h) * exp(hour->sd * z)));
            weights += weight;
        }
    return sum / weights;
}

static double true_quantile_s(const struct hour *hour, double q)
{
    double low = 0, high = 1e9;
    for (int i = 0; i < 60; i++) {
        double middle = 0.5 * (low + high);
        if (above(hour, middle) > 1 - q)
            low = middle;
        else
            high = middle;
    }
    return low * 1e-9;
}

// Of 120 samples, how many have the true p95, and the true p99, in their interval?
static void cover(const struct hour *hour, int n[2])
{
    const double q[2] = {0.95, 0.99};
    const double truth[2] = {true_quantile_s(hour, q[0]), true_quantile_s(hour, q[1])};
    n[0] = n[1] = 0;
    for (uint64_t seed = 0; seed < 120; seed++) {
        struct made made = make(hour, seed);
        const struct strata_sample sample = {made.pieces, made.n, 0};
        for (int i = 0; i < 2; i++) {
            struct ci ci = strata_quantile_s(&sample, q[i]);
            ck_assert(ci.half_95 > 0);
            n[i] += fabs(ci.value - truth[i]) <= ci.half_95;
        }
        drop(&made);
    }
}

// An interval of 95 % holds the truth in 114 of 120 samples, give or take 3 standard deviations of
// 2.4: although the hour's latencies double meanwhile, and although pieces differ by more than
// their queries' luck.
START_TEST(covers_the_quantile)
{
    const struct hour hour = {4, 4, 800, 1.0, 0.1};
    int n[2];
    cover(&hour, n);
    ck_assert_msg(n[0] >= 107 && n[0] <= 119, "p95: %d of 120", n[0]);
    ck_assert_msg(n[1] >= 107 && n[1] <= 119, "p99: %d of 120", n[1]);
}
END_TEST

// With one piece per stratum, neighbours are compared: as good where the hour is even.
START_TEST(covers_with_single_pieces)
{
    const struct hour hour = {12, 1, 400, 0, 0.1};
    int n[2];
    cover(&hour, n);
    ck_assert_msg(n[0] >= 107 && n[0] <= 119, "%d of 120", n[0]);
}
END_TEST

// The course of the hour is not chance: strata that differ by a factor of four, with pieces alike,
// give an interval as narrow as if they did not differ.
START_TEST(differences_between_strata_do_not_count)
{
    const struct hour even = {4, 8, 2000, 0, 0}, steep = {4, 8, 2000, 3, 0};
    struct made a = make(&even, 1), b = make(&steep, 1);
    const struct strata_sample sa = {a.pieces, a.n, 0}, sb = {b.pieces, b.n, 0};
    struct ci ca = strata_quantile_s(&sa, 0.95), cb = strata_quantile_s(&sb, 0.95);
    // Halves of few degrees of freedom: within a factor of 1.6 of each other.
    double ratio = (cb.half_95 / cb.value) / (ca.half_95 / ca.value);
    ck_assert_msg(ratio < 1.6 && ratio > 1 / 1.6, "%g", ratio);
    drop(&a);
    drop(&b);
}
END_TEST

// Weights: a stratum that counts three times is the same as its queries coming three times.
START_TEST(weights_count)
{
    uint32_t low[1] = {10}, high[1] = {10}, many[1] = {30};
    const struct strata_piece weighted[2] = {{0, 100, 1, low, 1}, {1, 200, 1, high, 3}};
    const struct strata_piece counted[2] = {{0, 100, 1, low, 1}, {1, 200, 1, many, 1}};
    const struct strata_sample a = {weighted, 2, 0}, b = {counted, 2, 0};
    const double late[2] = {1, 2}, of[2] = {10, 10}, late3[2] = {1, 6}, of3[2] = {10, 30};
    for (double q = 0.1; q < 0.95; q += 0.1)
        ck_assert_double_eq_tol(strata_quantile_s(&a, q).value, strata_quantile_s(&b, q).value,
                                1e-18);
    ck_assert_double_eq_tol(strata_ratio(&a, late, of).value, 7.0 / 40, 1e-12);
    ck_assert_double_eq_tol(strata_ratio(&a, late, of).half_95,
                            strata_ratio(&b, late3, of3).half_95, 1e-12);
}
END_TEST

// By hand: pieces of 0, 2 late of 10 in one stratum, 1, 1 in the other. The fraction is 1/10; s^2
// of the first stratum's residuals is 2, so the variance of the 4 late ones is 4, on one degree of
// freedom: 12.706 * 2 / 40 either way. With the whole sampled as much again, sqrt(2) times that.
START_TEST(ratio_by_hand)
{
    const struct strata_piece pieces[4] = {{.stratum = 0, .weight = 1},
                                           {.stratum = 0, .weight = 1},
                                           {.stratum = 1, .weight = 1},
                                           {.stratum = 1, .weight = 1}};
    const double late[4] = {0, 2, 1, 1}, of[4] = {10, 10, 10, 10};
    struct strata_sample sample = {pieces, 4, 0};
    struct ci ci = strata_ratio(&sample, late, of);
    ck_assert_double_eq_tol(ci.value, 0.1, 1e-12);
    ck_assert_double_eq_tol(ci.half_95, 12.7062 * 2 / 40, 1e-4);
    ck_assert_uint_eq(ci.n_batches, 2);
    sample.sampled_frac = 1;
    ck_assert_double_eq_tol(strata_ratio(&sample, late, of).half_95, sqrt(2) * ci.half_95, 1e-9);
}
END_TEST

// Successive differences by hand: 0, 2, 1 late of 10 in three strata; the mean squared difference
// is 5/2, half of it times 3 is 15/4, with 2 * 4 / 5 degrees of freedom.
START_TEST(neighbours_by_hand)
{
    const struct strata_piece pieces[3] = {
        {.stratum = 0, .weight = 1}, {.stratum = 1, .weight = 1}, {.stratum = 2, .weight = 1}};
    const double late[3] = {0, 2, 1}, of[3] = {10, 10, 10};
    const struct strata_sample sample = {pieces, 3, 0};
    struct ci ci = strata_ratio(&sample, late, of);
    ck_assert_double_eq_tol(ci.half_95, ci_t(0.975, 1.6) * sqrt(15.0 / 4) / 30, 1e-9);
}
END_TEST

// Nothing, one piece, too few queries: no number where there is none.
START_TEST(says_nothing_of_nothing)
{
    uint32_t one[1] = {10};
    const struct strata_piece piece = {0, 100, 1, one, 1}, empty = {.stratum = 0, .weight = 1};
    const struct strata_sample none = {NULL, 0, 0}, single = {&piece, 1, 0}, blank = {&empty, 1, 0};
    const double zero = 0;
    ck_assert(isnan(strata_quantile_s(&none, 0.95).value));
    ck_assert(isnan(strata_quantile_s(&blank, 0.95).value));
    ck_assert(isnan(strata_ratio(&blank, &zero, &zero).value));
    ck_assert(isnan(strata_quantile_s(&single, 0.95).value)); // 10 queries have no p95
    ck_assert_double_eq_tol(strata_quantile_s(&single, 0.5).value, 100e-9, 1e-12);
    ck_assert(isnan(strata_quantile_s(&single, 0.5).half_95));
}
END_TEST

// Latencies that are all the same are known to a bucket, not exactly.
START_TEST(no_interval_is_narrower_than_a_bucket)
{
    uint32_t many[1] = {1000}, index = hist_index(1000000);
    struct strata_piece pieces[4];
    for (uint32_t i = 0; i < 4; i++)
        pieces[i] = (struct strata_piece){i / 2, index, 1, many, 1};
    const struct strata_sample sample = {pieces, 4, 0};
    struct ci ci = strata_quantile_s(&sample, 0.95);
    ck_assert_double_eq_tol(ci.value, 1e-3, 1e-6);
    // 512 ns are the width of buckets from 0.5 ms to 1.05 ms.
    ck_assert_double_eq_tol(ci.half_95, 512e-9, 1e-12);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", covers_the_quantile},
                                       {"core", covers_with_single_pieces},
                                       {"core", differences_between_strata_do_not_count},
                                       {"core", weights_count},
                                       {"core", ratio_by_hand},
                                       {"core", neighbours_by_hand},
                                       {"limits", no_interval_is_narrower_than_a_bucket},
                                       {"errors", says_nothing_of_nothing}};
    return suite_run("strata", tests, sizeof tests / sizeof *tests);
}
