// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/cmd.h"
#include "app/job.h"
#include "runs/checkpointing.h"
#include "base/mem.h"
#include "base/simtime.h"
#include "results/report/report.h"
#include "results/report/report_slowest.h"
#include "results/file/durable.h"
#include "results/file/run_result.h"
#include "study/study_digest.h"

static const struct cmd_option options[] = {
    {"--output", 'o', "FILE", "results file, in place of the study's"},
    {"--force", 'f', NULL, "replace an existing results file, ignore a checkpoint"},
    {"--set", 's', "KEY=VALUE", "change a key of the study: traffic[0].rate=9000qps"},
    CMD_CATALOG,
    {"--layout", 0, "MODE", "which rank simulates what: auto, spread or apart"},
    {"--window", 0, "TIME", "longest time between exchanges; never changes a result"},
    {"--resume", 0, NULL, "resume from the last checkpoint; without one, begin"},
    {"--resume-from", 0, "FILE", "resume from this checkpoint"},
    {"--require-sla", 0, NULL, "exit with 3 unless every latency target is met"},
    {"--quiet", 'q', NULL, "no progress and no table"},
    {"--json", 0, NULL, "progress as JSON lines on stderr, also with --quiet"},
    CMD_FORMAT,
    {NULL, 0, NULL, NULL}};

static const struct field values[] = {
    FIELD_CHOICES(eval_options, "--layout", run.layout, layout_mode_names, NULL, ""),
    FIELD(eval_options, "--window", FIELD_TIME, UNIT_TIME, window_ns, 1, 1e19, NULL, ""),
    FIELD_END};

// The first progress of a run that resumes says where it begins.
struct meter {
    struct progress progress;
    double end_ns;
    bool begun;
    struct ci p95_s; // so far
};

static void on_progress(void *user, int64_t reached_ns, uint64_t n_queries)
{
    struct meter *meter = user;
    double done_frac = (double)reached_ns / meter->end_ns;
    if (!meter->begun)
        progress_from(&meter->progress, done_frac, n_queries);
    meter->begun = true;
    progress_p95(&meter->progress, -1, meter->p95_s);
    progress_update(&meter->progress, done_frac, n_queries);
}

// What the command ends with, by the targets.
static void judge(struct cmd_line *line, const struct summary *summary)
{
    for (uint32_t s = 0; cmd_given(line, "--require-sla") && s < summary->n_services; s++)
        if (summary->services[s].sla != VERDICT_NOT_ASKED &&
            summary->services[s].sla != VERDICT_MET)
            line->status = CMD_SLA_MISSED;
}

// As the file has them, which is where they are.
static void print_slowest(struct report_out *out, const struct study *study, const char *path)
{
    bool has_some = study->fleet.n_slowest > 0 || study->fleet.all_queries;
    struct run_result *run = has_some ? run_result_read(path, DATASET_ALL, NULL) : NULL;
    if (run)
        report_slowest_print(out, run->meta, &run->slowest);
    run_result_destroy(run);
}

// Of a run that was done, or stopped: then where it stopped also with --quiet, because there is
// nothing else to see.
static void report(struct cmd_line *line, const struct study *study,
                   const struct eval_result *result, const char *path)
{
    if (result->stopped) {
        line->status = CMD_STOPPED;
        if (!cmd_given(line, "--quiet") && result->summary) {
            struct report_out out = cmd_report_out(line);
            report_text(&out, "stopped; so far:\n");
            report_print(&out, result->meta, result->summary, &result->info);
            report_end(&out);
            fflush(stdout); // before the line on stderr
        }
        fprintf(stderr, "recfleet: stopped at %.6g s of %.6g s, saved in %s; resume with %s\n",
                simtime_to_s(result->stopped_ns), simtime_to_s(study->settings.duration_ns),
                result->checkpoint, cmd_given(line, "--resume") ? "the same command" : "--resume");
        return;
    }
    if (!cmd_given(line, "--quiet")) {
        struct report_out out = cmd_report_out(line);
        report_print(&out, result->meta, result->summary, &result->info);
        print_slowest(&out, study, path);
        report_text(&out, "results: %s\n", path);
        report_end(&out);
    }
    judge(line, result->summary);
}

