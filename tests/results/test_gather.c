// SPDX-License-Identifier: Apache-2.0
#include "results/gather.h"

#include <string.h>

#include "base/simtime.h"
#include "results/fixture.h"
#include "support/suite_mpi.h"

static uint32_t size_of(void)
{
    int n;
    MPI_Comm_size(MPI_COMM_WORLD, &n);
    return (uint32_t)n;
}

// The ranks' parts add up to the record that one rank would have made, to the bit.
START_TEST(parts_make_the_whole)
{
    struct meta *meta = fixture_meta();
    struct record *mine = fixture_part(meta, (uint32_t)suite_mpi_rank(), size_of()), *total;
    struct record *whole = fixture_part(meta, 0, 1);
    struct err err = {0};
    int rc = gather_record(MPI_COMM_WORLD, mine, &total, &err);
    ck_assert_int_eq(rc, 0);
    ck_assert((total != NULL) == (suite_mpi_rank() == 0));
    if (total) {
        ck_assert_uint_eq(total->n_samples, whole->n_samples);
        ck_assert_mem_eq(total->samples, whole->samples, whole->n_samples * sizeof *whole->samples);
        ck_assert_mem_eq(total->groups, whole->groups, 20 * sizeof *whole->groups);
        ck_assert_mem_eq(total->servers, whole->servers, 4 * sizeof *whole->servers);
        for (size_t i = 0; i < 40; i++) {
            const struct tally *a = &total->tallies[i], *b = &whole->tallies[i];
            ck_assert_mem_eq(a, b, offsetof(struct tally, hist));
            ck_assert_mem_eq(a->hist, b->hist, HIST_N_BUCKETS * sizeof *a->hist);
        }
    }
    record_destroy(mine);
    record_destroy(total);
    record_destroy(whole);
    meta_destroy(meta);
}
END_TEST

// Sums of squares carry from one 32-bit limb into the next, up to the top of 128 bits.
START_TEST(squares_carry)
{
    struct record_shape shape = {1, 1, 1, 1, 0, SIMTIME_S};
    struct record *mine = record_create(&shape), *total;
    unsigned __int128 most = ~(unsigned __int128)0 / size_of();
    record_tally(mine, 0, 0, PATH_CPU)->latency_sq_sum_ns2 = most;
    record_tally(mine, 0, 0, PATH_ACCEL)->latency_sq_sum_ns2 = UINT64_MAX;
    record_tally(mine, 0, 0, PATH_CPU)->latency_max_ns = suite_mpi_rank() + 5;
    int rc = gather_record(MPI_COMM_WORLD, mine, &total, NULL);
    ck_assert_int_eq(rc, 0);
    if (total) {
        ck_assert(record_tally(total, 0, 0, PATH_CPU)->latency_sq_sum_ns2 == most * size_of());
        ck_assert(record_tally(total, 0, 0, PATH_ACCEL)->latency_sq_sum_ns2 ==
                  (unsigned __int128)UINT64_MAX * size_of());
        ck_assert_int_eq(record_tally(total, 0, 0, PATH_CPU)->latency_max_ns, size_of() + 4);
    }
    record_destroy(mine);
    record_destroy(total);
}
END_TEST

// Queries generated, lost, pending and tried again are summed, also where none has an end.
START_TEST(fates)
{
    struct record_shape shape = {2, 1, 1, 1, 0, SIMTIME_S};
    struct record *mine = record_create(&shape), *total;
    struct tally *t = record_tally(mine, 0, 1, PATH_CPU);
    t->n_lost = (uint64_t)suite_mpi_rank() + 1;
    t->n_pending = 10;
    t->n_retries = 100;
    mine->n_generated[1] = 1000;
    int rc = gather_record(MPI_COMM_WORLD, mine, &total, NULL);
    ck_assert_int_eq(rc, 0);
    if (total) {
        t = record_tally(total, 0, 1, PATH_CPU);
        ck_assert_uint_eq(t->n_lost, size_of() * (size_of() + 1) / 2);
        ck_assert_uint_eq(t->n_pending, 10 * size_of());
        ck_assert_uint_eq(t->n_retries, 100 * size_of());
        ck_assert_uint_eq(total->n_generated[0], 0);
        ck_assert_uint_eq(total->n_generated[1], 1000 * size_of());
    }
    record_destroy(mine);
    record_destroy(total);
}
END_TEST

// Each rank uses another end of the histogram: the agreed range covers both.
START_TEST(far_buckets)
{
    struct record_shape shape = {1, 1, 1, 1, 0, SIMTIME_S};
    struct record *mine = record_create(&shape), *total;
    struct tally *t = record_tally(mine, 0, 0, PATH_CPU);
    t->hist[suite_mpi_rank() % 2 ? HIST_N_BUCKETS - 1 : 0] = 3;
    t->n_queries = 3;
    int rc = gather_record(MPI_COMM_WORLD, mine, &total, NULL);
    ck_assert_int_eq(rc, 0);
    if (total) {
        const uint32_t *hist = record_tally(total, 0, 0, PATH_CPU)->hist;
        ck_assert_uint_eq(hist[0], 3 * ((size_of() + 1) / 2));
        ck_assert_uint_eq(hist[HIST_N_BUCKETS - 1], 3 * (size_of() / 2));
    }
    record_destroy(mine);
    record_destroy(total);
}
END_TEST

// A bucket that the sum would overflow is an error on all ranks, not a wrong number.
START_TEST(bucket_overflow)
{
    struct record_shape shape = {1, 1, 1, 1, 0, SIMTIME_S};
    struct record *mine = record_create(&shape), *total;
    struct err err = {0};
    record_tally(mine, 0, 0, PATH_CPU)->hist[7] = UINT32_MAX;
    record_tally(mine, 0, 0, PATH_CPU)->n_queries = UINT32_MAX;
    int rc = gather_record(MPI_COMM_WORLD, mine, &total, &err);
    if (size_of() > 1) {
        ck_assert_int_eq(rc, -1);
        ck_assert_int_eq(err.code, ERR_FAIL);
        ck_assert_ptr_null(total);
    } else {
        ck_assert_int_eq(rc, 0);
    }
    record_destroy(mine);
    record_destroy(total);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", fates},
                                       {"core", parts_make_the_whole},
                                       {"limits", squares_carry},
                                       {"limits", far_buckets},
                                       {"errors", bucket_overflow}};
    return suite_mpi_run(&argc, &argv, "gather", tests, sizeof tests / sizeof *tests);
}
