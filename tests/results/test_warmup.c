// SPDX-License-Identifier: Apache-2.0
#include "results/warmup.h"

#include <math.h>

#include "base/rng.h"
#include "support/suite.h"

static void noise(double *y, uint32_t n, double mean, double width)
{
    struct rng_stream stream = rng_stream(5, RNG_TEST, 0);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t w[2];
        rng_block(&stream, i, w);
        y[i] = mean + width * (rng_u01(w[0]) - 0.5);
    }
}

// A step from 1 to 10 after eight bins: exactly the eight are dropped.
START_TEST(finds_a_step)
{
    double y[40];
    bool settled = false;
    noise(y, 40, 10, 0.1);
    for (int i = 0; i < 8; i++)
        y[i] -= 9;
    ck_assert_uint_eq(warmup_detect(y, 40, &settled), 8);
    ck_assert(settled);
}
END_TEST

// An exponential approach with a time constant of three bins loses at least that much.
START_TEST(finds_an_approach)
{
    double y[60];
    bool settled = false;
    noise(y, 60, 10, 0.5);
    for (int i = 0; i < 60; i++)
        y[i] -= 8 * exp(-i / 3.0);
    uint32_t d = warmup_detect(y, 60, &settled);
    ck_assert_uint_ge(d, 3);
    ck_assert_uint_le(d, 20);
    ck_assert(settled);
}
END_TEST

// A series that never stops growing is not called settled.
START_TEST(growth_is_not_settled)
{
    double y[40];
    bool settled = true;
    for (int i = 0; i < 40; i++)
        y[i] = i;
    ck_assert_uint_eq(warmup_detect(y, 40, &settled), 20);
    ck_assert(!settled);
}
END_TEST

// Constant from the start: nothing is dropped.
START_TEST(nothing_to_drop)
{
    double y[20];
    for (int i = 0; i < 20; i++)
        y[i] = 3;
    ck_assert_uint_eq(warmup_detect(y, 20, NULL), 0);
}
END_TEST

// Empty bins are passed over, and a series too short to judge is kept whole.
START_TEST(gaps_and_short_series)
{
    double y[40];
    noise(y, 40, 10, 0.1);
    for (int i = 0; i < 8; i++)
        y[i] -= 9;
    y[20] = y[30] = NAN;
    ck_assert_uint_eq(warmup_detect(y, 40, NULL), 8);
    ck_assert_uint_eq(warmup_detect(y, 1, NULL), 0);
    ck_assert_uint_eq(warmup_detect(y, 0, NULL), 0);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", finds_a_step},
                                       {"core", finds_an_approach},
                                       {"core", nothing_to_drop},
                                       {"limits", growth_is_not_settled},
                                       {"limits", gaps_and_short_series}};
    return suite_run("warmup", tests, sizeof tests / sizeof *tests);
}
