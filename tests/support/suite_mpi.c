// SPDX-License-Identifier: Apache-2.0
#include "support/suite_mpi.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

// The sum of all ranks' failures, or an aborted job when not all ranks come to add theirs. A
// communicator of its own, so that what a broken test left under way cannot be taken for it.
static int sum_failures(MPI_Comm comm, int failed)
{
    int sum = 0, done = 0;
    MPI_Request request;
    double start_s = MPI_Wtime();

    MPI_Iallreduce(&failed, &sum, 1, MPI_INT, MPI_SUM, comm, &request);
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    while (!done) {
        if (failed && MPI_Wtime() - start_s > SUITE_MPI_PATIENCE_S) {
            fprintf(stderr, "a test failed here and other ranks are stuck in it: aborting\n");
            MPI_Abort(MPI_COMM_WORLD, 1);
        }
        nanosleep(&(struct timespec){0, 1000000}, NULL);
        MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    }
    return sum;
}

int suite_mpi_run(int *argc, char ***argv, const char *name, const struct suite_test *tests,
                  size_t n)
{
    MPI_Comm verdict;
    int rank, threads;

    MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &threads);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_dup(MPI_COMM_WORLD, &verdict);
    int failed = suite_failures(name, tests, n, CK_NOFORK, rank == 0 ? CK_ENV : CK_SILENT);
    failed = sum_failures(verdict, failed);
    MPI_Comm_free(&verdict);
    MPI_Finalize();
    return failed != 0;
}

int suite_mpi_rank(void)
{
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    return rank;
}

int suite_mpi_size(void)
{
    int size;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    return size;
}

void suite_mpi_path(char folder[64], char path[96])
{
    if (suite_mpi_rank() == 0) {
        snprintf(folder, 64, "%s", "/tmp/recfleet-test-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
    }
    MPI_Bcast(folder, 64, MPI_CHAR, 0, MPI_COMM_WORLD);
    snprintf(path, 96, "%s/x.h5", folder);
}
