// SPDX-License-Identifier: Apache-2.0
// write_farm FULL EMPTY: the results files of two farms for the reader test.
#include <stdio.h>

#include "results/file/dataset_write.h"
#include "results/file/farm.h"
#include "results/fixture.h"

static int write_one(const char *path, struct farm *farm)
{
    struct err err = {0};
    struct run_info run = fixture_run();
    int rc = dataset_write(&farm_layout, farm, &run, path, true, &err);
    if (rc != 0)
        fprintf(stderr, "write_farm: %s\n", err.text);
    dataset_destroy(&farm_layout, farm);
    return rc;
}

int main(int argc, char **argv)
{
    struct farm full = farm_make(3), empty = {0};
    full.sample.n = 2;
    dataset_create(&farm_layout, &empty);
    return argc != 3 || write_one(argv[1], &full) != 0 || write_one(argv[2], &empty) != 0;
}
