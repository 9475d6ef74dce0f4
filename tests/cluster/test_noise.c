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
    noise_init(&noise, &(struct noise_config){.spread = spread, .cv = cv}, 11, 2);
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
        double x = noise_factor(&noise, NOISE_NO_STATE, i / 4, (uint32_t)(i % 4));
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
        n += noise_factor(&noise, NOISE_NO_STATE, i, 0) <= x;
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
    ck_assert_double_eq(noise_factor(&noise, NOISE_NO_STATE, 3, 1), 1);
    ck_assert_int_eq(noise_apply(&noise, 123456789, NOISE_NO_STATE, 3, 1), 123456789);
}
END_TEST

// A factor depends on seed, cell, query and request, on each of them, and on nothing else.
START_TEST(keyed)
{
    for (int64_t spread = SPREAD_EXPONENTIAL; spread < N_SPREADS; spread++) {
        const struct noise_config config = {.spread = spread, .cv = 0.7};
        struct noise a, seed, cell;
        noise_init(&a, &config, 11, 2);
        noise_init(&seed, &config, 12, 2);
        noise_init(&cell, &config, 11, 3);
        double x = noise_factor(&a, NOISE_NO_STATE, 5, 9);
        ck_assert_double_ne(noise_factor(&seed, NOISE_NO_STATE, 5, 9), x);
        ck_assert_double_ne(noise_factor(&cell, NOISE_NO_STATE, 5, 9), x);
        ck_assert_double_ne(noise_factor(&a, NOISE_NO_STATE, 6, 9), x);
        ck_assert_double_ne(noise_factor(&a, NOISE_NO_STATE, 5, 10), x);
        ck_assert_double_eq(noise_factor(&a, NOISE_NO_STATE, 5, 9), x);
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
        double x = noise_factor(&noise, NOISE_NO_STATE, i, 0) - 1;
        requests += x * (noise_factor(&noise, NOISE_NO_STATE, i, 1) - 1);
        queries += x * (noise_factor(&noise, NOISE_NO_STATE, i + 1, 0) - 1);
    }
    ck_assert_double_eq_tol(requests / N_DRAWS, 0, 5 / sqrt(N_DRAWS));
    ck_assert_double_eq_tol(queries / N_DRAWS, 0, 5 / sqrt(N_DRAWS));
}
END_TEST

static struct noise make_states(int64_t spread, double cv, double frac)
{
    const struct noise_config config = {spread, cv, 1000000, frac};
    struct noise noise;
    noise_init(&noise, &config, 11, 2);
    return noise;
}

// The factor of a request that comes to a server at that time: another one each time.
static double at(const struct noise *noise, uint32_t server, int64_t t_ns, uint64_t seq)
{
    return noise_factor(noise, noise_state(noise, server, t_ns), seq, 0);
}

// Pairs of requests to one server that are `taus` correlation times apart, one pair a server: mean
// 1, the given cv, and a correlation of frac e^(-taus), each within five standard errors. That of
// the correlation is measured along.
static void assert_correlated(int64_t spread, double cv, double frac, double taus)
{
    enum { N_PAIRS = 20000 };
    struct noise noise = make_states(spread, cv, frac);
    double sum = 0, squares = 0, quads = 0, products = 0, product_squares = 0;
    int64_t gap_ns = (int64_t)(taus * 1e6);
    for (uint32_t i = 0; i < N_PAIRS; i++) {
        int64_t from_ns = i * INT64_C(12345); // in the first slot as in later ones
        double x = at(&noise, i, from_ns, 2 * i) - 1;
        double product = x * (at(&noise, i, from_ns + gap_ns, 2 * i + 1) - 1);
        sum += x;
        squares += x * x;
        quads += x * x * x * x;
        products += product;
        product_squares += product * product;
    }
    double n = N_PAIRS, var = squares / n, mean_product = products / n;
    ck_assert_double_eq_tol(sum / n, 0, 5 * cv / sqrt(n));
    ck_assert_double_eq_tol(var, cv * cv, 5 * sqrt((quads / n - var * var) / n));
    double se = sqrt((product_squares / n - mean_product * mean_product) / n);
    ck_assert_double_eq_tol(mean_product, cv * cv * frac * exp(-taus), 5 * se);
    ck_assert_double_lt(se, 0.05 * cv * cv); // so that it can fail
}

