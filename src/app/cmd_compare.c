// SPDX-License-Identifier: Apache-2.0
#include "app/cmd.h"
#include "app/load_sides.h"
#include "app/measured.h"
#include "results/report/compare.h"
#include "results/report/percentile_table.h"

static const struct cmd_option options[] = {
    {"--baseline", 'b', "FILE|LABELS",
     "compare with this: a file, or labels such as policy=random; default: the first"},
    MEASURED_OPTIONS,
    CMD_FORMAT,
    {NULL, 0, NULL, NULL}};

static int compare_measured(const struct cmd_line *line, struct err *err)
{
    struct measured measured;
    struct report_out out = cmd_report_out(line);
    if (measured_load(&measured, line, err) < 0)
        return -1;
    percentile_table_print(&out, measured.run, measured.service, &measured.table);
    report_end(&out);
    measured_release(&measured);
    return 0;
}

static int compare(struct cmd_line *line, struct err *err)
{
    struct report_out out = cmd_report_out(line);
    if (measured_given(line))
        return compare_measured(line, err);
    const char *baseline = cmd_value(line, "--baseline", NULL);
    struct load_sides loaded;
    if (load_sides(&loaded, line->args, line->n_args, baseline, err) < 0)
        return -1;
    struct compare *c = compare_create(&loaded.sides, baseline, err);
    if (c) {
        compare_print(&out, c);
        report_end(&out);
    }
    int rc = c ? 0 : -1;
    compare_destroy(c);
    load_sides_release(&loaded);
    return rc;
}

const struct cmd cmd_compare = {
    .name = "compare",
    .help = "show the differences between results files, with their intervals and verdicts",
    .arguments = "FILE...",
    .min_args = 1,
    .max_args = -1,
    .description =
        "Compares every other file with the baseline, the first unless --baseline names one: runs, "
        "or files with several results in them, of which those with the same labels are compared. "
        "The points of one sweep, or the rows of one tuning or capacity search, are compared with "
        "each other: --baseline policy=random compares each with the one of that policy which is "
        "otherwise alike. Results that saw the same queries (same traffic, seed, duration and "
        "cells) are compared part by part, which narrows the intervals; others as independent. A "
        "difference is better or worse when its 95 % interval, widened for all rows of the table, "
        "leaves out zero. One file may also be measured percentiles: HdrHistogram's .hgrm, "
        "LoadGen's "
        "log, or CSV with columns such as quantile,latency_ms; a run is then compared with it "
        "percentile by percentile.",
    .example = "recfleet compare random.h5 power-of-two.h5",
    .options = options,
    .run = compare,
};
