// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "app/cmd.h"
#include "app/job.h"
#include "capacity/capacity_search.h"
#include "runs/memo.h"
#include "runs/checkpointing.h"
#include "base/mem.h"
#include "results/file/dataset_write.h"
#include "results/report/capacity_answer.h"
#include "results/report/capacity_rows.h"
#include "results/report/report_capacity.h"
#include "study/study_digest.h"

static const struct cmd_option options[] = {
    {"--output", 'o', "FILE", "results file; else the study's, or its name with .h5"},
    {"--force", 'f', NULL, "replace an existing results file, drop what was kept of a search"},
    {"--set", 's', "KEY=VALUE", "change a key of the study: capacity.headroom=20%"},
    CMD_CATALOG,
    {"--resume", 0, NULL, "resume with the answers that were saved; without any, begin"},
    {"--quiet", 'q', NULL, "no progress and no table"},
    {"--json", 0, NULL, "progress as JSON lines on stderr, also with --quiet"},
    CMD_FORMAT,
    {NULL, 0, NULL, NULL}};

// A question about to be answered. All borrowed.
struct task {
    struct cmd_line *line;
    const struct eval *eval;
    const struct capacity_search *search;
    const char *output, *kept; // files: of the results, of the memo
};

// What there is to say when nothing holds: with --quiet, too, because there is nothing else to see.
static void report_out_of_reach(const struct task *task, const struct capacity_result *answer)
{
    struct report_out out = cmd_report_out(task->line);
    bool quiet = cmd_given(task->line, "--quiet");
    task->line->status = CMD_SLA_MISSED;
    if (task->eval->rank != 0)
        return;
    if (quiet)
        out = (struct report_out){.file = stderr};
    capacity_answer_print(&out, answer);
    report_end(&out);
}

// Writes the answer and prints it.
static int finish(const struct task *task, const struct job_search *search,
                  const struct capacity_result *answer, struct err *err)
{
    const struct eval *eval = task->eval;
    int rc = eval->rank == 0 ? dataset_write(&capacity_result_layout, answer, &search->info,
                                             task->output, cmd_given(task->line, "--force"), err)
                             : 0;
    if (eval_agree(eval, rc, err) < 0)
        return -1;
    task->line->status = capacity_answer_holds(answer) ? CMD_DONE : CMD_SLA_MISSED;
    if (eval->rank == 0 && !cmd_given(task->line, "--quiet")) {
        struct report_out out = cmd_report_out(task->line);
        report_capacity_print(&out, answer);
        job_search_print(search, task->output, &out);
        report_end(&out);
    }
    return 0;
}

// What there is of a search that was stopped.
static void report_part(const struct task *task, const struct capacity_context *context)
{
    const struct capacity_result *answer = context->answer;
    uint32_t n_plans = capacity_rows_n_plans(answer);
    uint32_t of = answer->n_sizes > 0 ? answer->n_sizes : n_plans > 0 ? n_plans : answer->n_loads;
    char at[2 * PROGRESS_STAGE];
    if (task->eval->rank != 0 || cmd_given(task->line, "--quiet"))
        return;
    struct report_out out = cmd_report_out(task->line);
    report_text(&out, "stopped; %u of %u rows are done; so far:\n", context->n_rows, of);
    report_capacity_part(&out, answer, context->n_rows);
    report_text(&out, "in work: %s\n", progress_at_text(&context->at, at, sizeof at));
    report_end(&out);
    fflush(stdout); // before the line on stderr
}

// Everything behind an open memo.
static int answer_study(const struct task *task, struct memo *memo, struct err *err)
{
    struct job_search search;
    struct capacity_context context = {
        .eval = task->eval, .memo = memo, .progress = progress_search, .user = &search.progress};
    job_search_begin(&search, task->line, task->eval);
    int rc = capacity_search_run(&context, task->search, err);
    job_search_end(&search, rc == 0 && !context.stopped);
    search.info.n_queries = context.n_queries;
    search.info.n_restarts = memo_n_kept(memo) > 0;
    if (rc == 0 && context.stopped) {
        report_part(task, &context);
        job_search_stopped(task->line, task->eval, memo, task->output);
    } else if (rc == 0 && context.out_of_reach)
        report_out_of_reach(task, context.answer);
    else if (rc == 0)
        rc = finish(task, &search, context.answer, err);
    capacity_result_destroy(context.answer);
    return rc;
}