// Whatever the distribution, it stays as it is, and correlations fall with the time between.
START_TEST(states_correlate)
{
    static const double taus[] = {0, 0.2, 1, 3};
    for (int i = 0; i < 4; i++) {
        assert_correlated(SPREAD_EXPONENTIAL, 1, 1, taus[i]);
        assert_correlated(SPREAD_GAMMA, 0.5, 0.64, taus[i]);
        assert_correlated(SPREAD_LOGNORMAL, 0.3, 0.64, taus[i]);
    }
}
END_TEST

// A state holds for a while and is left for good: the times at which it changes have exponential
// gaps, so of n steps of a tenth of tau each, n (1 - e^-0.1) have a change. Steps do not know of
// each other.
START_TEST(states_last)
{
    struct noise noise = make_states(SPREAD_LOGNORMAL, 0.4, 1);
    int n_changes = 0, n_pairs = 0;
    bool changed = false;
    for (int i = 0; i < N_DRAWS; i++) {
        int64_t t_ns = i * INT64_C(100000);
        bool changes = noise_state(&noise, 7, t_ns) != noise_state(&noise, 7, t_ns + 100000);
        n_changes += changes;
        n_pairs += changes && changed;
        changed = changes;
    }
    double p = 1 - exp(-0.1), n = N_DRAWS;
    ck_assert_double_eq_tol(n_changes / n, p, 5 * sqrt(p * (1 - p) / n));
    ck_assert_double_eq_tol(n_pairs / n, p * p, 5 * sqrt(p * p * (1 + 2 * p) / n));
}
END_TEST

// A state depends on seed, server and time alone: not on the cell, nor on what was asked before;
// and servers count from the block's first. Without a time or a part there is none, and factors are
// those of a noise without.
START_TEST(states_keyed)
{
    const struct noise_config config = {SPREAD_GAMMA, 0.7, 5000, 0.5};
    struct noise a, seed, cell;
    noise_init(&a, &config, 11, 2);
    noise_init(&seed, &config, 12, 2);
    noise_init(&cell, &config, 11, 3);
    double x = noise_state(&a, 4, 123456);
    ck_assert_double_ne(noise_state(&seed, 4, 123456), x);
    ck_assert_double_ne(noise_state(&a, 5, 123456), x);
    ck_assert_double_ne(noise_state(&a, 4, 1234567), x);
    ck_assert_double_eq(noise_state(&cell, 4, 123456), x);
    cell.first_server = 3;
    ck_assert_double_eq(noise_state(&cell, 1, 123456), x);
    const struct noise_config none[] = {{SPREAD_GAMMA, 0.7, 0, 0.5}, {SPREAD_GAMMA, 0.7, 5000, 0}};
    for (int i = 0; i < 2; i++) {
        struct noise plain;
        noise_init(&plain, &none[i], 11, 2);
        ck_assert_double_eq(noise_state(&plain, 4, 123456), NOISE_NO_STATE);
        ck_assert_double_eq(noise_factor(&plain, NOISE_NO_STATE, 5, 9),
                            noise_factor(&a, NOISE_NO_STATE, 5, 9));
    }
}
END_TEST

// The very numbers, as a separate program computes them that goes through all changes of a server
// from time 0 on (in Python: Philox2x64-10, and its logarithm): exponential factors of the servers
// 0 and 9 of the fleet, the first three requests of a query each, a correlation time of 1 ms. Some
// states are as old as the run, some as old as a few slots.
START_TEST(states_by_hand)
{
    static const struct {
        uint32_t server;
        int64_t t_ns;
        double factors[3];
    } cases[] = {
        {0, 0, {0.8117637517, 0.8117637517, 0.8117637517}},
        {0, 400000, {0.8117637517, 0.8117637517, 1.0684472915}},
        {0, 900000, {0.8117637517, 1.1899013507, 0.8117637517}},
        {0, 1700000, {1.4596428310, 0.2620981875, 0.8117637517}},
        {0, 5250000, {1.7503969696, 1.7503969696, 0.3952240166}},
        {0, 60000000, {1.1012423573, 1.1012423573, 0.0363763326}},
        {9, 0, {0.6982428687, 0.6982428687, 0.6982428687}},
        {9, 400000, {0.6982428687, 0.6982428687, 1.0684472915}},
        {9, 900000, {0.4756679335, 1.1899013507, 0.4756679335}},
        {9, 1700000, {1.4596428310, 0.2620981875, 0.4756679335}},
        {9, 5250000, {0.3519234904, 0.3519234904, 0.3952240166}},
        {9, 60000000, {0.6531435991, 0.6531435991, 0.0363763326}},
    };
    struct noise noise = make_states(SPREAD_EXPONENTIAL, 1, 0.5);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (uint32_t r = 0; r < 3; r++) {
            double state = noise_state(&noise, cases[i].server, cases[i].t_ns);
            double x = noise_factor(&noise, state, (uint64_t)cases[i].t_ns / 100000, r);
            ck_assert_double_eq_tol(x, cases[i].factors[r], 1e-10);
        }
}
END_TEST

