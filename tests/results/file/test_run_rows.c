// SPDX-License-Identifier: Apache-2.0
#include "results/file/run_rows.h"

#include <math.h>

#include "results/file/run_layout.h"
#include "results/fixture.h"
#include "support/suite.h"

#define N_BINS 10
#define N_SERVICES 2
#define N_GROUPS 2

// The fixture's record, and the rows made of it.
struct made {
    struct meta *meta;
    struct record *total;
    struct run_frame f;
};

static void make_rows(struct made *made)
{
    struct summary *summary = summary_create(made->total, made->meta);
    made->f = (struct run_frame){.meta = *made->meta, .summary = *summary};
    run_rows_fill(&made->f, made->total);
    summary_destroy(summary);
}

static void release(struct made *made)
{
    run_rows_release(&made->f);
    record_destroy(made->total);
    meta_destroy(made->meta);
}

// The fixture's queries are 50 us apart and go to the services in turn: 1000 each in 100 ms.
START_TEST(queries_by_bin)
{
    struct made made = {.meta = fixture_meta()};
    made.total = fixture_part(made.meta, 0, 1);
    make_rows(&made);
    ck_assert_uint_eq(made.f.bins.n, N_BINS);
    for (int i = 0; i < N_BINS * N_SERVICES; i++)
        ck_assert_uint_eq(made.f.bins.services[i].n_queries, 1000);
    for (int i = 0; i < N_BINS; i++) {
        ck_assert_uint_eq(made.f.bins.all[i].n_queries, 2000);
        ck_assert_double_eq_tol(made.f.bins.start_s[i], 0.1 * i, 1e-12);
        ck_assert_double_eq_tol(made.f.bins.times[i].end_s, 0.1 * (i + 1), 1e-12);
        ck_assert(made.f.bins.times[i].measured == ((uint32_t)i >= made.f.summary.fleet.first_bin));
    }
    release(&made);
}
END_TEST

// What was lost, retried, or has no end stands in its bin and service, over both paths.
START_TEST(losses_by_bin)
{
    struct made made = {.meta = fixture_meta()};
    made.total = fixture_part(made.meta, 0, 1);
    record_tally(made.total, 3, 1, PATH_CPU)->n_lost = 5;
    record_tally(made.total, 3, 1, PATH_ACCEL)->n_lost = 2;
    record_tally(made.total, 9, 0, PATH_CPU)->n_pending = 4;
    record_tally(made.total, 2, 0, PATH_ACCEL)->n_retries = 6;
    make_rows(&made);
    for (int i = 0; i < N_BINS * N_SERVICES; i++) {
        ck_assert_uint_eq(made.f.rest.bins[i].n_lost, i == 3 * N_SERVICES + 1 ? 7 : 0);
        ck_assert_uint_eq(made.f.rest.bins[i].n_pending, i == 9 * N_SERVICES ? 4 : 0);
        ck_assert_uint_eq(made.f.rest.bins[i].n_retries, i == 2 * N_SERVICES ? 6 : 0);
    }
    release(&made);
}
END_TEST

// Of 2 cores 100 ms and some ns are used in 100 ms, 7 J are 70 W. The first group has no
// accelerator to use, the second's two are used for 20 ms.
START_TEST(groups_by_bin)
{
    struct made made = {.meta = fixture_meta()};
    made.total = fixture_part(made.meta, 0, 1);
    make_rows(&made);
    for (int i = 0; i < N_BINS * N_GROUPS; i++) {
        const struct run_part *parts = &made.f.bins.parts[i * N_PARTS];
        ck_assert_double_eq_tol(parts[PART_CPU].util_frac, (1e8 + i / N_GROUPS) / (2 * 1e8), 1e-12);
        double accel_frac = parts[PART_ACCEL].util_frac;
        ck_assert(i % N_GROUPS == 0 ? isnan(accel_frac) : fabs(accel_frac - 0.1) < 1e-12);
        ck_assert_double_eq_tol(parts[PART_CPU].power_w, 70, 1e-9);
    }
    release(&made);
}
END_TEST

