// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "app/cmd.h"
#include "runs/eval.h"
#include "app/job.h"
#include "runs/progress.h"
#include "app/tune.h"
#include "base/mem.h"
#include "results/file/durable.h"
#include "results/report/report_tuning.h"
#include "results/file/dataset_write.h"

static const struct cmd_option options[] = {
    {"--output", 'o', "FILE", "results file; else the study's, or its name with .h5"},
    {"--force", 'f', NULL, "replace an existing results file"},
    {"--set", 's', "KEY=VALUE", "change a key of the study: tune.accuracy=2%"},
    {"--quiet", 'q', NULL, "no progress and no table"},
    {NULL, 0, NULL, NULL}};

// progress.h counts simulated time; here a unit of it is a part of the work.
#define WHOLE 1000000

static void on_progress(void *user, double done_frac, uint64_t n_queries)
{
    progress_update(user, (int64_t)(done_frac * WHOLE), n_queries);
}

static int finish(const struct cmd_line *line, const struct eval *eval, const char *output,
                  const struct tuning_result *tuning, const struct run_info *info, struct err *err)
{
    bool force = cmd_given(line, "--force");
    int rc = eval->rank == 0
                 ? dataset_write(&tuning_result_layout, tuning, info, output, force, err)
                 : 0;
    if (eval_agree(eval, rc, err) < 0)
        return -1;
    if (eval->rank == 0 && !cmd_given(line, "--quiet")) {
        report_tuning_print(stdout, tuning);
        printf("%.4g million queries simulated in %.3g s of wall time on %d rank%s\n",
               (double)info->n_queries * 1e-6, info->wall_s, eval->n_ranks,
               eval->n_ranks == 1 ? "" : "s");
        printf("results: %s\n", output);
    }
    return CMD_DONE;
}

static int tune(const struct cmd_line *line, const struct eval *eval,
                const struct tune_input *input, const char *output, struct err *err)
{
    struct progress progress;
    struct tuning_result *tuning;
    struct eval_stamp stamp;
    struct run_info info;
    char *command = cmd_text(line);
    bool quiet = cmd_given(line, "--quiet") || eval->rank != 0;
    eval_stamp(eval, command, &stamp, &info);
    progress_start(&progress, quiet ? NULL : stderr, WHOLE);
    double begin_s = MPI_Wtime();
    int rc = tune_run(eval, input, on_progress, &progress, &tuning, &info.n_queries, err);
    info.wall_s = MPI_Wtime() - begin_s;
    progress_end(&progress);
    if (rc == 0)
        rc = finish(line, eval, output, tuning, &info, err);
    tuning_result_destroy(tuning);
    mem_free(command);
    return rc;
}

// Rank 0 alone.
static int check_output(const struct cmd_line *line, const char *output, struct err *err)
{
    if (durable_same(output, line->args[0]))
        return err_set(err, ERR_STUDY, "output %s: is the study itself", output);
    return dataset_write_check(output, cmd_given(line, "--force"), err);
}

static int work(struct cmd_line *line, const struct eval *eval, struct err *err)
{
    const char *settings[CMD_MAX_WORDS];
    size_t n = cmd_values(line, "--set", settings, CMD_MAX_WORDS);
    struct library library;
    struct tune_input input;
    int rc = eval_agree(eval, library_load(&library, err), err);
    if (rc < 0)
        return -1;
    const struct tune_source source = {line->args[0], settings, n, &library};
    rc = tune_read(eval, &source, &input, err);
    if (rc == 0) {
        char *own = study_output_path(input.studies[0]);
        const char *output = cmd_value(line, "--output", own);
        rc = eval->rank == 0 ? check_output(line, output, err) : 0;
        rc = eval_agree(eval, rc, err);
        if (rc == 0)
            rc = tune(line, eval, &input, output, err);
        mem_free(own);
        tune_release(&input);
    }
    library_release(&library);
    return rc;
}

static int run(struct cmd_line *line, struct err *err)
{
    return job_run(line, work, err);
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
