// SPDX-License-Identifier: Apache-2.0
// write_sample FILE: a results file for the reader test.
#include <mpi.h>
#include <stdio.h>

#include "results/fixture.h"
#include "results/store.h"

int main(int argc, char **argv)
{
    struct err err = {0};
    MPI_Init(&argc, &argv);
    struct meta *meta = fixture_meta();
    struct record *total = fixture_part(meta, 0, 1);
    struct summary *summary = summary_create(total, meta);
    struct run_info run = fixture_run();
    struct store_input in = {meta, summary, total, &run};
    int rc = argc == 2 ? store_write(MPI_COMM_SELF, argv[1], true, &in, &err) : -1;
    if (rc != 0)
        fprintf(stderr, "write_sample: %s\n", err.text);
    summary_destroy(summary);
    record_destroy(total);
    meta_destroy(meta);
    MPI_Finalize();
    return rc != 0;
}
