// SPDX-License-Identifier: Apache-2.0
#include "results/batch_hist.h"

#include <math.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/simtime.h"
#include "support/suite.h"

enum { N_BATCHES = 7 };

static struct record *record_of(uint32_t n_bins)
{
    const struct record_shape shape = {2, 1, n_bins, 1, 0, SIMTIME_S, 0, 0};
    return record_create(&shape);
}

// n more latencies in a bucket, of the second service.
static void count(struct record *r, uint32_t bin, enum record_path path, uint32_t bucket,
                  uint32_t n)
{
    struct tally *t = record_tally(r, bin, 1, path);
    int64_t latency_ns = hist_lower_ns(bucket);
    t->hist[bucket] += n;
    t->n_queries += n;
    t->latency_max_ns = latency_ns > t->latency_max_ns ? latency_ns : t->latency_max_ns;
}

// Of all bins but the first `first`, a bin a batch.
static struct batch_hist *hist_of(const struct record *r, uint32_t first)
{
    uint32_t n = r->shape.n_bins - first;
    return batch_hist_create(&(struct batch_hist_scope){r, first, {n, 1, n}, 1, 2});
}

// The quantile of bins [begin, end), by walking their merged histogram from its start.
static double walked(const struct record *r, uint32_t begin, uint32_t end, double q, uint64_t n)
{
    double h = q * (double)n, whole = nearbyint(h);
    h = fabs(h - whole) <= 1e-12 * (double)n ? whole : h;
    uint64_t below = 0;
    for (uint32_t i = 0; i < HIST_N_BUCKETS; i++) {
        uint64_t here = 0;
        for (uint32_t t = begin * N_PATHS; t < end * N_PATHS; t++)
            here += record_tally(r, t / N_PATHS, 1, (enum record_path)(t % N_PATHS))->hist[i];
        double lower = (double)hist_lower_ns(i), last = (double)(hist_upper_ns(i) - 1);
        if (here > 0 && (double)(below + here) >= h)
            return lower + (h - (double)below) / (double)here * (last - lower);
        below += here;
    }
    return NAN;
}

// The quantiles of any stretch of batches are those of the merged histogram, to the last bit. Other
// services and bins before the first have no say.
START_TEST(as_merged)
{
    const double quantiles[] = {0, 1e-9, 0.07, 0.5, 0.95, 0.999, 1};
    struct record *r = record_of(N_BATCHES + 1);
    for (uint32_t i = 0; i < 4000; i++) {
        struct rng_stream draws = rng_stream(5, RNG_TEST, i);
        uint64_t w[2];
        rng_block(&draws, 0, w);
        count(r, i % (N_BATCHES + 1), (enum record_path)(w[0] % N_PATHS),
              9000 + (uint32_t)(w[1] % 5000), 1 + (uint32_t)(w[0] % 9));
    }
    record_tally(r, 1, 0, PATH_CPU)->hist[5] = 100;
    record_tally(r, 1, 0, PATH_CPU)->n_queries = 100;
    struct batch_hist *h = hist_of(r, 1);
    for (uint32_t begin = 0; begin < N_BATCHES; begin += 2)
        for (uint32_t end = begin + 1; end <= N_BATCHES; end++) {
            uint64_t n = 0;
            for (uint32_t b = begin; b < end; b++)
                n += record_tally(r, b + 1, 1, PATH_CPU)->n_queries +
                     record_tally(r, b + 1, 1, PATH_ACCEL)->n_queries;
            ck_assert_uint_eq(batch_hist_n(h, begin, end), n);
            for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
                ck_assert_double_eq(batch_hist_quantile_ns(h, begin, end, quantiles[i]),
                                    walked(r, begin + 1, end + 1, quantiles[i], n));
        }
    batch_hist_destroy(h);
    record_destroy(r);
}
END_TEST

