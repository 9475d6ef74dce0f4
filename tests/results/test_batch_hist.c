// SPDX-License-Identifier: Apache-2.0
#include "results/batch_hist.h"

#include <math.h>

#include "base/mem.h"
#include "base/rng.h"
#include "results/hist.h"
#include "support/suite.h"

enum { N_BATCHES = 7 };

// Random counts in buckets first .. last, most of them empty, the ends never.
static uint32_t *counts_of(uint64_t entity, uint32_t first, uint32_t last)
{
    uint32_t *counts = mem_calloc(HIST_N_BUCKETS, sizeof *counts);
    struct rng_stream draws = rng_stream(5, RNG_TEST, entity);
    for (uint32_t i = first; i <= last; i++) {
        uint64_t w[2];
        rng_block(&draws, i, w);
        counts[i] = w[0] % 5 == 0 ? (uint32_t)(w[1] % 9) : 0;
    }
    counts[first]++;
    counts[last]++;
    return counts;
}

// The quantiles of any stretch of batches are those of the merged histogram, to the last bit.
START_TEST(as_merged)
{
    static const double quantiles[] = {0, 1e-9, 0.07, 0.5, 0.9, 0.95, 0.99, 0.999, 1};
    struct batch_hist *h = batch_hist_create(N_BATCHES, 9000, 14000);
    uint32_t *counts[N_BATCHES];
    for (uint32_t b = 0; b < N_BATCHES; b++) {
        counts[b] = counts_of(b, 9000 + 100 * b, 14000 - 300 * b);
        batch_hist_add(h, b, counts[b], 9000 + 100 * b, 14000 - 300 * b);
    }
    batch_hist_seal(h);
    for (uint32_t begin = 0; begin < N_BATCHES; begin++)
        for (uint32_t end = begin + 1; end <= N_BATCHES; end++) {
            struct hist_total *merged = hist_total_create();
            for (uint32_t b = begin; b < end; b++)
                hist_total_add(merged, counts[b]);
            ck_assert_uint_eq(batch_hist_n(h, begin, end), merged->n);
            for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
                ck_assert_double_eq(batch_hist_quantile_ns(h, begin, end, quantiles[i]),
                                    hist_quantile_ns(merged, quantiles[i]));
            hist_total_destroy(merged);
        }
    for (uint32_t b = 0; b < N_BATCHES; b++)
        mem_free(counts[b]);
    batch_hist_destroy(h);
}
END_TEST

// What is added twice counts twice.
START_TEST(adds_up)
{
    struct batch_hist *h = batch_hist_create(1, 10, 20);
    uint32_t *counts = mem_calloc(HIST_N_BUCKETS, sizeof *counts);
    counts[12] = 3;
    counts[15] = 1;
    batch_hist_add(h, 0, counts, 12, 15);
    batch_hist_add(h, 0, counts, 15, 15);
    batch_hist_seal(h);
    ck_assert_uint_eq(batch_hist_n(h, 0, 1), 5);
    ck_assert_double_eq(batch_hist_quantile_ns(h, 0, 1, 0.6), 12); // 3 of 5, buckets of 1 ns
    ck_assert_double_eq(batch_hist_quantile_ns(h, 0, 1, 0.61), 15);
    mem_free(counts);
    batch_hist_destroy(h);
}
END_TEST

// One bucket, the last of all; and batches without a value have no quantile.
START_TEST(one_bucket)
{
    struct batch_hist *h = batch_hist_create(3, HIST_N_BUCKETS - 1, HIST_N_BUCKETS - 1);
    uint32_t *counts = mem_calloc(HIST_N_BUCKETS, sizeof *counts);
    counts[HIST_N_BUCKETS - 1] = UINT32_MAX;
    batch_hist_add(h, 1, counts, HIST_N_BUCKETS - 1, HIST_N_BUCKETS - 1);
    batch_hist_add(h, 1, counts, HIST_N_BUCKETS - 1, HIST_N_BUCKETS - 1);
    batch_hist_seal(h);
    ck_assert_uint_eq(batch_hist_n(h, 0, 3), 2 * (uint64_t)UINT32_MAX);
    ck_assert(batch_hist_quantile_ns(h, 0, 3, 0.5) >= (double)hist_lower_ns(HIST_N_BUCKETS - 1));
    ck_assert(isnan(batch_hist_quantile_ns(h, 0, 1, 0.5)));
    ck_assert(isnan(batch_hist_quantile_ns(h, 2, 2, 0.5)));
    mem_free(counts);
    batch_hist_destroy(h);
    batch_hist_destroy(NULL);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", as_merged}, {"core", adds_up}, {"limits", one_bucket}};
    return suite_run("batch_hist", tests, sizeof tests / sizeof *tests);
}
