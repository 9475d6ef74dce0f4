// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "app/cmd.h"
#include "app/job.h"
#include "runs/checkpointing.h"
#include "runs/memo.h"
#include "runs/tune.h"
#include "base/mem.h"
#include "results/file/dataset_write.h"
#include "results/report/report_tuning.h"

static const struct cmd_option options[] = {
    {"--output", 'o', "FILE", "results file; else the study's, or its name with .h5"},
    {"--force", 'f', NULL, "replace an existing results file, drop what was kept of a search"},
    {"--set", 's', "KEY=VALUE", "change a key of the study: tune.accuracy=2%"},
    CMD_CATALOG,
    {"--resume", 0, NULL, "resume with the answers that were saved; without any, begin"},
    {"--quiet", 'q', NULL, "no progress and no table"},
    {"--json", 0, NULL, "progress as JSON lines on stderr, also with --quiet"},
    CMD_FORMAT,
    {NULL, 0, NULL, NULL}};

// What there is of a tuning that was stopped.
static void report_part(const struct cmd_line *line, const struct tuning_result *tuning,
                        const struct tune_rest *rest)
{
    struct report_out out = cmd_report_out(line);
    report_text(&out, "stopped; %u of %u searches are done; so far:\n", rest->n_done,
                rest->n_units);
    if (rest->n_done > 0)
        report_tuning_print(&out, tuning);
    report_text(&out, "%s", rest->in_work ? rest->in_work : "");
    report_end(&out);
    fflush(stdout); // before the line on stderr
}

// Searches, writes the file, and prints it. What was stopped is no failure.
static int tune(struct cmd_line *line, const struct eval *eval, const struct tune_input *input,
                const char *output, struct err *err)
{
    struct job_search search;
    struct tuning_result *tuning;
    struct mistakes told = {0};
    for (uint32_t p = 0; p < input->survey->n_points; p++)
        job_tell_notes(input->studies[p], true, &told);
    mistakes_release(&told);
    job_search_begin(&search, line, eval);
    struct tune_rest rest;
    int rc = tune_run(eval, input, progress_search, &search.progress, &tuning, &rest, err);
    job_search_end(&search, rc == 0 && !rest.stopped);
    if (rc == 0 && rest.stopped) {
        if (eval->rank == 0 && !cmd_given(line, "--quiet"))
            report_part(line, tuning, &rest);
        job_search_stopped(line, eval, input->memo, output);
    }
    mem_free(rest.in_work);
    if (rest.stopped) {
        tuning_result_destroy(tuning);
        return rc;
    }
    search.info.n_restarts = memo_n_kept(input->memo) > 0;
    if (rc == 0 && eval->rank == 0) {
        for (size_t i = 0; i < tuning->n_steps; i++)
            search.info.n_queries += tuning->steps[i].result.n_queries;
        rc = dataset_write(&tuning_result_layout, tuning, &search.info, output,
                           cmd_given(line, "--force"), err);
    }
    rc = eval_agree(eval, rc, err);
    if (rc == 0 && eval->rank == 0 && !cmd_given(line, "--quiet")) {
        struct report_out out = cmd_report_out(line);
        report_tuning_print(&out, tuning);
        job_search_print(&search, output, &out);
        report_end(&out);
    }
    tuning_result_destroy(tuning);
    return rc;
}

// Rank 0 alone. Are the results there, of this very study and program?
static bool is_done(const struct cmd_line *line, const struct survey *survey)
{
    if (!cmd_given(line, "--resume") || cmd_given(line, "--force"))
        return false;
    bool same = job_has_answer(survey, true);
    struct report_out out = cmd_report_out(line);
    if (same && !cmd_given(line, "--quiet")) {
        report_text(&out, "results: %s has the results of this study already\n", survey->output);
        report_end(&out);
    }
    return same;
}

// What is measured is kept beside the results, until these are there. Every answer says itself
// which study it is of.
static int tune_kept(struct cmd_line *line, const struct eval *eval, struct tune_input *input,
                     struct err *err)
{
    const char *output = input->survey->output;
    const unsigned char any_study[MEMO_DIGEST_BYTES] = {0};
    char *kept = mem_printf("%s.memo", output);
    const struct memo_file_config config = {.path = kept,
                                            .digest = any_study,
                                            .resume = cmd_given(line, "--resume"),
                                            .force = cmd_given(line, "--force")};
    bool there = eval->rank == 0 && is_done(line, input->survey);
    int rc = job_check_output(line, eval, output, &there, err);
    if (rc == 0 && !there) {
        input->memo = memo_open(eval->comm, &config, err);
        rc = input->memo ? tune(line, eval, input, output, err) : -1;
        int done = rc < 0 ? err->code == ERR_STUDY : line->status == CMD_DONE;
        MPI_Bcast(&done, 1, MPI_INT, 0, eval->comm); // the status is rank 0's
        memo_close(input->memo, done);
    }
    mem_free(kept);
    return rc;
}

static int run(struct cmd_line *line, struct err *err)
{
    struct eval eval;
    struct tune_input input;
    const struct survey_source source = job_source(line);
    checkpointing_block_signals();
    if (job_open(&eval, err) < 0)
        return -1;
    int rc = tune_read(&eval, &source, &input, err);
    if (rc == 0) {
        rc = tune_kept(line, &eval, &input, err);
        tune_release(&input);
    }
    return job_close(line, &eval, rc, err);
}

const struct cmd cmd_tune = {
    .name = "tune",
    .help = "find the batch size and offload threshold that serve the most",
    .arguments = "STUDY",
    .min_args = 1,
    .max_args = 1,
    .description =
        "For every point of the study's sweep and every policy of its tune section, searches the "
        "largest arrival rate that keeps every queue stable and every latency target, with the "
        "batch size and the offload threshold that the policy chooses; confirms it on a fresh "
        "seed; prints a table, and writes one HDF5 file with the outcomes and every point that was "
        "simulated on the way. Searches run side by side under mpirun or srun; the answer is the "
        "same on any number of ranks. What was simulated is saved next to the file until it is "
        "there; on SIGTERM, SIGUSR2 or Ctrl-C the search stops, and --resume continues it.",
    .example = "mpirun -n 4 recfleet tune tune.yaml -o tuned.h5 --set tune.accuracy=2%",
    .options = options,
    .shared = true,
    .exits = 1u << CMD_STOPPED,
    .run = run,
};
