// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "app/cmd.h"
#include "runs/eval.h"
#include "capacity/capacity_search.h"
#include "app/job.h"
#include "runs/checkpointing.h"
#include "capacity/memo.h"
#include "runs/progress.h"
#include "base/mem.h"
#include "par/mpi_err.h"
#include "results/file/dataset_write.h"
#include "results/file/durable.h"
#include "results/report/report_capacity.h"
#include "study/study_digest.h"

static const struct cmd_option options[] = {
    {"--output", 'o', "FILE", "results file; else the study's, or its name with .h5"},
    {"--force", 'f', NULL, "replace an existing results file, drop what was kept of a search"},
    {"--set", 's', "KEY=VALUE", "change a key of the study: capacity.headroom=20%"},
    {"--resume", 0, NULL, "resume with the answers that were saved; without any, begin"},
    {"--quiet", 'q', NULL, "no progress and no table"},
    {NULL, 0, NULL, NULL}};

// progress.h counts simulated time; here a unit of it is a part of the work.
#define WHOLE 1000000

static void on_progress(void *user, double done_frac, const char *stage, uint64_t n_queries)
{
    progress_note(user, "%s", stage);
    progress_update(user, (int64_t)(done_frac * WHOLE), n_queries);
}

// A question about to be answered. All borrowed.
struct task {
    struct cmd_line *line;
    const struct eval *eval;
    const struct capacity_search *search;
    const char *output, *kept; // files: of the results, of the memo
};

static int finish(const struct task *task, const struct capacity_result *answer,
                  const struct run_info *info, struct err *err)
{
    const struct eval *eval = task->eval;
    bool force = cmd_given(task->line, "--force");
    int rc = eval->rank == 0
                 ? dataset_write(&capacity_result_layout, answer, info, task->output, force, err)
                 : 0;
    if (eval_agree(eval, rc, err) < 0)
        return -1;
    if (eval->rank == 0 && !cmd_given(task->line, "--quiet")) {
        report_capacity_print(stdout, answer);
        printf("%.4g million queries simulated in %.3g s of wall time on %d rank%s\n",
               (double)info->n_queries * 1e-6, info->wall_s, eval->n_ranks,
               eval->n_ranks == 1 ? "" : "s");
        printf("results: %s\n", task->output);
    }
    return CMD_DONE;
}

// Where a search stopped and how to resume it; also with --quiet, because there is nothing else to
// see.
static int report_stop(const struct task *task, const struct memo *memo)
{
    task->line->status = CMD_STOPPED;
    if (task->eval->rank == 0)
        fprintf(stderr, "recfleet: stopped, %zu answers saved in %s; %s\n", memo_n(memo),
                task->kept,
                cmd_given(task->line, "--resume") ? "resume with the same command"
                                                  : "resume with --resume");
    return 0;
}

// Everything behind an open memo.
static int answer_study(const struct task *task, struct memo *memo, struct err *err)
{
    const struct eval *eval = task->eval;
    struct progress progress;
    struct eval_stamp stamp;
    struct run_info info;
    char *command = cmd_text(task->line);
    bool quiet = cmd_given(task->line, "--quiet") || eval->rank != 0;
    struct capacity_context context = {
        .eval = eval, .memo = memo, .progress = on_progress, .user = &progress};
    eval_stamp(eval, command, &stamp, &info);
    progress_start(&progress, quiet ? NULL : stderr, WHOLE);
    double begin_s = MPI_Wtime();
    int rc = capacity_search_run(&context, task->search, err);
    info.wall_s = MPI_Wtime() - begin_s;
    info.n_queries = context.n_queries;
    info.n_restarts = memo_n_kept(memo) > 0;
    progress_end(&progress);
    if (rc == 0)
        rc = context.stopped ? report_stop(task, memo) : finish(task, context.answer, &info, err);
    capacity_result_destroy(context.answer);
    mem_free(command);
    return rc;
}

static void digest_bytes(const struct study *study, unsigned char digest[MEMO_DIGEST_BYTES])
{
    char *text = study_digest(study);
    for (int i = 0; i < MEMO_DIGEST_BYTES; i++) {
        unsigned byte = 0;
        sscanf(text + (ptrdiff_t)2 * i, "%2x", &byte);
        digest[i] = (unsigned char)byte;
    }
    mem_free(text);
}