// The product is rounded to the nearest nanosecond, half up.
START_TEST(rounds)
{
    struct noise noise = make(SPREAD_GAMMA, 0.4);
    for (uint64_t seq = 0; seq < 1000; seq++) {
        double exact = 777.0 * noise_factor(&noise, NOISE_NO_STATE, seq, 3);
        ck_assert_int_eq(noise_apply(&noise, 777, NOISE_NO_STATE, seq, 3),
                         (int64_t)floor(exact + 0.5));
    }
    ck_assert_int_eq(noise_apply(&noise, 0, NOISE_NO_STATE, 1, 1), 0);
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
        double x = noise_factor(&noise, NOISE_NO_STATE, i, 0);
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
        ck_assert_int_eq(noise_apply(&noise, 1000, NOISE_NO_STATE, seq, 0), 1000);
}
END_TEST

// A day times a rare huge factor is cut where sums of times would leave 64 bits.
START_TEST(longest)
{
    struct noise noise = make(SPREAD_LOGNORMAL, 100);
    int64_t longest_ns = 0;
    for (uint64_t seq = 0; seq < N_DRAWS; seq++) {
        int64_t ns = noise_apply(&noise, SIMTIME_LONGEST / 30, NOISE_NO_STATE, seq, 0);
        longest_ns = ns > longest_ns ? ns : longest_ns;
        ck_assert_int_ge(ns, 0);
    }
    ck_assert_int_eq(longest_ns, SIMTIME_LONGEST);
}
END_TEST

// A server of a large fleet late in a long run of a short correlation time has a state, too.
START_TEST(far_states)
{
    const struct noise_config config = {SPREAD_GAMMA, 0.4, 1000, 1};
    struct noise noise;
    noise_init(&noise, &config, 11, 2);
    double x = noise_state(&noise, 99999999, SIMTIME_LONGEST);
    ck_assert(x > 0 && isfinite(x));
    ck_assert_double_ne(x, noise_state(&noise, 99999999, SIMTIME_LONGEST - 100000));
}
END_TEST

// The last request of a late query of a long run still has a factor of its own.
START_TEST(far_addresses)
{
    struct noise noise = make(SPREAD_GAMMA, 0.4);
    uint64_t seq = (UINT64_C(1) << 40) - 1;
    double x = noise_factor(&noise, NOISE_NO_STATE, seq, 65535);
    ck_assert(x > 0 && isfinite(x));
    ck_assert_double_ne(x, noise_factor(&noise, NOISE_NO_STATE, seq, 65534));
    ck_assert_double_ne(x, noise_factor(&noise, NOISE_NO_STATE, seq - 1, 65535));
    ck_assert_double_ne(x, noise_factor(&noise, NOISE_NO_STATE, 0, 65535));
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", exponential},
                                       {"core", gamma_spread},
                                       {"core", lognormal},
                                       {"core", none},
                                       {"core", keyed},
                                       {"core", neighbours},
                                       {"core", states_correlate},
                                       {"core", states_last},
                                       {"core", states_keyed},
                                       {"core", states_by_hand},
                                       {"limits", rounds},
                                       {"limits", wild_gamma},
                                       {"limits", tame_gamma},
                                       {"limits", longest},
                                       {"limits", far_addresses},
                                       {"limits", far_states}};
    return suite_run("noise", tests, sizeof tests / sizeof *tests);
}
