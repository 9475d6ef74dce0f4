// SPDX-License-Identifier: Apache-2.0
// write_capacity PLAN SIZES: the results files of two capacity searches for the reader test.
#include <mpi.h>
#include <stdio.h>

#include "results/fixture.h"
#include "results/file/fixture_capacity.h"
#include "results/file/store_capacity.h"

static int write_one(const char *path, struct capacity_result *answer)
{
    struct err err = {0};
    struct run_info run = fixture_run();
    int rc = store_capacity_write(MPI_COMM_SELF, path, true, answer, &run, &err);
    if (rc != 0)
        fprintf(stderr, "write_capacity: %s\n", err.text);
    capacity_result_destroy(answer);
    return rc;
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    int rc = argc == 3 ? 0 : -1;
    if (rc == 0)
        rc = write_one(argv[1], fixture_capacity());
    if (rc == 0)
        rc = write_one(argv[2], fixture_capacity_sizes());
    MPI_Finalize();
    return rc != 0;
}
