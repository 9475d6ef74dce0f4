// SPDX-License-Identifier: Apache-2.0
#include "results/chart/scale.h"

#include <math.h>
#include <string.h>

#include "support/suite.h"

static void ticks_are(struct scale scale, int most, const char *const *labels)
{
    struct scale_tick ticks[SCALE_MOST_TICKS];
    int n = scale_ticks(&scale, most, ticks), wanted = 0;
    while (labels[wanted])
        wanted++;
    ck_assert_int_eq(n, wanted);
    for (int i = 0; i < n; i++)
        ck_assert_str_eq(ticks[i].label, labels[i]);
}

// Ends are on ticks; labels have the decimals that they need.
START_TEST(linear)
{
    struct scale s = scale_fit(SCALE_LINEAR, 0, 23.7, 6);
    ck_assert(s.from == 0 && s.to == 25);
    ck_assert_double_eq_tol(scale_at(&s, 7.5), 0.3, 1e-12); // 7.5 of 25
    ticks_are(s, 6, (const char *const[]){"0", "5", "10", "15", "20", "25", NULL});
    s = scale_fit(SCALE_LINEAR, 0.12, 0.31, 5);
    ck_assert(fabs(s.from - 0.1) < 1e-12 && fabs(s.to - 0.35) < 1e-12);
    ticks_are(s, 6, (const char *const[]){"0.10", "0.15", "0.20", "0.25", "0.30", "0.35", NULL});
    ticks_are((struct scale){SCALE_LINEAR, 0, 15000}, 4,
              (const char *const[]){"0", "5 k", "10 k", "15 k", NULL});
    ticks_are((struct scale){SCALE_LINEAR, -1, 1}, 3, (const char *const[]){"-1", "0", "1", NULL});
}
END_TEST

// Decades, and 2 and 5 of each where there is room.
START_TEST(logarithmic)
{
    struct scale s = scale_fit(SCALE_LOG, 3, 800, 6);
    ck_assert(s.from == 2 && s.to == 1000);
    ck_assert_double_eq_tol(scale_at(&(struct scale){SCALE_LOG, 1, 100}, 10), 0.5, 1e-12);
    ck_assert(isnan(scale_at(&s, 0)) && isnan(scale_at(&s, -1)));
    ticks_are((struct scale){SCALE_LOG, 1, 1000}, 5,
              (const char *const[]){"1", "10", "100", "1000", NULL});
    ticks_are((struct scale){SCALE_LOG, 1, 100}, 8,
              (const char *const[]){"1", "2", "5", "10", "20", "50", "100", NULL});
    s = scale_fit(SCALE_LOG, NAN, NAN, 6);
    ck_assert(s.from == 1 && s.to == 10);
}
END_TEST

// A tenth of the queries that are left is as far as the tenth before it.
START_TEST(tail)
{
    struct scale s = scale_fit(SCALE_TAIL, 0, 0.998, 6);
    ck_assert_double_eq_tol(s.to, 0.999, 1e-12);
    ck_assert_double_eq_tol(scale_at(&s, 0.9), 1.0 / 3, 1e-9);
    ck_assert_double_eq_tol(scale_at(&s, 0.99), 2.0 / 3, 1e-9);
    ticks_are(s, 8, (const char *const[]){"0 %", "90 %", "99 %", "99.9 %", NULL});
}
END_TEST

// Hours and minutes, by the clock.
START_TEST(clock)
{
    struct scale s = scale_fit(SCALE_CLOCK, 0, 86400, 6);
    ck_assert(s.from == 0 && s.to == 86400);
    ticks_are(s, 5, (const char *const[]){"00:00", "06:00", "12:00", "18:00", "24:00", NULL});
    ticks_are((struct scale){SCALE_CLOCK, 0, 40}, 5,
              (const char *const[]){"0:00:00", "0:00:10", "0:00:20", "0:00:30", "0:00:40", NULL});
}
END_TEST

// One number, none, and never more ticks than asked for.
START_TEST(few)
{
    struct scale s = scale_fit(SCALE_LINEAR, 7, 7, 6);
    ck_assert(s.from < 7 && s.to > 7);
    s = scale_fit(SCALE_LINEAR, NAN, NAN, 6);
    ck_assert(s.from == 0 && s.to == 1);
    const double most[] = {1e-12, 3e-7, 0.02, 1, 17, 99999, 4e15};
    struct scale_tick ticks[SCALE_MOST_TICKS];
    for (size_t i = 0; i < sizeof most / sizeof *most; i++) {
        for (int kind = SCALE_LINEAR; kind < N_SCALES; kind++) {
            for (int n = 1; n < 12; n++) {
                s = scale_fit(kind, most[i] / 7, most[i], n);
                int got = scale_ticks(&s, n, ticks);
                ck_assert_int_le(got, n);
                for (int k = 0; k < got; k++)
                    ck_assert_msg(fabs(scale_at(&s, ticks[k].value) - 0.5) < 0.5 + 1e-6,
                                  "kind %d, to %g: a tick at %g of %g .. %g", kind, most[i],
                                  ticks[k].value, s.from, s.to);
            }
        }
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", linear}, {"core", logarithmic}, {"core", tail}, {"core", clock}, {"limits", few}};
    return suite_run("scale", tests, sizeof tests / sizeof *tests);
}
