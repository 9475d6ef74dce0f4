// SPDX-License-Identifier: Apache-2.0
#include "results/hist.h"

#include "support/suite.h"

// Every bucket starts where the one before it ends, and its edges map back to it.
START_TEST(buckets_tile)
{
    ck_assert_int_eq(hist_lower_ns(0), 0);
    for (uint32_t i = 0; i < HIST_N_BUCKETS; i++) {
        ck_assert_int_eq(hist_upper_ns(i), i + 1 < HIST_N_BUCKETS ? hist_lower_ns(i + 1)
                                                                  : INT64_C(1) << HIST_MAX_EXP);
        ck_assert_uint_eq(hist_index(hist_lower_ns(i)), i);
        ck_assert_uint_eq(hist_index(hist_upper_ns(i) - 1), i);
    }
}
END_TEST

// A bucket is never wider than 1/1024 of its lower edge (1 ns below 2048 ns).
START_TEST(buckets_are_narrow)
{
    for (uint32_t i = 2048; i < HIST_N_BUCKETS; i++)
        ck_assert((hist_upper_ns(i) - hist_lower_ns(i)) * 1024 <= hist_lower_ns(i));
}
END_TEST

// Negative values count as 0 and values beyond the range as the last bucket.
START_TEST(saturates)
{
    ck_assert_uint_eq(hist_index(-5), 0);
    ck_assert_uint_eq(hist_index(INT64_MAX), HIST_N_BUCKETS - 1);
    ck_assert_uint_eq(hist_index(INT64_C(1) << HIST_MAX_EXP), HIST_N_BUCKETS - 1);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", buckets_tile}, {"core", buckets_are_narrow}, {"limits", saturates}};
    return suite_run("hist", tests, sizeof tests / sizeof *tests);
}
