// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "app/cmd.h"
#include "app/load_sides.h"
#include "results/report/compare.h"
#include "results/report/percentile_table.h"
#include "traces/percentiles.h"

static const struct cmd_option options[] = {
    {"--baseline", 'b', "FILE|LABELS",
     "compare with this: a file, or labels such as policy=random; default: the first"},
    {"--service", 0, "NAME",
     "with measured percentiles: the run's service that they are of; default: all together"},
    {"--unit", 0, "ns|us|ms|s", "of measured values that say none; default ms"},
    CMD_FORMAT,
    {NULL, 0, NULL, NULL}};

// ---- simulated against measured

static bool is_results(const char *path)
{
    size_t n = strlen(path);
    unsigned char head[4] = {0};
    FILE *file = fopen(path, "rb");
    bool hdf5 = !file || (fread(head, 1, sizeof head, file) == sizeof head &&
                          memcmp(head, "\x89HDF", sizeof head) == 0);
    if (file)
        fclose(file);
    return hdf5 || (n > 3 && strcmp(path + n - 3, ".h5") == 0);
}

static int unit_of(const struct cmd_line *line, double *unit_s, struct err *err)
{
    const char *const names[] = {"ns", "us", "ms", "s"};
    const double scales[] = {1e-9, 1e-6, 1e-3, 1};
    const char *given = cmd_value(line, "--unit", "ms");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(given, names[i]) == 0) {
            *unit_s = scales[i];
            return 0;
        }
    return err_set(err, ERR_STUDY, "recfleet compare: --unit: expected ns, us, ms or s, got \"%s\"",
                   given);
}

// The index of the service, n_services for all of them.
static int service_of(const struct cmd_line *line, const struct run_result *run, uint32_t *service,
                      struct err *err)
{
    const char *name = cmd_value(line, "--service", NULL);
    *service = run->meta->n_services == 1 ? 0 : run->meta->n_services;
    for (uint32_t i = 0; name && i < run->meta->n_services; i++)
        if (strcmp(run->meta->services[i].name, name) == 0) {
            *service = i;
            return 0;
        }
    return name ? err_set(err, ERR_STUDY, "%s: has no service \"%s\"", run->path, name) : 0;
}

static int compare_run(const struct cmd_line *line, const char *path,
                       const struct percentile_table_measured *measured, struct err *err)
{
    struct report_out out = cmd_report_out(line);
    uint32_t service;
    struct run_result *run = run_result_read(path, DATASET_WHOLE, err);
    int rc = run ? service_of(line, run, &service, err) : -1;
    if (rc == 0) {
        percentile_table_print(&out, run, service, measured);
        report_end(&out);
    }
    run_result_destroy(run);
    return rc;
}

// One of the two files is measured, number `at`.
static int compare_measured(const struct cmd_line *line, size_t at, struct err *err)
{
    struct percentiles p;
    double unit_s = 0;
    if (line->n_args != 2 || !is_results(line->args[1 - at]))
        return err_set(err, ERR_STUDY,
                       "%s: measured percentiles are compared with the results file of one run",
                       line->args[at]);
    if (unit_of(line, &unit_s, err) < 0 || percentiles_read(&p, line->args[at], unit_s, err) < 0)
        return -1;
    const struct percentile_table_measured measured = {
        line->args[at],
        p.kind,
        p.has_unit ? NULL : cmd_value(line, "--unit", "ms"),
        p.n,
        p.quantile,
        p.latency_s,
        p.n_total};
    int rc = compare_run(line, line->args[1 - at], &measured, err);
    percentiles_release(&p);
    return rc;
}

// ---- results

static int compare(struct cmd_line *line, struct err *err)
{
    struct report_out out = cmd_report_out(line);
    for (size_t i = 0; i < line->n_args; i++)
        if (!is_results(line->args[i]))
            return compare_measured(line, i, err);
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
        "log, or CSV with columns such as quantile,latency_ms; then a run is shown beside it, "
        "percentile by percentile.",
    .example = "recfleet compare random.h5 power-of-two.h5",
    .options = options,
    .run = compare,
};
