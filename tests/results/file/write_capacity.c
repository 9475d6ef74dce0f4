// SPDX-License-Identifier: Apache-2.0
// write_capacity PLAN SIZES: the results files of two capacity searches for the reader test.
#include <stdio.h>

#include "results/fixture.h"
#include "results/file/dataset_write.h"
#include "results/file/fixture_capacity.h"

static int write_one(const char *path, struct capacity_result *answer)
{
    struct err err = {0};
    struct run_info run = fixture_run();
    int rc = dataset_write(&capacity_result_layout, answer, &run, path, true, &err);
    if (rc != 0)
        fprintf(stderr, "write_capacity: %s\n", err.text);
    capacity_result_destroy(answer);
    return rc;
}

int main(int argc, char **argv)
{
    int rc = argc == 3 ? 0 : -1;
    if (rc == 0)
        rc = write_one(argv[1], fixture_capacity());
    if (rc == 0)
        rc = write_one(argv[2], fixture_capacity_sizes());
    return rc != 0;
}
