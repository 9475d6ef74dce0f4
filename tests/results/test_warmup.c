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

// A step from 1 to 10 after eight of 40 bins: the cut moves on until it is behind the step.
START_TEST(moves_behind_a_step)
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

// An exponential approach with a time constant of three bins is over well within a fifth.
START_TEST(moves_behind_an_approach)
{
    double y[60];
    bool settled = false;
    noise(y, 60, 10, 0.5);
    for (int i = 0; i < 60; i++)
        y[i] -= 8 * exp(-i / 3.0);
    ck_assert_uint_eq(warmup_detect(y, 60, &settled), 12);
    ck_assert(settled);
}
END_TEST

// Busy and calm spells are not a start: of 1000 series of noise the cut stays at a twentieth in all
// but 2 % (one side of Student's t of four degrees of freedom at 3), wherever their spells lie.
START_TEST(spells_stay)
{
    double y[60];
    int moved = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        struct rng_stream stream = rng_stream(5, RNG_TEST, i);
        double x = 0;
        for (uint32_t k = 0; k < 60; k++) {
            uint64_t w[2];
            rng_block(&stream, k, w);
            x = 0.5 * x + rng_u01(w[0]) - 0.5;
            y[k] = 10 + x;
        }
        moved += warmup_detect(y, 60, NULL) != 3;
    }
    ck_assert_int_le(moved, 40); // 20 expected, sd 4.4
    ck_assert_int_gt(moved, 0);
}
END_TEST

// A series that never stops growing is not called settled.
START_TEST(growth_is_not_settled)
{
    double y[40];
    bool settled = true;
    for (int i = 0; i < 40; i++)
        y[i] = i < 20 ? i : 100;
    ck_assert_uint_eq(warmup_detect(y, 40, &settled), 20);
    ck_assert(!settled);
}
END_TEST

// Constant from the start: the twentieth, and settled.
START_TEST(constant)
{
    double y[20];
    bool settled = false;
    for (int i = 0; i < 20; i++)
        y[i] = 3;
    ck_assert_uint_eq(warmup_detect(y, 20, &settled), 1);
    ck_assert(settled);
}
END_TEST

// Empty bins are passed over; a series without tenths loses its twentieth, which may be nothing.
START_TEST(gaps_and_short_series)
{
    double y[40];
    noise(y, 40, 10, 0.1);
    for (int i = 0; i < 8; i++)
        y[i] -= 9;
    y[20] = y[30] = NAN;
    ck_assert_uint_eq(warmup_detect(y, 40, NULL), 8);
    ck_assert_uint_eq(warmup_detect(y, 19, NULL), 0);
    ck_assert_uint_eq(warmup_detect(y, 1, NULL), 0);
    ck_assert_uint_eq(warmup_detect(y, 0, NULL), 0);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", moves_behind_a_step},
                                       {"core", moves_behind_an_approach},
                                       {"core", spells_stay},
                                       {"core", constant},
                                       {"limits", growth_is_not_settled},
                                       {"limits", gaps_and_short_series}};
    return suite_run("warmup", tests, sizeof tests / sizeof *tests);
}