static int run_search(const struct task *task, struct err *err)
{
    unsigned char digest[MEMO_DIGEST_BYTES];
    char *text = study_digest(task->search->study);
    for (size_t i = 0; i < MEMO_DIGEST_BYTES; i++)
        sscanf(text + 2 * i, "%2hhx", &digest[i]);
    mem_free(text);
    const struct memo_file_config config = {.path = task->kept,
                                            .digest = digest,
                                            .resume = cmd_given(task->line, "--resume"),
                                            .force = cmd_given(task->line, "--force")};
    // The memo belongs to the study by its digest: answers to another one are not taken up.
    struct memo *memo = memo_open(task->eval->comm, &config, err);
    int rc = memo ? answer_study(task, memo, err) : -1;
    // Answers for a study that is wrong are of no use to the one that will be right.
    memo_close(memo, rc < 0 ? err->code == ERR_STUDY : task->line->status != CMD_STOPPED);
    return rc;
}

// Rank 0 alone. With --resume results that are there are the end of the work, if they are this
// study's and this program's.
static bool is_done(const struct task *task)
{
    if (!cmd_given(task->line, "--resume") || cmd_given(task->line, "--force"))
        return false;
    struct capacity_result *there = capacity_result_read(task->output, NULL);
    bool same = there && strcmp(there->study, task->search->written) == 0 &&
                strcmp(there->program_version, RECFLEET_VERSION) == 0;
    task->line->status = same && !capacity_answer_holds(there) ? CMD_SLA_MISSED : CMD_DONE;
    if (same && !cmd_given(task->line, "--quiet")) {
        struct report_out out = cmd_report_out(task->line);
        report_capacity_print(&out, there);
        report_text(&out, "results: %s (there already)\n", task->output);
        report_end(&out);
    }
    capacity_result_destroy(there);
    return same;
}

// Does it try settings that the study does not have?
static bool searches(const struct study *study)
{
    char name[32];
    size_t i = 0;
    while (study_capacity_name(study->capacity.schedulers, i, name, sizeof name) &&
           strcmp(name, "fixed") == 0)
        i++;
    return study_capacity_name(study->capacity.schedulers, i, name, sizeof name);
}

static int answer(struct cmd_line *line, const struct eval *eval,
                  const struct capacity_search *search, struct err *err)
{
    char *own = study_output_path(search->study);
    const char *output = cmd_value(line, "--output", own);
    char *kept = mem_printf("%s.memo", output);
    const struct task task = {line, eval, search, output, kept};
    bool done = eval->rank == 0 && is_done(&task);
    int rc = job_check_output(line, eval, output, &done, err);
    if (rc == 0 && !done) {
        job_tell_notes(search->study, searches(search->study), NULL);
        rc = run_search(&task, err);
    }
    mem_free(kept);
    mem_free(own);
    return rc;
}

static int run(struct cmd_line *line, struct err *err)
{
    struct eval eval;
    struct library library;
    struct capacity_search search;
    checkpointing_block_signals();
    if (job_open(&eval, err) < 0)
        return -1;
    int rc = eval_agree(&eval, library_load_with(&library, cmd_catalog(line), err), err);
    if (rc < 0)
        return job_close(line, &eval, rc, err);
    const struct capacity_search_source source = {line->args[0], line->settings, line->n_settings,
                                                  &library};
    rc = capacity_search_read(&eval, &source, &search, err);
    if (rc == 0) {
        rc = answer(line, &eval, &search, err);
        capacity_search_release(&search);
    }
    library_release(&library);
    return job_close(line, &eval, rc, err);
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
        "writes one HDF5 file. What was simulated is saved next to it until it is there; on "
        "SIGTERM, SIGUSR2 or Ctrl-C the search stops, and --resume continues it. The answer is the "
        "same on any number of ranks.",
    .example = "mpirun -n 4 recfleet capacity plan.yaml -o plan.h5 --set capacity.headroom=20%",
    .options = options,
    .shared = true,
    .exits = 1u << CMD_STOPPED | 1u << CMD_SLA_MISSED,
    .run = run,
    .plans = PLANS_ALWAYS,
};
