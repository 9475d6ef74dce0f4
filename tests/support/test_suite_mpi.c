// SPDX-License-Identifier: Apache-2.0
#include "support/suite_mpi.h"

#include <string.h>

// Tests see an initialised MPI and the same number of ranks.
START_TEST(ranks_agree)
{
    int rank, size, sum = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    ck_assert_int_eq(sum, size * (size - 1) / 2);
}
END_TEST

// Run only on demand: fails on the last rank, so that CTest can see that all ranks exit with 1.
START_TEST(last_rank_fails)
{
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    ck_assert_int_ne(rank, size - 1);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test good[] = {{"core", ranks_agree}};
    const struct suite_test bad[] = {{"core", ranks_agree}, {"errors", last_rank_fails}};

    if (argc > 1 && strcmp(argv[1], "fail") == 0)
        return suite_mpi_run(&argc, &argv, "suite_mpi", bad, 2);
    return suite_mpi_run(&argc, &argv, "suite_mpi", good, 1);
}
