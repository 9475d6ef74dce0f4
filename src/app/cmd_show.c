// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "app/cmd.h"
#include "cluster/sched.h"
#include "results/file/capacity_result.h"
#include "results/file/dataset_read.h"
#include "results/file/dataset_verify.h"
#include "results/file/run_result.h"
#include "results/file/sweep_file.h"
#include "results/file/tuning_result.h"
#include "results/report/percentile_table.h"
#include "results/report/report.h"
#include "results/report/report_capacity.h"
#include "results/report/report_sweep.h"
#include "results/report/report_tuning.h"
#include "results/report/table.h"

static const struct cmd_option options[] = {
    {"--digest", 0, NULL, "the digest of the content, computed again from the file"},
    {"--hgrm", 0, NULL, "of a run: latency by percentile as HdrHistogram's text, in ms"},
    CMD_FORMAT,
    {NULL, 0, NULL, NULL}};

// ---- a kind of file each

static int show_run(const char *path, struct report_out *out, struct err *err)
{
    struct run_result *run = run_result_read(path, DATASET_ALL, err);
    if (!run)
        return -1;
    report_print(out, run->meta, run->summary, &run->info);
    run_result_destroy(run);
    return 0;
}

static int show_sweep(const char *path, struct report_out *out, struct err *err)
{
    struct sweep_result *points = sweep_file_read(path, err);
    if (!points)
        return -1;
    report_sweep_print(out, points);
    sweep_result_destroy(points);
    return 0;
}

static int show_capacity(const char *path, struct report_out *out, struct err *err)
{
    struct capacity_result *answer = capacity_result_read(path, err);
    if (!answer)
        return -1;
    report_capacity_print(out, answer);
    capacity_result_destroy(answer);
    return 0;
}

// Which settings a search varied is known to the schedulers alone.
static int show_tuning(const char *path, struct report_out *out, struct err *err)
{
    struct chosen chosen = {0};
    for (const struct sched_type *const *type = sched_types; *type; type++)
        if (chosen_add(&chosen, (*type)->axes, (*type)->fields, err) < 0)
            return -1;
    struct tuning_result *tuning = tuning_result_read(path, &chosen, err);
    if (!tuning)
        return -1;
    report_tuning_print(out, tuning);
    tuning_result_destroy(tuning);
    return 0;
}

static const struct {
    const char *kind;
    int (*show)(const char *path, struct report_out *out, struct err *err);
} kinds[] = {
    {"run", show_run}, {"sweep", show_sweep}, {"capacity", show_capacity}, {"tuning", show_tuning}};

// ---- the command

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
    char hex[CONTENT_DIGEST_CHARS], kind[DATASET_KIND_BYTES];
    struct report_out out = cmd_report_out(line);
    if (cmd_given(line, "--digest")) {
        if (dataset_verify(path, hex, err) < 0)
            return -1;
        print_digest(&out, path, hex);
        return 0;
    }
    if (cmd_given(line, "--hgrm"))
        return show_hgrm(path, err);
    if (dataset_read_kind(path, kind, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].kind, kind) != 0)
            continue;
        int rc = kinds[i].show(path, &out, err);
        if (rc == 0)
            report_end(&out);
        return rc;
    }
    return err_set(err, ERR_STUDY, "%s: holds results of a kind that has no table, \"%s\"", path,
                   kind);
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
