// SPDX-License-Identifier: Apache-2.0
#include "results/moments.h"

#include <math.h>

#include "support/suite.h"

static struct moments of(const uint64_t *values, size_t n)
{
    unsigned __int128 sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += values[i];
        squares += (unsigned __int128)values[i] * values[i];
    }
    return moments_of(n, sum, squares);
}

// 2, 4, 4, 4, 5, 5, 7, 9: mean 5, sum of squared deviations 32, sd sqrt(32/7).
START_TEST(small_example)
{
    const uint64_t values[] = {2, 4, 4, 4, 5, 5, 7, 9};
    struct moments m = of(values, 8);
    ck_assert_double_eq_tol(m.mean_s, 5e-9, 1e-24);
    ck_assert_double_eq_tol(m.sd_s, sqrt(32.0 / 7) * 1e-9, 1e-23);
}
END_TEST

// A spread of 1 ns round ten days keeps all its digits: nothing cancels.
START_TEST(no_cancellation)
{
    const uint64_t day = UINT64_C(864000000000000);
    const uint64_t values[] = {day, day + 1, day + 2};
    struct moments m = of(values, 3);
    ck_assert_double_eq_tol(m.sd_s, 1e-9, 1e-22);
}
END_TEST

// Sums beyond 64 bits: 2^20 values of 2^49 ns.
START_TEST(large_sums)
{
    uint64_t n = UINT64_C(1) << 20;
    unsigned __int128 v = (unsigned __int128)1 << 49;
    struct moments m = moments_of(n, v * n, v * v * n);
    ck_assert_double_eq(m.mean_s, (double)(UINT64_C(1) << 49) * 1e-9);
    ck_assert_double_eq(m.sd_s, 0);
}
END_TEST

// No values have no mean; one value has no spread.
START_TEST(too_few)
{
    const uint64_t one = 7;
    struct moments none = moments_of(0, 0, 0), single = of(&one, 1);
    ck_assert(isnan(none.mean_s) && isnan(none.sd_s));
    ck_assert_double_eq_tol(single.mean_s, 7e-9, 1e-24);
    ck_assert(isnan(single.sd_s));
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", small_example},
                                       {"limits", no_cancellation},
                                       {"limits", large_sums},
                                       {"errors", too_few}};
    return suite_run("moments", tests, sizeof tests / sizeof *tests);
}
