// SPDX-License-Identifier: Apache-2.0
// write_sweep FILE: a sweep's results file for the reader test.
#include <stdio.h>

#include "results/file/fixture_sweep.h"
#include "results/file/sweep_file.h"

int main(int argc, char **argv)
{
    struct err err = {0};
    struct sweep_result *points = fixture_sweep();
    int rc = argc == 2 ? sweep_file_write(argv[1], true, points, &err) : -1;
    if (rc != 0)
        fprintf(stderr, "write_sweep: %s\n", err.text);
    sweep_result_destroy(points);
    return rc != 0;
}
