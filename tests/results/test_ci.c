// SPDX-License-Identifier: Apache-2.0
#include "results/ci.h"

#include <math.h>

#include "base/rng.h"
#include "support/suite.h"

// Quantiles of t as printed in every table (three decimals), both tails.
START_TEST(t_table)
{
    ck_assert_double_eq_tol(ci_t(0.975, 1), 12.706, 5e-4);
    ck_assert_double_eq_tol(ci_t(0.975, 9), 2.262, 5e-4);
    ck_assert_double_eq_tol(ci_t(0.995, 19), 2.861, 5e-4);
    ck_assert_double_eq_tol(ci_t(0.025, 9), -2.262, 5e-4);
}
END_TEST

// 1, 2, 3, 4, 5: mean 3, standard error sqrt(2.5 / 5), t(4) = 2.776.
START_TEST(means_by_hand)
{
    const double batches[] = {1, 2, 3, 4, 5};
    struct ci ci = ci_means(batches, 5);
    ck_assert_double_eq(ci.value, 3);
    ck_assert_double_eq_tol(ci.half_95, 2.776 * sqrt(0.5), 1e-3);
    ck_assert_uint_eq(ci.n_batches, 5);
}
END_TEST

// Round a value that is not the batches' mean, the interval is wider and sits on the value.
START_TEST(sections_widen_with_bias)
{
    const double batches[] = {1, 2, 3, 4, 5};
    struct ci ci = ci_sections(4, batches, 5);
    ck_assert_double_eq(ci.value, 4);
    ck_assert_double_eq_tol(ci.half_95, 2.776 * sqrt(15.0 / 20), 1e-3);
}
END_TEST

// Fewer than two batches say nothing about spread.
START_TEST(too_few_batches)
{
    const double one = 3, gap[] = {NAN, 2, NAN};
    ck_assert(isnan(ci_means(&one, 1).half_95));
    ck_assert_double_eq(ci_means(gap, 3).value, 2);
    ck_assert(isnan(ci_means(gap, 3).half_95));
    ck_assert(isnan(ci_means(NULL, 0).value));
    ck_assert(isnan(ci_sections(NAN, gap, 3).half_95));
}
END_TEST

// Empty batches are left out, not taken for zeros.
START_TEST(gaps_are_left_out)
{
    const double with_gap[] = {1, NAN, 3}, without[] = {1, 3};
    struct ci a = ci_means(with_gap, 3), b = ci_means(without, 2);
    ck_assert_double_eq(a.value, b.value);
    ck_assert_double_eq(a.half_95, b.half_95);
    ck_assert_uint_eq(a.n_batches, 2);
}
END_TEST

// Welch with equal variances and sizes has 2 (n - 1) degrees of freedom.
START_TEST(welch_equal)
{
    const double x[] = {1, 2, 3, 4, 5}, y[] = {11, 12, 13, 14, 15};
    struct ci d = ci_welch(ci_means(y, 5), ci_means(x, 5));
    ck_assert_double_eq(d.value, 10);
    ck_assert_double_eq_tol(d.half_95, ci_t(0.975, 8) * sqrt(1.0), 1e-9);
    ck_assert(ci_excludes(d, 0));
    ck_assert(!ci_excludes(d, 9));
}
END_TEST

// Welch without an interval on one side has none.
START_TEST(welch_unknown)
{
    const double x[] = {1, 2, 3};
    struct ci d = ci_welch(ci_means(x, 3), ci_means(x, 1));
    ck_assert(isnan(d.half_95));
    ck_assert(!ci_excludes(d, 0));
}
END_TEST

// Over 4000 series of 10 uniform numbers a 95 % interval holds the mean 94 to 96 % of the time
// (four standard errors of a proportion are 1.4 %; the uniform law itself costs t about 0.3 %).
START_TEST(covers_95_percent)
{
    struct rng_stream stream = rng_stream(1, RNG_TEST, 0);
    int held = 0;
    for (uint64_t i = 0; i < 4000; i++) {
        double batches[10];
        for (uint64_t k = 0; k < 5; k++) {
            uint64_t w[2];
            rng_block(&stream, 5 * i + k, w);
            batches[2 * k] = rng_u01(w[0]);
            batches[2 * k + 1] = rng_u01(w[1]);
        }
        held += !ci_excludes(ci_means(batches, 10), 0.5);
    }
    ck_assert_int_ge(held, 3740);
    ck_assert_int_le(held, 3856);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", t_table},           {"core", means_by_hand},   {"core", sections_widen_with_bias},
        {"core", gaps_are_left_out}, {"core", welch_equal},     {"core", covers_95_percent},
        {"errors", too_few_batches}, {"errors", welch_unknown},
    };
    return suite_run("ci", tests, sizeof tests / sizeof *tests);
}