// What a run that was killed between its results and the end of its checkpoint has left.
static void forget(const struct study *study, const char *output, const char *digest)
{
    char *path = study_checkpoint_path(study, output), *previous = durable_previous(path);
    if (checkpointing_usable(path, digest) || checkpointing_usable(previous, digest))
        durable_remove(path);
    mem_free(previous);
    mem_free(path);
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
        forget(study, output, digest);
        judge(line, run->summary);
        if (!cmd_given(line, "--quiet")) {
            struct report_out out = cmd_report_out(line);
            if (out.format != REPORT_TEXT)
                report_print(&out, run->meta, run->summary, &run->info);
            report_text(&out, "results: %s has the results of this study already\n", output);
            report_end(&out);
        }
    }
    run_result_destroy(run);
    mem_free(digest);
    return same;
}

// Everything after the study was read; the same on every rank.
static int run_study(struct cmd_line *line, const struct eval *eval, const struct study *study,
                     const char *output, struct eval_options *opts, struct err *err)
{
    struct meter meter = {.end_ns = (double)study->settings.duration_ns};
    struct eval_result result;
    opts->output = output;
    opts->run.progress = on_progress;
    opts->run.progress_user = &meter;
    // Where nobody reads it nobody looks.
    if (!cmd_given(line, "--quiet") || cmd_given(line, "--json"))
        opts->run.p95_s = &meter.p95_s;
    bool done = eval->rank == 0 && is_done(line, study, output);
    int rc = job_check_output(line, eval, output, &done, err);
    if (rc == 0 && !done) {
        job_tell_notes(study, false, NULL);
        job_progress_start(&meter.progress, line, eval);
        rc = eval_run(eval, study, opts, &result, err);
        progress_end(&meter.progress, rc == 0 && !result.stopped);
        if (rc == 0 && eval->rank == 0)
            report(line, study, &result, output);
        if (rc == 0)
            eval_release(&result);
    }
    return rc;
}

static int run(struct cmd_line *line, struct err *err)
{
    const struct survey_source source = job_source(line);
    struct eval eval;
    struct eval_options opts = {.force = cmd_given(line, "--force"),
                                .command = line->text,
                                .resume = cmd_given(line, "--resume"),
                                .resume_from = cmd_value(line, "--resume-from", NULL),
                                .quiet = cmd_given(line, "--quiet")};
    checkpointing_block_signals();
    if (job_open(&eval, err) < 0)
        return -1;
    int rc = cmd_read(line, values, &opts, err);
    struct survey *survey = rc == 0 ? eval_read_survey(&eval, &source, err) : NULL;
    if (!survey)
        return job_close(line, &eval, -1, err);
    struct study *study = survey_whole(survey, err);
    rc = eval_agree(&eval, study ? 0 : -1, err);
    if (rc == 0)
        rc = run_study(line, &eval, study, survey->output, &opts, err);
    study_destroy(study);
    survey_destroy(survey);
    return job_close(line, &eval, rc, err);
}

static const char *word(const char *option, size_t i)
{
    return option && strcmp(option, "--layout") == 0 ? layout_mode_names[i] : NULL;
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
        "the answer is the same. The run is saved now and then, and on SIGUSR1; on SIGTERM, "
        "SIGUSR2 or Ctrl-C it is saved and stops. --resume continues it, on any number of ranks.",
    .example = "mpirun -n 4 recfleet run quickstart.yaml -o out.h5 --set traffic[0].rate=9000qps",
    .options = options,
    .shared = true,
    .exits = 1u << CMD_SLA_MISSED | 1u << CMD_STOPPED,
    .word = word,
    .run = run,
};
