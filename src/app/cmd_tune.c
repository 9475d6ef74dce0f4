// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "app/cmd.h"
#include "app/job.h"
#include "runs/tune.h"
#include "results/file/dataset_write.h"
#include "results/report/report_tuning.h"

static const struct cmd_option options[] = {
    {"--output", 'o', "FILE", "results file; else the study's, or its name with .h5"},
    {"--force", 'f', NULL, "replace an existing results file"},
    {"--set", 's', "KEY=VALUE", "change a key of the study: tune.accuracy=2%"},
    {"--quiet", 'q', NULL, "no progress and no table"},
    {NULL, 0, NULL, NULL}};

// Searches, writes the file, and prints it.
static int tune(struct cmd_line *line, const struct eval *eval, const struct tune_input *input,
                const char *output, struct err *err)
{
    struct job_search search;
    struct tuning_result *tuning;
    job_tell_notes(
        input->studies[0]); // the points have their traffic in common, but for what is swept
    job_search_begin(&search, line, eval);
    int rc = tune_run(eval, input, progress_stage, &search.progress, &tuning, err);
    job_search_end(&search);
    if (rc == 0 && eval->rank == 0) {
        for (size_t i = 0; i < tuning->n_steps; i++)
            search.info.n_queries += tuning->steps[i].result.n_queries;
        rc = dataset_write(&tuning_result_layout, tuning, &search.info, output,
                           cmd_given(line, "--force"), err);
    }
    rc = eval_agree(eval, rc, err);
    if (rc == 0 && eval->rank == 0 && !cmd_given(line, "--quiet")) {
        report_tuning_print(stdout, tuning);
        job_search_print(&search, output);
    }
    tuning_result_destroy(tuning);
    return rc;
}

static int run(struct cmd_line *line, struct err *err)
{
    struct eval eval;
    struct tune_input input;
    const struct survey_source source = job_source(line);
    bool there = false;
    if (job_open(&eval, err) < 0)
        return -1;
    int rc = tune_read(&eval, &source, &input, err);
    if (rc == 0) {
        const char *output = input.survey->output;
        rc = job_check_output(line, &eval, output, &there, err);
        if (rc == 0)
            rc = tune(line, &eval, &input, output, err);
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
        "same on any number of ranks.",
    .example = "mpirun -n 4 recfleet tune tune.yaml -o tuned.h5 --set tune.accuracy=2%",
    .options = options,
    .run = run,
};