static int run_search(struct cmd_line *line, const struct eval *eval,
                      const struct capacity_search *search, const char *output, struct err *err)
{
    unsigned char digest[MEMO_DIGEST_BYTES];
    char *kept = mem_printf("%s.memo", output);
    const struct task task = {line, eval, search, output, kept};
    digest_bytes(search->study, digest);
    const struct memo_file_config config = {.path = kept,
                                            .digest = digest,
                                            .resume = cmd_given(line, "--resume"),
                                            .force = cmd_given(line, "--force")};
    struct memo *memo = memo_open(eval->comm, &config, err);
    int rc = memo ? answer_study(&task, memo, err) : -1;
    // Answers for a study that is wrong are of no use to the one that will be right.
    memo_close(memo, rc < 0 ? err->code == ERR_STUDY : line->status == CMD_DONE);
    mem_free(kept);
    return rc;
}

// Rank 0 alone. With --resume results that are there are the end of the work, if they are this
// study's and this program's.
static bool is_done(const struct cmd_line *line, const struct capacity_search *search,
                    const char *output)
{
    if (!cmd_given(line, "--resume") || cmd_given(line, "--force"))
        return false;
    struct capacity_result *there = capacity_result_read(output, NULL);
    bool same = there && strcmp(there->study, search->written) == 0 &&
                strcmp(there->program_version, RECFLEET_VERSION) == 0;
    if (same && !cmd_given(line, "--quiet")) {
        report_capacity_print(stdout, there);
        printf("results: %s (there already)\n", output);
    }
    capacity_result_destroy(there);
    return same;
}

static int check_output(const struct cmd_line *line, const char *output, struct err *err)
{
    if (durable_same(output, line->args[0]))
        return err_set(err, ERR_STUDY, "output %s: is the study itself", output);
    return dataset_write_check(output, cmd_given(line, "--force"), err);
}

static int go(struct cmd_line *line, const struct eval *eval, const struct capacity_search *search,
              struct err *err)
{
    char *own = study_output_path(search->study);
    const char *output = cmd_value(line, "--output", own);
    int done = eval->rank == 0 && is_done(line, search, output);
    int rc = eval->rank == 0 && !done ? check_output(line, output, err) : 0;
    rc = eval_agree(eval, rc, err);
    if (rc == 0)
        rc = mpi_err_check(MPI_Bcast(&done, 1, MPI_INT, 0, eval->comm),
                           "share whether the results are there", err);
    if (rc == 0 && !done)
        rc = run_search(line, eval, search, output, err);
    mem_free(own);
    return rc;
}

static int work(struct cmd_line *line, const struct eval *eval, struct err *err)
{
    const char *settings[CMD_MAX_WORDS];
    size_t n = cmd_values(line, "--set", settings, CMD_MAX_WORDS);
    struct library library;
    struct capacity_search search;
    int rc = eval_agree(eval, library_load(&library, err), err);
    if (rc < 0)
        return -1;
    const struct capacity_search_source source = {line->args[0], settings, n, &library};
    rc = capacity_search_read(eval, &source, &search, err);
    if (rc == 0) {
        rc = go(line, eval, &search, err);
        capacity_search_release(&search);
    }
    library_release(&library);
    return rc;
}

static int run(struct cmd_line *line, struct err *err)
{
    checkpointing_block_signals();
    return job_run(line, work, err);
}

const struct cmd cmd_capacity = {
    .name = "capacity",
    .help = "find how many servers a fleet needs, over a day",
    .arguments = "STUDY",
    .min_args = 1,
    .max_args = 1,
    .description =
        "Answers what the study's capacity section asks: the fewest servers of each type, or "
        "cores, that hold the traffic within its latency targets; the most traffic that the fleet "
        "holds; the fleet over a day; or which servers should serve which service, hour by hour, "
        "by three allocations and two ways of provisioning, each simulated. Prints tables and "
        "writes one HDF5 file. What was simulated is saved beside it until it is there; on SIGTERM "
        "or SIGUSR2 the search stops, and --resume continues it. The answer is the same on any "
        "number "
        "of ranks.",
    .example = "mpirun -n 4 recfleet capacity plan.yaml -o plan.h5 --set capacity.headroom=20%",
    .options = options,
    .exits = 1u << CMD_STOPPED,
    .run = run,
};
