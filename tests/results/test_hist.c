// SPDX-License-Identifier: Apache-2.0
#include "results/hist.h"

#include <math.h>

#include "base/mem.h"
#include "support/suite.h"

static uint32_t *new_counts(void)
{
    return mem_calloc(HIST_N_BUCKETS, sizeof(uint32_t));
}

static struct hist_total *total_of(const int64_t *values_ns, size_t n)
{
    struct hist_total *total = hist_total_create();
    uint32_t *counts = new_counts();
    for (size_t i = 0; i < n; i++)
        counts[hist_index(values_ns[i])]++;
    hist_total_add(total, counts);
    mem_free(counts);
    return total;
}

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

// The q-quantile is the ceil(q n)-th smallest value; buckets of 1 ns give it exactly.
START_TEST(quantile_by_rank)
{
    const int64_t values[] = {10, 20, 30, 40};
    struct hist_total *t = total_of(values, 4);
    ck_assert_double_eq(hist_quantile_ns(t, 0.25), 10);
    ck_assert_double_eq(hist_quantile_ns(t, 0.5), 20);
    ck_assert_double_eq(hist_quantile_ns(t, 0.51), 30);
    ck_assert_double_eq(hist_quantile_ns(t, 1), 40);
    ck_assert_double_eq(hist_quantile_ns(t, 0), 10);
    hist_total_destroy(t);
}
END_TEST

// 0.07 * 100 is a little above 7 in binary; the rank is still 7.
START_TEST(quantile_survives_rounding)
{
    int64_t values[100];
    for (int i = 0; i < 100; i++)
        values[i] = i + 1;
    struct hist_total *t = total_of(values, 100);
    for (int i = 1; i <= 100; i++)
        ck_assert_double_eq(hist_quantile_ns(t, i / 100.0), i);
    hist_total_destroy(t);
}
END_TEST

// One value: every quantile lies in its bucket, whose width is 0.1 % of it.
START_TEST(quantile_of_one_value)
{
    const int64_t value = 123456789;
    struct hist_total *t = total_of(&value, 1);
    for (double q = 0; q <= 1; q += 0.125)
        ck_assert_double_eq_tol(hist_quantile_ns(t, q), 123456789, 123456789 / 1024.0);
    hist_total_destroy(t);
}
END_TEST

// An empty histogram has no quantile.
START_TEST(empty_is_nan)
{
    struct hist_total *t = hist_total_create();
    uint32_t first, last;
    ck_assert(isnan(hist_quantile_ns(t, 0.5)));
    ck_assert(!hist_total_range(t, &first, &last));
    hist_total_destroy(t);
}
END_TEST

// Counts above 2^32 add up: they are kept in 64 bits.
START_TEST(counts_are_wide)
{
    struct hist_total *t = hist_total_create();
    uint32_t *counts = new_counts();
    counts[100] = UINT32_MAX;
    hist_total_add(t, counts);
    hist_total_add(t, counts);
    ck_assert_uint_eq(t->n, 2 * (uint64_t)UINT32_MAX);
    ck_assert_double_eq(hist_quantile_ns(t, 0.5), 100);
    mem_free(counts);
    hist_total_destroy(t);
}
END_TEST

// The range of used buckets is exact.
START_TEST(finds_range)
{
    uint32_t *counts = new_counts(), first = 0, last = 0;
    ck_assert(!hist_range(counts, &first, &last));
    counts[0] = counts[HIST_N_BUCKETS - 1] = 1;
    ck_assert(hist_range(counts, &first, &last));
    ck_assert_uint_eq(first, 0);
    ck_assert_uint_eq(last, HIST_N_BUCKETS - 1);
    mem_free(counts);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", buckets_tile},
        {"core", buckets_are_narrow},
        {"core", quantile_by_rank},
        {"core", finds_range},
        {"limits", saturates},
        {"limits", counts_are_wide},
        {"limits", quantile_survives_rounding},
        {"limits", quantile_of_one_value},
        {"errors", empty_is_nan},
    };
    return suite_run("hist", tests, sizeof tests / sizeof *tests);
}
