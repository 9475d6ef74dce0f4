// SPDX-License-Identifier: Apache-2.0
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

// Philox2x64-10 against the known answers that Random123 ships (kat_vectors, "philox2x64 10").
START_TEST(known_answers)
{
    const struct {
        uint64_t low, high, key, out[2];
    } rows[] = {
        {0, 0, 0, {0xca00a0459843d731, 0x66c24222c9a845b5}},
        {UINT64_MAX, UINT64_MAX, UINT64_MAX, {0x65b021d60cd8310f, 0x4d02f3222f86df20}},
        {0x243f6a8885a308d3,
         0x13198a2e03707344,
         0xa4093822299f31d0,
         {0x0a5e742c2997341c, 0xb0f883d38000de5d}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct rng_stream s = {rows[i].key, rows[i].high};
        uint64_t words[2];
        rng_block(&s, rows[i].low, words);
        ck_assert_uint_eq(words[0], rows[i].out[0]);
        ck_assert_uint_eq(words[1], rows[i].out[1]);
    }
}
END_TEST

// Filling many blocks gives what the blocks give one by one, at any start and length.
START_TEST(fill_is_blocks)
{
    const struct rng_stream s = rng_stream(7, RNG_TEST, 3);
    uint64_t filled[2 * 37], one[2];
    rng_fill(&s, 1000, 37, filled);
    for (size_t i = 0; i < 37; i++) {
        rng_block(&s, 1000 + i, one);
        ck_assert_mem_eq(one, filled + 2 * i, sizeof one);
    }
}
END_TEST

// Purpose, entity, seed and index each make another stream.
START_TEST(addresses_differ)
{
    const struct rng_stream streams[] = {rng_stream(1, RNG_TEST, 0),
                                         rng_stream(2, RNG_TEST, 0),
                                         rng_stream(1, RNG_SIZE, 0),
                                         rng_stream(1, RNG_TEST, 1),
                                         rng_stream(1, RNG_TEST, RNG_ENTITY(1, 0)),
                                         rng_stream(1, RNG_TEST, RNG_ENTITY(0, 2))};
    uint64_t words[6][2];
    for (size_t i = 0; i < 6; i++)
        rng_block(&streams[i], 0, words[i]);
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < i; j++)
            ck_assert_uint_ne(words[i][0], words[j][0]);
}
END_TEST

// Distance in units of the last place of b, for doubles of one sign.
static int64_t ulps(double a, double b)
{
    int64_t x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    return llabs(x - y);
}

// The logarithm is within 2 ulp of the C library's, as its header promises, over all exponents.
START_TEST(log_is_accurate)
{
    const struct rng_stream s = rng_stream(11, RNG_TEST, 0);
    uint64_t words[2];
    for (uint64_t i = 0; i < 200000; i++) {
        rng_block(&s, i, words);
        double x = ldexp(1 + rng_u01(words[0]), (int)(words[1] % 2000) - 1000);
        ck_assert_msg(ulps(rng_log(x), log(x)) <= 2, "log(%a)", x);
        double u = rng_u01(words[1]);
        ck_assert_msg(ulps(rng_log(u), log(u)) <= 2, "log(%a)", u);
    }
}
END_TEST

// The exponential function likewise.
START_TEST(exp_is_accurate)
{
    const struct rng_stream s = rng_stream(12, RNG_TEST, 0);
    uint64_t words[2];
    for (uint64_t i = 0; i < 200000; i++) {
        rng_block(&s, i, words);
        double x = (rng_u01(words[0]) - 0.5) * 1400;
        ck_assert_msg(ulps(rng_exp(x), exp(x)) <= 2, "exp(%a)", x);
    }
}
END_TEST

// Whatever vector unit draws the exponentials, the bits are those of the single logarithm.
START_TEST(exponentials_are_minus_log)
{
    const struct rng_stream s = rng_stream(5, RNG_TEST, 9);
    uint64_t words[2 * 35];
    double out[2 * 35];
    for (size_t n = 0; n <= 70; n++) {
        rng_fill(&s, 0, 35, words);
        rng_exponential(words, n, out);
        for (size_t i = 0; i < n; i++) {
            double expected = -rng_log(rng_u01(words[i]));
            ck_assert_mem_eq(&out[i], &expected, sizeof expected);
        }
    }
}
END_TEST

// A million exponentials: the mean of n draws has the standard error 1/sqrt(n); 4 of them.
START_TEST(exponential_moments)
{
    enum { N = 1000000, BLOCK = 1000 };
    const struct rng_stream s = rng_stream(3, RNG_TEST, 1);
    uint64_t words[BLOCK];
    double out[BLOCK], sum = 0, squares = 0;
    for (uint64_t i = 0; i < N / BLOCK; i++) {
        rng_fill(&s, i * BLOCK / 2, BLOCK / 2, words);
        rng_exponential(words, BLOCK, out);
        for (size_t j = 0; j < BLOCK; j++) {
            sum += out[j];
            squares += out[j] * out[j];
        }
    }
    ck_assert_double_eq_tol(sum / N, 1, 4e-3);
    // E x^2 = 2, var x^2 = 24 - 4 = 20.
    ck_assert_double_eq_tol(squares / N, 2, 4 * sqrt(20.0 / N));
}
END_TEST

// The smallest and the largest word stay inside (0, 1) and their logarithm finite and positive.
START_TEST(uniform_is_open)
{
    const uint64_t words[] = {0, UINT64_MAX};
    double out[2];
    ck_assert(rng_u01(0) > 0);
    ck_assert(rng_u01(UINT64_MAX) < 1);
    rng_exponential(words, 2, out);
    ck_assert(isfinite(out[0]) && out[0] > 0 && out[1] > 0);
}
END_TEST

// Uniform integers cover their range and nothing else.
START_TEST(below_covers_the_range)
{
    ck_assert_uint_eq(rng_below(0, 7), 0);
    ck_assert_uint_eq(rng_below(UINT32_MAX, 7), 6);
    ck_assert_uint_eq(rng_below(UINT32_MAX, 1), 0);
    ck_assert_uint_eq(rng_below(UINT32_MAX, UINT32_MAX), UINT32_MAX - 1);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", known_answers},
        {"core", fill_is_blocks},
        {"core", addresses_differ},
        {"core", log_is_accurate},
        {"core", exp_is_accurate},
        {"core", exponentials_are_minus_log},
        {"core", exponential_moments},
        {"limits", uniform_is_open},
        {"limits", below_covers_the_range},
    };
    return suite_run("rng", tests, sizeof tests / sizeof *tests);
}
