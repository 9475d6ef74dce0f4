// SPDX-License-Identifier: Apache-2.0
#include "results/batch.h"

#include <math.h>

#include "base/rng.h"
#include "support/suite.h"

// A first-order autoregressive series with coefficient `phi` and uniform noise.
static void series(double *y, uint32_t n, double phi, uint64_t entity)
{
    struct rng_stream stream = rng_stream(3, RNG_TEST, entity);
    double x = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t w[2];
        rng_block(&stream, i, w);
        x = phi * x + rng_u01(w[0]) - 0.5;
        y[i] = x;
    }
}

// Batches cover all bins once, in order; the last one takes what is left over.
START_TEST(batches_tile)
{
    double y[101];
    for (uint32_t n = 1; n <= 101; n++) {
        series(y, n, 0, n);
        struct batch_plan plan = batch_plan_of(y, n, BATCH_AIM);
        ck_assert_uint_eq(batch_first(&plan, 0), 0);
        ck_assert_uint_eq(batch_first(&plan, plan.n_batches), n);
        for (uint32_t b = 0; b < plan.n_batches; b++)
            ck_assert_uint_ge(batch_first(&plan, b + 1) - batch_first(&plan, b), plan.size);
    }
}
END_TEST

// Independent bins stay at BATCH_AIM batches in 99 of 100 series.
START_TEST(independent_stay)
{
    double y[400];
    int kept = 0;
    for (uint64_t i = 0; i < 100; i++) {
        series(y, 400, 0, i);
        kept += batch_plan_of(y, 400, BATCH_AIM).n_batches == BATCH_AIM;
    }
    ck_assert_int_ge(kept, 94); // 99 expected, sd 1
}
END_TEST

// A strongly correlated series is cut into fewer batches.
START_TEST(correlated_merge)
{
    double y[400];
    int merged = 0;
    for (uint64_t i = 0; i < 100; i++) {
        series(y, 400, 0.99, i);
        merged += batch_plan_of(y, 400, BATCH_AIM).n_batches < BATCH_AIM;
    }
    ck_assert_int_ge(merged, 80);
}
END_TEST

// Never below BATCH_LEAST by merging, whatever the series.
START_TEST(least_batches)
{
    double y[40];
    for (int i = 0; i < 40; i++)
        y[i] = i; // as correlated as can be
    ck_assert_uint_ge(batch_plan_of(y, 40, BATCH_AIM).n_batches, BATCH_LEAST);
}
END_TEST

// What is aimed at, or up to twice as many where bins do not divide.
START_TEST(aims)
{
    double y[57];
    series(y, 57, 0, 4);
    ck_assert_uint_eq(batch_plan_of(y, 57, 20).n_batches, 28);
    ck_assert_uint_eq(batch_plan_of(y, 57, 8).n_batches, 8);
    ck_assert_uint_eq(batch_plan_of(y, 57, 5).n_batches, 5);
}
END_TEST

// No bins, no batches; a single bin is one batch.
START_TEST(tiny)
{
    double y = 1;
    ck_assert_uint_eq(batch_plan_of(&y, 0, BATCH_AIM).n_batches, 0);
    ck_assert_uint_eq(batch_plan_of(&y, 1, BATCH_AIM).n_batches, 1);
}
END_TEST

// Lag-one correlation of an alternating series is near -1, of a line near 1; gaps are passed over.
START_TEST(lag_one)
{
    double up[100], alternate[100];
    for (int i = 0; i < 100; i++) {
        up[i] = i;
        alternate[i] = i % 2;
    }
    ck_assert_double_gt(batch_lag1(up, 100), 0.95);
    ck_assert_double_lt(batch_lag1(alternate, 100), -0.95);
    up[50] = NAN;
    ck_assert_double_gt(batch_lag1(up, 100), 0.95);
    ck_assert(isnan(batch_lag1(up, 2)));
}
END_TEST

// Empty bins do not pull a batch's mean down; a batch of nothing but empty bins is NaN.
START_TEST(means_skip_gaps)
{
    const double y[] = {2, NAN, NAN, NAN};
    struct batch_plan plan = {4, 2, 2};
    double out[2];
    batch_means(&plan, y, out);
    ck_assert_double_eq(out[0], 2);
    ck_assert(isnan(out[1]));
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", batches_tile},     {"core", independent_stay},
        {"core", correlated_merge}, {"core", lag_one},
        {"core", means_skip_gaps},  {"limits", least_batches},
        {"limits", tiny},           {"core", aims},
    };
    return suite_run("batch", tests, sizeof tests / sizeof *tests);
}
