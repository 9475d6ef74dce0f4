// SPDX-License-Identifier: Apache-2.0
// write_staffing PLAN SIZES: the results files of two capacity searches for the reader test.
#include <mpi.h>
#include <stdio.h>

#include "results/fixture.h"
#include "results/fixture_staffing.h"
#include "results/store_staffing.h"

static int write_one(const char *path, struct staffing *staffing)
{
    struct err err = {0};
    struct run_info run = fixture_run();
    int rc = store_staffing_write(MPI_COMM_SELF, path, true, staffing, &run, &err);
    if (rc != 0)
        fprintf(stderr, "write_staffing: %s\n", err.text);
    staffing_destroy(staffing);
    return rc;
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    int rc = argc == 3 ? 0 : -1;
    if (rc == 0)
        rc = write_one(argv[1], fixture_staffing());
    if (rc == 0)
        rc = write_one(argv[2], fixture_staffing_sizes());
    MPI_Finalize();
    return rc != 0;
}
