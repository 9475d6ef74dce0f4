// SPDX-License-Identifier: Apache-2.0
#include "traces/alias.h"

#include <math.h>
#include <stdbool.h>

#include <gsl/gsl_cdf.h>

#include "base/rng.h"
#include "support/suite.h"

// The table gives every outcome its weight. A slot's threshold is off by at most 2^-33 of a slot,
// and an outcome collects at most n such errors of 2^-33 / n: 2^-32 with room.
START_TEST(probabilities_are_the_weights)
{
    double weights[257], prob[257], total = 0;
    for (int i = 0; i < 257; i++)
        total += weights[i] = i % 5 == 3 ? 0 : exp(-0.03 * i) * (1 + i % 7);
    struct alias table;
    alias_init(&table, weights, 257);
    alias_probabilities(&table, prob);
    for (int i = 0; i < 257; i++)
        ck_assert_double_eq_tol(prob[i], weights[i] / total, 0x1p-32);
    alias_release(&table);
}
END_TEST

// Draws follow the probabilities: chi-square over 10 outcomes, a million draws, refused at a
// chance of 1e-4. The draws are fixed, so the verdict is too.
START_TEST(draws_follow_the_weights)
{
    const double weights[] = {1, 2, 3, 4, 10, 0.5, 7, 20, 0.1, 5};
    uint64_t count[10] = {0}, words[2];
    const int n = 1000000;
    struct rng_stream stream = rng_stream(1, RNG_TEST, 2);
    struct alias table;
    alias_init(&table, weights, 10);
    for (uint64_t i = 0; i < (uint64_t)n / 2; i++) {
        rng_block(&stream, i, words);
        count[alias_draw(&table, words[0])]++;
        count[alias_draw(&table, words[1])]++;
    }
    double chi2 = 0;
    for (int i = 0; i < 10; i++) {
        double expected = n * weights[i] / 52.6;
        chi2 += ((double)count[i] - expected) * ((double)count[i] - expected) / expected;
    }
    ck_assert_double_gt(gsl_cdf_chisq_Q(chi2, 9), 1e-4);
    ck_assert_double_gt(gsl_cdf_chisq_P(chi2, 9), 1e-4);
    alias_release(&table);
}
END_TEST

// An outcome of weight zero is never drawn, neither by the lowest nor the highest fraction of a
// slot.
START_TEST(zero_weight_is_never_drawn)
{
    const double weights[] = {0, 1, 0, 1, 1, 0};
    struct alias table;
    alias_init(&table, weights, 6);
    for (int slot = 0; slot < 6; slot++) {
        for (int end = 0; end < 2; end++) {
            unsigned __int128 place = ((unsigned __int128)(slot + end) << 64) / 6 + (end ? 0 : 1);
            uint32_t k = alias_draw(&table, (uint64_t)(place - (unsigned)end));
            ck_assert_double_gt(weights[k], 0);
        }
    }
    alias_release(&table);
}
END_TEST

// A draw is the word's place among the slots, by the whole 128-bit product, one by one and many at
// once, up to tables of the largest size that queries have.
START_TEST(draws_are_the_product)
{
    enum { N_WORDS = 1000, N_MOST = 65535 };
    const uint32_t sizes[] = {1, 2, 3, 1000, N_MOST};
    static double weights[N_MOST];
    static uint64_t words[N_WORDS];
    uint32_t drawn[N_WORDS];
    struct rng_stream stream = rng_stream(1, RNG_TEST, 3);
    rng_fill(&stream, 0, N_WORDS / 2, words);
    words[0] = 0, words[1] = UINT64_MAX, words[2] = UINT32_MAX, words[3] = UINT64_MAX << 32;
    for (uint32_t i = 0; i < N_MOST; i++)
        weights[i] = 1 + i % 13;
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        struct alias table;
        alias_init(&table, weights, sizes[k]);
        alias_draw_each(&table, words, N_WORDS, 7, drawn);
        for (size_t i = 0; i < N_WORDS; i++) {
            unsigned __int128 product = (unsigned __int128)words[i] * sizes[k];
            uint32_t slot = (uint32_t)(product >> 64), fraction = (uint32_t)(product >> 32);
            bool keeps = fraction < (uint32_t)table.slots[slot];
            uint32_t expected = keeps ? slot : (uint32_t)(table.slots[slot] >> 32);
            ck_assert_uint_eq(alias_draw(&table, words[i]), expected);
            ck_assert_uint_eq(drawn[i], expected + 7);
        }
        alias_release(&table);
    }
}
END_TEST

// One outcome needs no chance.
START_TEST(single_outcome)
{
    const double weight = 3;
    struct alias table;
    alias_init(&table, &weight, 1);
    ck_assert_uint_eq(alias_draw(&table, 0), 0);
    ck_assert_uint_eq(alias_draw(&table, UINT64_MAX), 0);
    alias_release(&table);
    alias_release(&table);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", probabilities_are_the_weights},
        {"core", draws_follow_the_weights},
        {"core", draws_are_the_product},
        {"limits", zero_weight_is_never_drawn},
        {"limits", single_outcome},
    };
    return suite_run("alias", tests, sizeof tests / sizeof *tests);
}
