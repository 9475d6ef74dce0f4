// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/cmd.h"
#include "app/eval.h"
#include "app/job.h"
#include "app/progress.h"
#include "base/mem.h"
#include "results/report.h"
#include "results/store.h"

static const struct cmd_option options[] = {
    {"--output", 'o', "FILE", "results file, in place of the study's"},
    {"--force", 'f', NULL, "replace an existing results file"},
    {"--set", 's', "KEY=VALUE", "change a key of the study: traffic[0].rate=9000qps"},
    {"--layout", 0, "MODE", "which rank simulates what: auto, spread or apart"},
    {"--window", 0, "TIME", "longest time between exchanges; never changes a result"},
    {"--require-sla", 0, NULL, "exit with 3 unless every latency target is met"},
    {"--quiet", 'q', NULL, "no progress and no table"},
    {NULL, 0, NULL, NULL}};

static int read_layout(const struct cmd_line *line, enum layout_mode *layout, struct err *err)
{
    const char *text = cmd_value(line, "--layout", layout_mode_names[LAYOUT_AUTO]);
    for (int i = 0; i < N_LAYOUT_MODES; i++) {
        if (strcmp(text, layout_mode_names[i]) == 0) {
            *layout = (enum layout_mode)i;
            return 0;
        }
    }
    const char *near = schema_nearest(text, layout_mode_names, N_LAYOUT_MODES);
    err_set(err, ERR_STUDY, "recfleet run: --layout: expected auto, spread or apart, got \"%.80s\"",
            text);
    return near ? err_append(err, "; did you mean \"%s\"?", near) : -1;
}

static int read_window(const struct cmd_line *line, int64_t *window_ns, struct err *err)
{
    const char *text = cmd_value(line, "--window", NULL);
    *window_ns = 0;
    if (!text)
        return 0;
    if (units_parse_ns(text, window_ns, err) < 0)
        return err_prefix(err, "recfleet run: --window");
    if (*window_ns <= 0)
        return err_set(err, ERR_STUDY,
                       "recfleet run: --window: expected a time above 0, got \"%s\"", text);
    return 0;
}

static void on_progress(void *user, int64_t reached_ns, uint64_t n_queries)
{
    progress_update(user, reached_ns, n_queries);
}

static bool sla_missed(const struct summary *summary)
{
    for (uint32_t s = 0; s < summary->n_services; s++)
        if (summary->services[s].sla != SLA_NONE && summary->services[s].sla != SLA_MET)
            return true;
    return false;
}

static int report(const struct cmd_line *line, const struct eval_result *result, const char *path)
{
    if (!cmd_given(line, "--quiet")) {
        report_print(stdout, result->meta, result->summary, &result->info);
        printf("results: %s\n", path);
    }
    return cmd_given(line, "--require-sla") && sla_missed(result->summary) ? CMD_SLA_MISSED
                                                                           : CMD_DONE;
}

// Everything after the study was read; the same on every rank.
static int simulate(const struct cmd_line *line, const struct eval *eval, const struct study *study,
                    struct eval_options *opts, struct err *err)
{
    char *own = study_output_path(study);
    struct progress progress;
    struct eval_result result;
    opts->output = cmd_value(line, "--output", own);
    opts->force = cmd_given(line, "--force");
    int rc = eval->rank == 0 ? store_check(opts->output, opts->force, err) : 0;
    rc = eval_agree(eval, rc, err);
    if (rc == 0) {
        bool quiet = cmd_given(line, "--quiet") || eval->rank != 0;
        progress_start(&progress, quiet ? NULL : stderr, study->settings.duration_ns);
        opts->run.progress = on_progress;
        opts->run.progress_user = &progress;
        rc = eval_run(eval, study, opts, &result, err);
        progress_end(&progress);
    }
    if (rc == 0) {
        rc = eval->rank == 0 ? report(line, &result, opts->output) : CMD_DONE;
        eval_release(&result);
    }
    mem_free(own);
    return rc;
}

static int run_study(const struct cmd_line *line, const struct eval *eval,
                     struct eval_options *opts, struct err *err)
{
    const char *settings[CMD_MAX_WORDS];
    size_t n = cmd_values(line, "--set", settings, CMD_MAX_WORDS);
    struct library library;
    int rc = eval_agree(eval, library_load(&library, err), err);
    if (rc < 0)
        return -1;
    struct study *study = eval_read_study(eval, line->args[0], settings, n, &library, err);
    rc = study ? simulate(line, eval, study, opts, err) : -1;
    study_destroy(study);
    library_release(&library);
    return rc;
}

static int work(struct cmd_line *line, const struct eval *eval, struct err *err)
{
    struct eval_options opts = {0};
    char *command = cmd_text(line);
    opts.command = command;
    int rc = read_layout(line, &opts.run.layout, err);
    if (rc == 0)
        rc = read_window(line, &opts.window_ns, err);
    if (rc == 0)
        rc = run_study(line, eval, &opts, err);
    mem_free(command);
    return rc;
}

static int run(struct cmd_line *line, struct err *err)
{
    return job_run(line, work, err);
}

const struct cmd cmd_run = {
    .name = "run",
    .help = "simulate a study and write its results",
    .arguments = "STUDY",
    .min_args = 1,
    .max_args = 1,
    .description =
        "Simulates every query of the study on every server, prints a table, and writes one HDF5 "
        "file that is also valid netCDF-4. Runs on one process, or on many under mpirun or srun; "
        "the answer is the same.",
    .example = "mpirun -n 4 recfleet run quickstart.yaml -o out.h5 --set traffic[0].rate=9000qps",
    .options = options,
    .exits = 1u << CMD_SLA_MISSED | 1u << CMD_STOPPED,
    .run = run,
};
