// SPDX-License-Identifier: Apache-2.0
// Draws have fixed seeds, so the bounds of five standard errors decide the same way every time.
#include "cluster/noise.h"

#include <math.h>
#include <stdbool.h>

#include "base/simtime.h"
#include "support/suite.h"

enum { N_DRAWS = 100000 };

static struct noise make(int64_t spread, double cv)
{
    struct noise noise;
    noise_init(&noise, &(struct noise_config){spread, cv}, 11, 2);
    return noise;
}

// Mean 1 and the given coefficient of variation; `kurtosis` (fourth moment over the squared
// variance) gives the standard error of the variance.
static void assert_moments(int64_t spread, double cv, double kurtosis)
{
    struct noise noise = make(spread, cv);
    double sum = 0, sum_sq = 0;
    bool good = true;
    for (uint64_t i = 0; i < N_DRAWS; i++) {
        double x = noise_factor(&noise, i / 4, (uint32_t)(i % 4));
        good &= x > 0 && isfinite(x);
        sum += x;
        sum_sq += (x - 1) * (x - 1);
    }
    ck_assert(good);
    double mean = sum / N_DRAWS, var = sum_sq / N_DRAWS;
    ck_assert_double_eq_tol(mean, 1, 5 * cv / sqrt(N_DRAWS));
    ck_assert_double_eq_tol(var, cv * cv, 5 * cv * cv * sqrt((kurtosis - 1) / N_DRAWS));
}

// Share of draws at or below `x`.
static double below(int64_t spread, double cv, double x)
{
    struct noise noise = make(spread, cv);
    int n = 0;
    for (uint64_t i = 0; i < N_DRAWS; i++)
        n += noise_factor(&noise, i, 0) <= x;
    return (double)n / N_DRAWS;
}

static void assert_below(int64_t spread, double cv, double x, double p)
{
    ck_assert_double_eq_tol(below(spread, cv, x), p, 5 * sqrt(p * (1 - p) / N_DRAWS));
}

// Exponential: mean 1, cv 1, kurtosis 9, and its distribution function at three points.
START_TEST(exponential)
{
    assert_moments(SPREAD_EXPONENTIAL, 1, 9);
    for (double x = 0.5; x < 4; x *= 2)
        assert_below(SPREAD_EXPONENTIAL, 0, x, 1 - exp(-x));
}
END_TEST

// Gamma: kurtosis 3 + 6 cv^2, on both sides of shape 1; with cv 1 it is the exponential.
START_TEST(gamma_spread)
{
    static const double cvs[] = {0.05, 0.5, 1, 2};
    for (int i = 0; i < 4; i++)
        assert_moments(SPREAD_GAMMA, cvs[i], 3 + 6 * cvs[i] * cvs[i]);
    for (double x = 0.5; x < 4; x *= 2)
        assert_below(SPREAD_GAMMA, 1, x, 1 - exp(-x));
}
END_TEST

// Lognormal: kurtosis w^4 + 2 w^3 + 3 w^2 - 3 with w = 1 + cv^2, median 1 / sqrt(w).
START_TEST(lognormal)
{
    static const double cvs[] = {0.05, 0.3, 0.8};
    for (int i = 0; i < 3; i++) {
        double w = 1 + cvs[i] * cvs[i];
        assert_moments(SPREAD_LOGNORMAL, cvs[i], w * w * w * w + 2 * w * w * w + 3 * w * w - 3);
        assert_below(SPREAD_LOGNORMAL, cvs[i], 1 / sqrt(w), 0.5);
    }
}
END_TEST

// Without a spread the factor is one.
START_TEST(none)
{
    struct noise noise = make(SPREAD_NONE, 0.5);
    ck_assert_double_eq(noise_factor(&noise, 3, 1), 1);
    ck_assert_int_eq(noise_apply(&noise, 123456789, 3, 1), 123456789);
}
END_TEST

// A factor depends on seed, cell, query and request, on each of them, and on nothing else.
START_TEST(keyed)
{
    for (int64_t spread = SPREAD_EXPONENTIAL; spread < N_SPREADS; spread++) {
        const struct noise_config config = {spread, 0.7};
        struct noise a, seed, cell;
        noise_init(&a, &config, 11, 2);
        noise_init(&seed, &config, 12, 2);
        noise_init(&cell, &config, 11, 3);
        double x = noise_factor(&a, 5, 9);
        ck_assert_double_ne(noise_factor(&seed, 5, 9), x);
        ck_assert_double_ne(noise_factor(&cell, 5, 9), x);
        ck_assert_double_ne(noise_factor(&a, 6, 9), x);
        ck_assert_double_ne(noise_factor(&a, 5, 10), x);
        ck_assert_double_eq(noise_factor(&a, 5, 9), x);
    }
}
END_TEST

