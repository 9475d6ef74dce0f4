// SPDX-License-Identifier: Apache-2.0
// write_sweep FILE: a sweep's results file for the reader test.
#include <mpi.h>
#include <stdio.h>

#include "results/file/fixture_sweep.h"
#include "results/file/store_sweep.h"

int main(int argc, char **argv)
{
    struct err err = {0};
    MPI_Init(&argc, &argv);
    struct sweep_result *points = fixture_sweep();
    int rc = argc == 2 ? store_sweep_write(argv[1], true, points, &err) : -1;
    if (rc != 0)
        fprintf(stderr, "write_sweep: %s\n", err.text);
    sweep_result_destroy(points);
    MPI_Finalize();
    return rc != 0;
}
