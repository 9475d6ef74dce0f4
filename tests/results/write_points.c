// SPDX-License-Identifier: Apache-2.0
// write_points FILE: a sweep's results file for the reader test.
#include <mpi.h>
#include <stdio.h>

#include "results/fixture_points.h"
#include "results/store_points.h"

int main(int argc, char **argv)
{
    struct err err = {0};
    MPI_Init(&argc, &argv);
    struct points *points = fixture_points();
    int rc = argc == 2 ? store_points_write(argv[1], true, points, &err) : -1;
    if (rc != 0)
        fprintf(stderr, "write_points: %s\n", err.text);
    points_destroy(points);
    MPI_Finalize();
    return rc != 0;
}