// The q-quantile is the ceil(q n)-th smallest value; buckets of 1 ns give it exactly. 0.07 * 100 is
// a little above 7 in binary; the rank is still 7.
START_TEST(quantile_by_rank)
{
    struct record *r = record_of(1);
    for (uint32_t i = 1; i <= 100; i++)
        count(r, 0, PATH_CPU, i, 1);
    struct batch_hist *h = hist_of(r, 0);
    for (int i = 1; i <= 100; i++)
        ck_assert_double_eq(batch_hist_quantile_ns(h, 0, 1, i / 100.0), i);
    ck_assert_double_eq(batch_hist_quantile_ns(h, 0, 1, 0.501), 51);
    ck_assert_double_eq(batch_hist_quantile_ns(h, 0, 1, 0), 1);
    batch_hist_destroy(h);
    record_destroy(r);
}
END_TEST

// One value: every quantile lies in its bucket, whose width is 0.1 % of it.
START_TEST(quantile_of_one_value)
{
    struct record *r = record_of(1);
    uint32_t first;
    count(r, 0, PATH_ACCEL, hist_index(123456789), 1);
    struct batch_hist *h = hist_of(r, 0);
    for (double q = 0; q <= 1; q += 0.125)
        ck_assert_double_eq_tol(batch_hist_quantile_ns(h, 0, 1, q), 123456789, 123456789 / 1024.0);
    ck_assert_uint_eq(batch_hist_buckets(h, &first), 1);
    ck_assert_uint_eq(first, hist_index(123456789));
    batch_hist_destroy(h);
    record_destroy(r);
}
END_TEST

// One bucket, the last of all, with more than 2^32 values; and batches without a value have no
// quantile.
START_TEST(one_bucket)
{
    struct record *r = record_of(3);
    for (int path = 0; path < N_PATHS; path++)
        count(r, 1, (enum record_path)path, HIST_N_BUCKETS - 1, UINT32_MAX);
    struct batch_hist *h = hist_of(r, 0);
    ck_assert_uint_eq(batch_hist_n(h, 0, 3), 2 * (uint64_t)UINT32_MAX);
    ck_assert(batch_hist_quantile_ns(h, 0, 3, 0.5) >= (double)hist_lower_ns(HIST_N_BUCKETS - 1));
    ck_assert(isnan(batch_hist_quantile_ns(h, 0, 1, 0.5)));
    ck_assert(isnan(batch_hist_quantile_ns(h, 2, 2, 0.5)));
    batch_hist_destroy(h);
    record_destroy(r);
}
END_TEST

// Nothing was counted: no buckets and no quantile.
START_TEST(empty)
{
    struct record *r = record_of(2);
    struct batch_hist *h = hist_of(r, 0);
    uint32_t first;
    ck_assert_uint_eq(batch_hist_buckets(h, &first), 0);
    ck_assert_uint_eq(batch_hist_n(h, 0, 2), 0);
    ck_assert(isnan(batch_hist_quantile_ns(h, 0, 2, 0.5)));
    batch_hist_destroy(h);
    batch_hist_destroy(NULL);
    record_destroy(r);
}
END_TEST

// Above the q-quantile of all lie (1 - q) of all, and batch by batch they add up to it: with equal
// values, with a value in each batch, and where the quantile falls inside a bucket.
START_TEST(above_adds_up)
{
    struct record *r = record_of(N_BATCHES);
    for (uint32_t b = 0; b < N_BATCHES; b++) {
        count(r, b, PATH_CPU, 3000, 40 + 10 * b);
        count(r, b, PATH_ACCEL, 3001 + b, 30);
    }
    struct batch_hist *h = hist_of(r, 0);
    double n = (double)batch_hist_n(h, 0, N_BATCHES);
    for (double q = 0.05; q < 1; q += 0.1) {
        double sum = 0;
        for (uint32_t b = 0; b < N_BATCHES; b++)
            sum += batch_hist_above(h, b, b + 1, q);
        ck_assert_double_eq_tol(sum, (1 - q) * n, 1e-9 * n);
    }
    // Of the first batch 40 of 70 share the lowest bucket, as 490 of 700 do of all.
    ck_assert_double_eq_tol(batch_hist_above(h, 0, 1, 0.35), 30 + 20, 1e-9);
    batch_hist_destroy(h);
    record_destroy(r);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", as_merged},        {"core", above_adds_up},
        {"core", quantile_by_rank}, {"limits", quantile_of_one_value},
        {"limits", one_bucket},     {"limits", empty}};
    return suite_run("batch_hist", tests, sizeof tests / sizeof *tests);
}
