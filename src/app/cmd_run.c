// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/cmd.h"
#include "runs/eval.h"
#include "app/job.h"
#include "runs/checkpointing.h"
#include "runs/progress.h"
#include "base/mem.h"
#include "base/simtime.h"
#include "par/mpi_err.h"
#include "results/report/report.h"
#include "results/file/dataset_write.h"
#include "results/file/run_result.h"
#include "study/study_digest.h"

static const struct cmd_option options[] = {
    {"--output", 'o', "FILE", "results file, in place of the study's"},
    {"--force", 'f', NULL, "replace an existing results file, ignore a checkpoint"},
    {"--set", 's', "KEY=VALUE", "change a key of the study: traffic[0].rate=9000qps"},
    {"--layout", 0, "MODE", "which rank simulates what: auto, spread or apart"},
    {"--window", 0, "TIME", "longest time between exchanges; never changes a result"},
    {"--resume", 0, NULL, "resume from the last checkpoint; without one, begin"},
    {"--resume-from", 0, "FILE", "resume from this checkpoint"},
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

// The first progress of a run that resumes says where it begins.
struct meter {
    struct progress progress;
    bool begun;
};

static void on_progress(void *user, int64_t reached_ns, uint64_t n_queries)
{
    struct meter *meter = user;
    if (!meter->begun)
        progress_from(&meter->progress, reached_ns, n_queries);
    meter->begun = true;
    progress_update(&meter->progress, reached_ns, n_queries);
}

// What the command ends with, by the targets.
static void judge(struct cmd_line *line, const struct summary *summary)
{
    for (uint32_t s = 0; cmd_given(line, "--require-sla") && s < summary->n_services; s++)
        if (summary->services[s].sla != SLA_NONE && summary->services[s].sla != SLA_MET)
            line->status = CMD_SLA_MISSED;
}

// Of a run that was done, or stopped: then also with --quiet, because there is nothing else to see.
static void report(struct cmd_line *line, const struct study *study,
                   const struct eval_result *result, const char *path)
{
    if (result->stopped) {
        line->status = CMD_STOPPED;
        fprintf(stderr, "recfleet: stopped at %.6g s of %.6g s, saved in %s; resume with %s\n",
                simtime_to_s(result->stopped_ns), simtime_to_s(study->settings.duration_ns),
                result->checkpoint, cmd_given(line, "--resume") ? "the same command" : "--resume");
        return;
    }
    if (!cmd_given(line, "--quiet")) {
        report_print(stdout, result->meta, result->summary, &result->info);
        printf("results: %s\n", path);
    }
    judge(line, result->summary);
}

// Is the results file there, and of this very study? Asked on rank 0 alone.
static bool is_done(struct cmd_line *line, const struct study *study, const char *output)
{
    bool resumes = cmd_given(line, "--resume") || cmd_given(line, "--resume-from");
    if (!resumes || cmd_given(line, "--force") || access(output, F_OK) != 0)
        return false;
    struct run_result *run = run_result_read(output, DATASET_ALL, NULL);
    char *digest = study_digest(study);
    bool same = run && strcmp(run->meta->study_digest, digest) == 0;
    if (same) {
        judge(line, run->summary);
        if (!cmd_given(line, "--quiet"))
            printf("results: %s has the results of this study already\n", output);
    }
    run_result_destroy(run);
    mem_free(digest);
    return same;
}

// Before anything is simulated: are the results there already (*done, the same on all ranks), and
// if not, may they go there?
static int look_ahead(struct cmd_line *line, const struct eval *eval, const struct study *study,
                      const char *output, bool *done, struct err *err)
{
    int there = eval->rank == 0 && is_done(line, study, output), rc = 0;
    if (eval->rank == 0 && !there)
        rc = dataset_write_check(output, cmd_given(line, "--force"), err);
    rc = eval_agree(eval, rc, err);
    if (rc == 0)
        rc = mpi_err_check(MPI_Bcast(&there, 1, MPI_INT, 0, eval->comm),
                           "share whether the results are there", err);
    *done = there;
    return rc;
}

// Everything after the study was read; the same on every rank.
static int run_study(struct cmd_line *line, const struct eval *eval, const struct study *study,
                     struct eval_options *opts, struct err *err)
{
    struct meter meter = {.begun = false};
    struct eval_result result;
    bool silent = opts->quiet || eval->rank != 0, done;
    char *own = study_output_path(study);
    opts->output = cmd_value(line, "--output", own);
    opts->run.progress = on_progress;
    opts->run.progress_user = &meter;
    int rc = look_ahead(line, eval, study, opts->output, &done, err);
    if (rc == 0 && !done) {
        progress_start(&meter.progress, silent ? NULL : stderr, study->settings.duration_ns);
        rc = eval_run(eval, study, opts, &result, err);
        progress_end(&meter.progress);
        if (rc == 0 && eval->rank == 0)
            report(line, study, &result, opts->output);
        if (rc == 0)
            eval_release(&result);
    }
    mem_free(own);
    return rc;
}

static int work(struct cmd_line *line, const struct eval *eval, struct err *err)
{
    const char *settings[CMD_MAX_WORDS];
    size_t n = cmd_values(line, "--set", settings, CMD_MAX_WORDS);
    struct eval_options opts = {.force = cmd_given(line, "--force"),
                                .resume = cmd_given(line, "--resume"),
                                .resume_from = cmd_value(line, "--resume-from", NULL),
                                .quiet = cmd_given(line, "--quiet")};
    struct library library;
    if (read_layout(line, &opts.run.layout, err) < 0 ||
        read_window(line, &opts.window_ns, err) < 0 ||
        eval_agree(eval, library_load(&library, err), err) < 0)
        return -1;
    char *command = cmd_text(line);
    opts.command = command;
    struct study *study = eval_read_study(eval, line->args[0], settings, n, &library, err);
    int rc = study ? run_study(line, eval, study, &opts, err) : -1;
    study_destroy(study);
    library_release(&library);
    mem_free(command);
    return rc;
}

static int run(struct cmd_line *line, struct err *err)
{
    checkpointing_block_signals();
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
        "the answer is the same. The run is saved now and then, and on SIGUSR1; on SIGTERM or "
        "SIGUSR2 it is saved and stops. --resume continues it, on any number of ranks.",
    .example = "mpirun -n 4 recfleet run quickstart.yaml -o out.h5 --set traffic[0].rate=9000qps",
    .options = options,
    .exits = 1u << CMD_SLA_MISSED | 1u << CMD_STOPPED,
    .run = run,
};
