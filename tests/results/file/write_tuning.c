// SPDX-License-Identifier: Apache-2.0
// write_tuning FILE: a tuning's results file for the reader test.
#include <mpi.h>
#include <stdio.h>

#include "results/fixture.h"
#include "results/file/fixture_tuning.h"
#include "results/file/store_tuning.h"

int main(int argc, char **argv)
{
    struct err err = {0};
    MPI_Init(&argc, &argv);
    struct tuning_result *tuning = fixture_tuning(2);
    struct run_info run = fixture_run();
    int rc = argc == 2 ? store_tuning_write(MPI_COMM_SELF, argv[1], true, tuning, &run, &err) : -1;
    if (rc != 0)
        fprintf(stderr, "write_tuning: %s\n", err.text);
    tuning_result_destroy(tuning);
    MPI_Finalize();
    return rc != 0;
}
