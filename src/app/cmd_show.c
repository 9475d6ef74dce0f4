// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "app/cmd.h"
#include "app/load_results.h"
#include "results/file/dataset_verify.h"
#include "results/file/run_result.h"
#include "results/report/percentile_table.h"
#include "results/report/report.h"
#include "results/report/report_capacity.h"
#include "results/report/report_fidelity.h"
#include "results/report/report_slowest.h"
#include "results/report/report_sweep.h"
#include "results/report/report_tuning.h"
#include "results/report/table.h"

static const struct cmd_option options[] = {
    {"--digest", 0, NULL, "the digest of the content, computed again from the file"},
    {"--hgrm", 0, NULL, "of a run: latency by percentile as HdrHistogram's text, in ms"},
    CMD_FORMAT,
    {NULL, 0, NULL, NULL}};

static void print_tables(struct report_out *out, const struct load_results *results)
{
    if (results->run) {
        report_print(out, results->run->meta, results->run->summary, &results->run->info);
        report_slowest_print(out, results->run->meta, &results->run->slowest);
        report_fidelity_print(out, &results->run->fidelity);
    }
    if (results->sweep)
        report_sweep_print(out, results->sweep);
    if (results->tuning)
        report_tuning_print(out, results->tuning);
    if (results->capacity)
        report_capacity_print(out, results->capacity);
    report_end(out);
}

// For people alone by itself: scripts compare two.
static void print_digest(struct report_out *out, const char *path, const char *hex)
{
    struct table *table = table_create(2);
    report_text(out, "%s\n", hex);
    table_row(table, (const char *[]){"file", "content_digest"});
    table_row(table, (const char *[]){path, hex});
    if (out->format != REPORT_TEXT)
        table_print(table, out, "digest");
    report_end(out);
    table_destroy(table);
}

// All services together where there are several.
static int show_hgrm(const char *path, struct err *err)
{
    struct run_result *run = run_result_read(path, DATASET_WHOLE, err);
    if (!run)
        return -1;
    percentile_table_hgrm(stdout, run, run->meta->n_services == 1 ? 0 : run->meta->n_services);
    run_result_destroy(run);
    return 0;
}

static int show(struct cmd_line *line, struct err *err)
{
    const char *path = line->args[0];
    char hex[CONTENT_DIGEST_CHARS];
    struct load_results results;
    struct report_out out = cmd_report_out(line);
    if (cmd_given(line, "--digest")) {
        if (dataset_verify(path, hex, err) < 0)
            return -1;
        print_digest(&out, path, hex);
        return 0;
    }
    if (cmd_given(line, "--hgrm"))
        return show_hgrm(path, err);
    if (load_results(&results, path, DATASET_ALL, err) < 0)
        return -1;
    print_tables(&out, &results);
    load_results_release(&results);
    return 0;
}

const struct cmd cmd_show = {
    .name = "show",
    .help = "print the tables of a results file, or its digest",
    .arguments = "FILE.h5",
    .min_args = 1,
    .max_args = 1,
    .description =
        "Prints the tables that the command which wrote the file printed at its end: of a run, a "
        "sweep, a tuning or a capacity search. With --digest it computes the digest of everything "
        "in the file that is outside of its group /run, and prints that. Two files with the same "
        "digest hold the same answer, whatever version of HDF5 wrote them, on however many ranks, "
        "and however they were repacked since. A file whose content is no longer what was written "
        "is then an error.",
    .example = "recfleet show out.h5",
    .options = options,
    .run = show,
};
