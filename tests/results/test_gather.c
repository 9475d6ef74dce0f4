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
    if (total)
        fixture_same_records(total, whole);
    record_destroy(mine);
    record_destroy(total);
    record_destroy(whole);
    meta_destroy(meta);
}
END_TEST

// A bucket that the sum of the last two ranks would overflow is an error on all ranks, not a wrong
// number.
START_TEST(bucket_overflow)
{
    struct record_shape shape = {1, 1, 1, 1, 0, SIMTIME_S, 0, 0};
    struct record *mine = record_create(&shape), *total;
    struct err err = {0};
    struct tally *t = record_tally(mine, 0, 0, PATH_CPU);
    if (suite_mpi_rank() + 2 >= (int)size_of()) {
        t->hist[7] = UINT32_MAX;
        t->n_queries = UINT32_MAX;
        t->latency_max_ns = 7;
    }
    int rc = gather_record(MPI_COMM_WORLD, mine, &total, &err);
    if (size_of() > 1) {
        ck_assert_int_eq(rc, -1);
        ck_assert_int_eq(err.code, ERR_FAIL);
        ck_assert_ptr_nonnull(strstr(err.text, "2^32 or more queries of one latency"));
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
    const struct suite_test tests[] = {{"core", parts_make_the_whole}, {"errors", bucket_overflow}};
    return suite_mpi_run(&argc, &argv, "gather", tests, sizeof tests / sizeof *tests);
}