// The histogram has all queries of the measured bins, in rising buckets without gaps, and no empty
// bucket at its ends; the sample is in the record's order.
START_TEST(histogram_and_sample)
{
    struct made made = {.meta = fixture_meta()};
    made.total = fixture_part(made.meta, 0, 1);
    make_rows(&made);
    const struct run_frame *f = &made.f;
    const uint32_t n_cells = N_SERVICES * N_PATHS;
    uint64_t all = 0, first = 0, last = 0;
    ck_assert_uint_gt(f->rest.n_buckets, 0);
    for (uint32_t i = 0; i < f->rest.n_buckets * n_cells; i++) {
        all += f->rest.counts[i];
        first += i < n_cells ? f->rest.counts[i] : 0;
        last += i >= (f->rest.n_buckets - 1) * n_cells ? f->rest.counts[i] : 0;
    }
    ck_assert_uint_eq(all, 20000);
    ck_assert(first > 0 && last > 0);
    for (uint32_t i = 0; i + 1 < f->rest.n_buckets; i++)
        ck_assert_double_eq(f->rest.bucket_end_s[i], f->rest.bucket_s[i + 1]);
    ck_assert_uint_eq(f->rest.n_samples, 400);
    ck_assert_int_eq(f->rest.samples[7].query.arrive_ns, made.total->samples[7].arrive_ns);
    ck_assert_uint_eq(f->rest.samples[7].service, made.total->samples[7].service);
    release(&made);
}
END_TEST

// Of all queries those of the measured bins are there, and the slowest of them; a list of the
// slowest loses what turns out to be warm-up.
START_TEST(all_and_slowest)
{
    struct made made = {.meta = fixture_meta()};
    made.total = fixture_part(made.meta, 0, 1);
    struct record *total = made.total;
    int64_t half_ns = record_bin_start_ns(&total->shape, N_BINS / 2);
    size_t n_late = 0;
    total->shape.all_queries = 1;
    total->slowest = slowest_create(7, N_BINS);
    for (size_t i = 0; i < total->n_samples; i++) {
        n_late += total->samples[i].arrive_ns >= half_ns;
        record_add_slow(total, total->samples[i]);
    }
    record_sort_samples(total);
    struct summary *summary = summary_create(total, made.meta);
    summary->fleet.from_ns = half_ns;
    made.f = (struct run_frame){.meta = *made.meta, .summary = *summary};
    run_rows_fill(&made.f, total);
    summary_destroy(summary);
    const struct run_rest *rest = &made.f.rest;
    const struct run_slowest *slowest = &made.f.slowest;
    ck_assert_uint_eq(rest->n_samples, n_late);
    ck_assert_int_ge(rest->samples[0].query.arrive_ns, half_ns);
    ck_assert_uint_eq(slowest->n, 7);
    for (uint32_t i = 0; i < 7; i++) {
        const struct query_sample *q = &slowest->v[i].query;
        uint32_t n_slower = 0;
        for (uint32_t k = 0; k < rest->n_samples; k++)
            n_slower += slowest_is_slower(&rest->samples[k].query, q);
        ck_assert_uint_eq(n_slower, i);
        ck_assert_uint_eq(slowest->v[i].service, q->service);
    }
    release(&made);
}
END_TEST

// A bin without queries has a count of 0 and no latency, which is NaN and not 0.
START_TEST(empty_bins)
{
    struct made made = {.meta = fixture_meta()};
    struct record_shape shape = fixture_shape(made.meta, 3, 1000);
    made.total = record_create(&shape);
    make_rows(&made);
    ck_assert_uint_eq(made.f.bins.services[0].n_queries, 0);
    ck_assert_double_nan(made.f.bins.services[0].latency_mean_s);
    ck_assert_double_nan(made.f.bins.all[0].latency_s[0]);
    ck_assert_uint_eq(made.f.rest.n_buckets, 0);
    ck_assert_uint_eq(made.f.rest.n_samples, 0);
    release(&made);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", queries_by_bin},  {"core", losses_by_bin},
                                       {"core", groups_by_bin},   {"core", histogram_and_sample},
                                       {"core", all_and_slowest}, {"limits", empty_bins}};
    return suite_run("run_rows", tests, sizeof tests / sizeof *tests);
}
