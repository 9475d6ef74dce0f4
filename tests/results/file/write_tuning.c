// SPDX-License-Identifier: Apache-2.0
// write_tuning A B: the files of a sample tuning over a grid and of one without, for
// read_dataset.py.
#include <stdio.h>

#include "results/file/dataset_write.h"
#include "results/fixture.h"
#include "results/file/fixture_tuning.h"

static int write_one(const char *path, struct tuning_result *tuning)
{
    struct err err = {0};
    struct run_info run = fixture_run();
    int rc = dataset_write(&tuning_result_layout, tuning, &run, path, true, &err);
    if (rc != 0)
        fprintf(stderr, "write_tuning: %s\n", err.text);
    tuning_result_destroy(tuning);
    return rc;
}

int main(int argc, char **argv)
{
    int rc = argc == 3 ? 0 : -1;
    if (rc == 0)
        rc = write_one(argv[1], fixture_tuning(2));
    if (rc == 0)
        rc = write_one(argv[2], fixture_tuning_least());
    return rc != 0;
}
