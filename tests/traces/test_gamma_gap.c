// SPDX-License-Identifier: Apache-2.0
#include "traces/gamma_gap.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

#include "support/suite.h"

#define N 100000

static struct gamma_gap gaps_of(double cv)
{
    const struct rng_stream stream = rng_stream(5, RNG_ARRIVAL, RNG_ENTITY(0, 0));
    return gamma_gap_of(&stream, cv);
}

// The distribution at five quantiles, each within 4 standard errors of its share.
START_TEST(follows_the_distribution)
{
    const double cvs[] = {0.3, 1, 2.5}, shares[] = {0.05, 0.25, 0.5, 0.9, 0.99};
    for (int k = 0; k < 3; k++) {
        struct gamma_gap gaps = gaps_of(cvs[k]);
        double square = cvs[k] * cvs[k];
        int below[5] = {0};
        double bounds[5];
        for (int q = 0; q < 5; q++)
            bounds[q] = gsl_cdf_gamma_Pinv(shares[q], 1 / square, square);
        for (uint64_t i = 0; i < N; i++) {
            double gap = gamma_gap_draw(&gaps, i);
            for (int q = 0; q < 5; q++)
                below[q] += gap <= bounds[q];
        }
        for (int q = 0; q < 5; q++)
            ck_assert_double_eq_tol(below[q] / (double)N, shares[q],
                                    4 * sqrt(shares[q] * (1 - shares[q]) / N));
    }
}
END_TEST

// A gap is its number's, whoever was drawn before.
START_TEST(numbers_are_apart)
{
    struct gamma_gap gaps = gaps_of(2);
    double tenth = gamma_gap_draw(&gaps, 10), first = gamma_gap_draw(&gaps, 0);
    ck_assert_double_eq(gamma_gap_draw(&gaps, 10), tenth);
    ck_assert_double_eq(gamma_gap_draw(&gaps, 0), first);
    ck_assert_double_ne(first, tenth);
}
END_TEST

// A CV whose square is no double leaves equal gaps.
START_TEST(no_spread)
{
    struct gamma_gap gaps = gaps_of(1e-200);
    for (uint64_t i = 0; i < 100; i++)
        ck_assert_double_eq_tol(gamma_gap_draw(&gaps, i), 1, 1e-5);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", follows_the_distribution}, {"core", numbers_are_apart}, {"limits", no_spread}};
    return suite_run("gamma_gap", tests, sizeof tests / sizeof *tests);
}
