// SPDX-License-Identifier: Apache-2.0
// Rounds of agreement: everybody hears the same, nobody waits to say something.
#include "cluster/consensus.h"

#include "support/suite_mpi.h"

static void hear(struct consensus *consensus, int64_t *result)
{
    while (!consensus_heard(consensus, result))
        ;
}

// The sum of what was said, on every rank, round after round.
START_TEST(same_for_all)
{
    int64_t n = suite_mpi_size(), result[4];
    struct consensus consensus = consensus_start(MPI_COMM_WORLD);
    for (int64_t round = 0; round < 100; round++) {
        const int64_t mine[4] = {round * suite_mpi_rank(), -suite_mpi_rank(), 1, INT64_C(1) << 40};
        consensus_say(&consensus, mine, 4);
        hear(&consensus, result);
        ck_assert_int_eq(result[0], round * n * (n - 1) / 2);
        ck_assert_int_eq(result[1], -n * (n - 1) / 2);
        ck_assert_int_eq(result[2], n);
        ck_assert_int_eq(result[3], n << 40);
        ck_assert_int_eq(consensus.mpi_error, MPI_SUCCESS);
    }
}
END_TEST

// Nothing is heard before something was said, nor twice.
START_TEST(once)
{
    int64_t result[4] = {7, 7};
    const int64_t mine[4] = {1, 2};
    struct consensus consensus = consensus_start(MPI_COMM_WORLD);
    ck_assert(!consensus_heard(&consensus, result));
    ck_assert_int_eq(result[0], 7);
    consensus_say(&consensus, mine, 4);
    hear(&consensus, result);
    ck_assert_int_eq(result[1], 2 * suite_mpi_size());
    ck_assert(!consensus_heard(&consensus, result));
}
END_TEST

// A round does not end for anybody before the last has spoken.
START_TEST(waits_for_the_last)
{
    int64_t result[4];
    const int64_t mine[4] = {suite_mpi_rank(), 0};
    struct consensus consensus = consensus_start(MPI_COMM_WORLD);
    int n = suite_mpi_size();
    if (suite_mpi_rank() != n - 1) {
        consensus_say(&consensus, mine, 4);
        for (int i = 0; i < 1000; i++)
            ck_assert(!consensus_heard(&consensus, result));
    }
    MPI_Barrier(MPI_COMM_WORLD);
    if (suite_mpi_rank() == n - 1)
        consensus_say(&consensus, mine, 4);
    hear(&consensus, result);
    ck_assert_int_eq(result[0], n * (n - 1) / 2);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {
        {"core", same_for_all}, {"core", once}, {"limits", waits_for_the_last}};
    return suite_mpi_run(&argc, &argv, "consensus", tests, sizeof tests / sizeof *tests);
}