// Requests of one query, and queries of one cell, have nothing to do with each other: the
// correlation of neighbours is 0 within five standard errors of 1 / sqrt(n).
START_TEST(neighbours)
{
    struct noise noise = make(SPREAD_EXPONENTIAL, 0);
    double requests = 0, queries = 0;
    for (uint64_t i = 0; i < N_DRAWS; i++) {
        double x = noise_factor(&noise, i, 0) - 1;
        requests += x * (noise_factor(&noise, i, 1) - 1);
        queries += x * (noise_factor(&noise, i + 1, 0) - 1);
    }
    ck_assert_double_eq_tol(requests / N_DRAWS, 0, 5 / sqrt(N_DRAWS));
    ck_assert_double_eq_tol(queries / N_DRAWS, 0, 5 / sqrt(N_DRAWS));
}
END_TEST

// The product is rounded to the nearest nanosecond, half up.
START_TEST(rounds)
{
    struct noise noise = make(SPREAD_GAMMA, 0.4);
    for (uint64_t seq = 0; seq < 1000; seq++) {
        double exact = 777.0 * noise_factor(&noise, seq, 3);
        ck_assert_int_eq(noise_apply(&noise, 777, seq, 3), (int64_t)floor(exact + 0.5));
    }
    ck_assert_int_eq(noise_apply(&noise, 0, 1, 1), 0);
}
END_TEST

// A cv at the end of its range makes most factors tiny, none negative or endless: the median of a
// gamma of shape 1e-4 is below 1e-300, and P(X > x) is about 1e-4 (-log(1e-4 x) - 0.577) for small
// 1e-4 x, 6.3e-4 at x = 10.
START_TEST(wild_gamma)
{
    struct noise noise = make(SPREAD_GAMMA, 100);
    bool good = true;
    for (uint64_t i = 0; i < N_DRAWS; i++) {
        double x = noise_factor(&noise, i, 0);
        good &= x >= 0 && isfinite(x);
    }
    ck_assert(good);
    assert_below(SPREAD_GAMMA, 100, 1e-300, 1 - 1e-4 * (-log(1e-304) - 0.5772));
    assert_below(SPREAD_GAMMA, 100, 10, 1 - 6.33e-4);
}
END_TEST

// A cv too small to see, whose square is no double, is no spread and no endless loop.
START_TEST(tame_gamma)
{
    struct noise noise = make(SPREAD_GAMMA, 1e-200);
    for (uint64_t seq = 0; seq < 100; seq++)
        ck_assert_int_eq(noise_apply(&noise, 1000, seq, 0), 1000);
}
END_TEST

// A day times a rare huge factor is cut where sums of times would leave 64 bits.
START_TEST(longest)
{
    struct noise noise = make(SPREAD_LOGNORMAL, 100);
    int64_t longest_ns = 0;
    for (uint64_t seq = 0; seq < N_DRAWS; seq++) {
        int64_t ns = noise_apply(&noise, SIMTIME_LONGEST / 30, seq, 0);
        longest_ns = ns > longest_ns ? ns : longest_ns;
        ck_assert_int_ge(ns, 0);
    }
    ck_assert_int_eq(longest_ns, SIMTIME_LONGEST);
}
END_TEST

// The last request of a late query of a long run still has a factor of its own.
START_TEST(far_addresses)
{
    struct noise noise = make(SPREAD_GAMMA, 0.4);
    uint64_t seq = (UINT64_C(1) << 40) - 1;
    double x = noise_factor(&noise, seq, 65535);
    ck_assert(x > 0 && isfinite(x));
    ck_assert_double_ne(x, noise_factor(&noise, seq, 65534));
    ck_assert_double_ne(x, noise_factor(&noise, seq - 1, 65535));
    ck_assert_double_ne(x, noise_factor(&noise, 0, 65535));
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", exponential}, {"core", gamma_spread},   {"core", lognormal},
        {"core", none},        {"core", keyed},          {"core", neighbours},
        {"limits", rounds},    {"limits", wild_gamma},   {"limits", tame_gamma},
        {"limits", longest},   {"limits", far_addresses}};
    return suite_run("noise", tests, sizeof tests / sizeof *tests);
}
