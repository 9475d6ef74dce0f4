// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "app/cmd.h"
#include "base/mem.h"
#include "results/report/compare.h"
#include "results/file/run_result.h"

static const struct cmd_option options[] = {CMD_FORMAT, {NULL, 0, NULL, NULL}};

static int compare(struct cmd_line *line, struct err *err)
{
    struct run_result **files = mem_calloc(line->n_args, sizeof(struct run_result *));
    struct report_out out = cmd_report_out(line);
    int rc = 0;
    for (size_t i = 0; i < line->n_args && rc == 0; i++) {
        files[i] = run_result_read(line->args[i], DATASET_ALL, err);
        rc = files[i] ? 0 : -1;
    }
    if (rc == 0)
        rc = compare_print(&out, (const struct run_result *const *)files, line->n_args, err);
    if (rc == 0)
        report_end(&out);
    for (size_t i = 0; i < line->n_args; i++)
        run_result_destroy(files[i]);
    mem_free(files);
    return rc;
}

const struct cmd cmd_compare = {
    .name = "compare",
    .help = "show the differences between results files, with their intervals",
    .arguments = "BASE.h5 OTHER.h5...",
    .min_args = 2,
    .max_args = -1,
    .description =
        "Compares every other file with the first. Runs that saw the same queries (same traffic, "
        "seed, duration and cells) are compared bin by bin, which narrows the intervals; others "
        "as independent. A difference is called real when its 95 % interval leaves out zero.",
    .example = "recfleet compare random.h5 power-of-two.h5",
    .options = options,
    .run = compare,
};
