// SPDX-License-Identifier: Apache-2.0
#include "results/relaxation.h"

#include <math.h>

#include "base/mem.h"
#include "base/rng.h"
#include "results/batch.h"
#include "support/suite.h"

// Bins of one M/M/1 queue with mean service 1 ms: `per_bin` queries are offered in each on average,
// and the work is what arrived, as if it were done at once. `scale` cores share it.
static double mm1(uint32_t n_bins, double rho, double per_bin, double scale, double trend)
{
    double *work = mem_calloc((size_t)3 * n_bins, sizeof *work), *length = work + n_bins,
           *zero = length + n_bins;
    uint64_t k = 0;
    for (uint32_t i = 0; i < n_bins; i++) {
        struct rng_stream stream = rng_stream(9, RNG_TEST, i);
        double in_bin = per_bin * (1 + trend * ((double)i / n_bins - 0.5));
        length[i] = per_bin / rho * 1e6;
        for (double t = 0;; k++) { // gaps and works are exponential
            uint64_t w[2];
            rng_block(&stream, k, w);
            t -= log1p(-rng_u01(w[0])) / in_bin;
            if (t >= 1)
                break;
            work[i] -= 1e6 * scale * log1p(-rng_u01(w[1]));
        }
    }
    struct overload_series series = {n_bins, 1, length, work, zero, zero, .n_units = scale};
    double times = relaxation_times(&series);
    mem_free(work);
    return times;
}

// N (1 - sqrt(rho))^2 / rho of M/M/1, but for the standard error that the load is taken above.
START_TEST(as_in_closed_form)
{
    const double n = 400 * 5000.0;
    for (double rho = 0.5; rho < 0.91; rho += 0.2) {
        double load = rho * (1 + sqrt(2 / n)), rest = 1 - sqrt(load);
        double truth = n * rest * rest / load;
        // The variance of 400 bins is known to sqrt(3 / 400) = 9 %; three of these.
        ck_assert_double_eq_tol(mm1(400, rho, 5000, 1, 0) / truth, 1, 0.27);
    }
}
END_TEST

// The unit of work has no say, nor has the course of a day beyond its mean.
START_TEST(scale_and_trend)
{
    double plain = mm1(400, 0.5, 5000, 1, 0);
    ck_assert_double_eq_tol(mm1(400, 0.5, 5000, 8, 0) / plain, 1, 1e-9);
    ck_assert_double_eq_tol(mm1(400, 0.5, 5000, 1, 0.5) / plain, 1, 0.27);
}
END_TEST

START_TEST(limits)
{
    const double length[] = {1e9, 1e9}, same[] = {5e8, 5e8}, full[] = {1e9, 1.1e9}, zero[2] = {0};
    struct overload_series s = {2, 1, length, same, zero, zero, .n_units = 1};
    ck_assert(relaxation_times(&s) == INFINITY); // nothing varies
    s.busy_ns = full;
    ck_assert(relaxation_times(&s) == 0);
    s.busy_ns = zero;
    ck_assert(relaxation_times(&s) == INFINITY); // nothing to do
    s.n = 1;
    ck_assert_double_nan(relaxation_times(&s));
}
END_TEST

START_TEST(what_is_enough)
{
    ck_assert(relaxation_enough(130, 130, 0.95));
    ck_assert(!relaxation_enough(129, 129, 0.5));
    ck_assert(!relaxation_enough(389, 389, 0.99));
    ck_assert(relaxation_enough(390, 20, 0.99));
    ck_assert(!relaxation_enough(1e6, 19, 0.5));
    ck_assert(!relaxation_enough(NAN, NAN, 0.5));
    ck_assert_uint_eq(relaxation_batches(1e6, 1e6), BATCH_AIM);
    ck_assert_uint_eq(relaxation_batches(INFINITY, INFINITY), BATCH_AIM);
    ck_assert_uint_eq(relaxation_batches(200, 200), 8);
    ck_assert_uint_eq(relaxation_batches(450, 450), 15);
    ck_assert_uint_eq(relaxation_batches(1e6, 30), 6);
    ck_assert_uint_eq(relaxation_batches(0, 0), BATCH_LEAST);
    ck_assert_uint_ge(relaxation_batches(NAN, NAN), BATCH_LEAST);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", as_in_closed_form},
                                       {"core", scale_and_trend},
                                       {"core", what_is_enough},
                                       {"limits", limits}};
    return suite_run("relaxation", tests, sizeof tests / sizeof *tests);
}
