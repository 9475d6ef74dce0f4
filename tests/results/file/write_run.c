// SPDX-License-Identifier: Apache-2.0
// write_run FILE: a results file for the reader tests.
#include <stdio.h>

#include "results/file/run_file.h"

int main(int argc, char **argv)
{
    struct err err = {0};
    int rc = argc == 2 ? run_file_write(argv[1], NULL, &err) : -1;
    if (rc != 0)
        fprintf(stderr, "write_run: %s\n", err.text);
    return rc != 0;
}
