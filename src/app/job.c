// SPDX-License-Identifier: Apache-2.0
#include "app/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/wallclock.h"
#include "par/mpi_err.h"
#include "results/file/capacity_result.h"
#include "results/file/claim.h"
#include "results/file/dataset_write.h"
#include "results/file/durable.h"
#include "results/file/tuning_result.h"
#include "runs/explain.h"
#include "study/study_notes.h"

// A process that no launcher has started is a job of one, and needs neither the daemon that Open
// MPI forks to speak with other processes nor a search for networks: together a third of a short
// run's time. Nor does it ask hwloc's plugins which devices there are, one of which tries ten X
// displays: there are no plugins in /dev/null. Other MPI libraries take no notice of the first
// ones, and what the user has set stays. Whatever looks like a launcher (mpirun of Open MPI or
// MPICH, PRRTE, srun) is left alone. No shared memory (vader, sm) either, nor a folder for the
// session: processes that start so have one name, also that of their files, and where several start
// and end at once one found its folder made or taken away by another.
static void start_alone(void)
{
    const char *const launchers[] = {
        "OMPI_COMM_WORLD_SIZE", "PMIX_RANK",     "PMIX_NAMESPACE", "PMI_RANK", "PMI_SIZE",
        "PRTE_LAUNCHED",        "SLURM_STEP_ID", "MPI_LOCALRANKID"};
    const char *const variables[][2] = {{"OMPI_MCA_ess_singleton_isolated", "1"},
                                        {"OMPI_MCA_orte_create_session_dirs", "0"},
                                        {"OMPI_MCA_pml", "ob1"},
                                        {"OMPI_MCA_btl", "self"},
                                        {"HWLOC_PLUGINS_PATH", "/dev/null"}};
    for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++)
        if (getenv(launchers[i]))
            return;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        setenv(variables[i][0], variables[i][1], 0);
}

int job_open(struct eval *eval, struct err *err)
{
    start_alone();
    if (eval_open(eval, err) < 0)
        return -1;
    log_init(LOG_INFO, eval->rank);
    return 0;
}

int job_close(struct cmd_line *line, struct eval *eval, int rc, struct err *err)
{
    claim_release(line->claim);
    line->claim = NULL;
    if (rc < 0 && eval->rank == 0)
        job_fail(line, err);
    // mpirun kills the rest as soon as one leaves with a status: all that is said goes out first.
    line->silent = rc < 0;
    bool lost = fflush(NULL) != 0 || ferror(stdout);
    int status = lost && line->status == CMD_DONE ? CMD_FAILED : (int)line->status;
    MPI_Barrier(eval->comm);
    MPI_Bcast(&status, 1, MPI_INT, 0, eval->comm);
    if (eval->rank != 0) // main() says what rank 0 has lost
        line->status = (enum cmd_exit)status;
    eval_close(eval);
    return rc;
}

// By what launchers tell each process: Open MPI and PRRTE, MPICH, srun.
static bool is_one_of_several(void)
{
    const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const char *size = getenv(sizes[i]);
        if (size && atol(size) > 1)
            return true;
    }
    return false;
}

int job_alone(struct cmd_line *line, struct err *err)
{
    struct eval eval;
    int rc = 0;
    if (!is_one_of_several())
        return 0;
    if (job_open(&eval, err) < 0)
        return -1;
    if (eval.n_ranks > 1)
        rc = err_set(err, ERR_STUDY,
                     "recfleet %s: expected one process, got %d ranks: it is not one of the "
                     "commands that share their work",
                     line->cmd->name, eval.n_ranks);
    return job_close(line, &eval, rc, err);
}

// What differs from what was told.
static void tell_once(void *user, bool is_warning, const char *text)
{
    struct mistakes *told = user;
    size_t n = told ? told->n : 0;
    if (!told || (mistakes_add(told, NULL, text) == 0 && told->n > n))
        cmd_tell(NULL, is_warning, text);
}

void job_tell_notes(const struct study *study, bool searched, struct mistakes *told)
{
    study_notes(study, searched, tell_once, told);
}

struct survey_source job_source(const struct cmd_line *line)
{
    const char *command = cmd_value(line, "--command", NULL); // of submit
    int as = !command ? line->cmd->plans : strcmp(command, "capacity") ? PLANS_NEVER : PLANS_ALWAYS;
    return (struct survey_source){.path = line->args[0],
                                  .settings = line->settings,
                                  .n_settings = line->n_settings,
                                  .output = cmd_value(line, "--output", NULL),
                                  .plans = as,
                                  .catalog = cmd_catalog(line)};
}

int job_claim(struct cmd_line *line, const char *output, struct err *err)
{
    line->claim = claim_take("output", output, err);
    return line->claim ? 0 : -1;
}

int job_fail(const struct cmd_line *line, struct err *err)
{
    const struct survey_source source = job_source(line);
    struct mistakes mistakes = {0};
    bool of_study = err->code == ERR_STUDY && strncmp(line->cmd->arguments, "STUDY", 5) == 0 &&
                    (strncmp(err->text, source.path, strlen(source.path)) == 0 ||
                     strncmp(err->text, "--set ", 6) == 0);
    if (of_study)
        explain_study(&source, err, &mistakes);
    if (mistakes.n == 0)
        return cmd_fail(err);
    for (size_t i = 0; i < mistakes.n && i < MISTAKES_SHOWN; i++)
        fprintf(stderr, "%s\n", mistakes.v[i].text);
    mistakes_release(&mistakes);
    return cmd_status(err);
}

int job_check_output(struct cmd_line *line, const struct eval *eval, const char *output,
                     bool *there, struct err *err)
{
    int rc = 0, is_there = eval->rank == 0 && *there;
    if (eval->rank == 0 && !*there) {
        if (durable_same(output, line->args[0]))
            rc = err_set(err, ERR_STUDY, "output %s: is the study itself", output);
        else if (rc = job_claim(line, output, err), rc == 0)
            rc = dataset_write_check(output, cmd_given(line, "--force"), err);
    }
    if (eval_agree(eval, rc, err) < 0)
        return -1;
    rc = MPI_Bcast(&is_there, 1, MPI_INT, 0, eval->comm);
    *there = is_there;
    return mpi_err_check(rc, "share whether the results are there", err);
}

void job_progress_start(struct progress *progress, const struct cmd_line *line,
                        const struct eval *eval)
{
    bool json = cmd_given(line, "--json"), quiet = cmd_given(line, "--quiet") && !json;
    (json ? progress_start_json : progress_start)(progress,
                                                  quiet || eval->rank != 0 ? NULL : stderr);
}

void job_search_begin(struct job_search *search, const struct cmd_line *line,
                      const struct eval *eval)
{
    eval_stamp(eval, line->text, &search->stamp, &search->info);
    job_progress_start(&search->progress, line, eval);
    search->begin_s = wallclock_s();
}

void job_search_end(struct job_search *search, bool is_whole)
{
    search->info.wall_s = wallclock_s() - search->begin_s;
    progress_end(&search->progress, is_whole);
}

void job_search_stopped(struct cmd_line *line, const struct eval *eval, const struct memo *memo,
                        const char *output)
{
    line->status = CMD_STOPPED;
    if (eval->rank == 0)
        fprintf(
            stderr, "recfleet: stopped, %zu answers saved in %s.memo; %s\n", memo_n(memo), output,
            cmd_given(line, "--resume") ? "resume with the same command" : "resume with --resume");
}

bool job_has_answer(const struct survey *survey, bool tuned)
{
    const struct survey_source *source = &survey->source;
    const struct chosen none = {0};
    struct tuning_result *tuning = tuned ? tuning_result_read(survey->output, &none, NULL) : NULL;
    struct capacity_result *sizes = tuned ? NULL : capacity_result_read(survey->output, NULL);
    const char *study = tuning ? tuning->study : sizes ? sizes->study : "";
    const char *version = tuning ? tuning->program_version : sizes ? sizes->program_version : "";
    char *written = survey_written(source->text, source->settings, source->n_settings);
    bool same = strcmp(study, written) == 0 && strcmp(version, RECFLEET_VERSION) == 0;
    mem_free(written);
    tuning_result_destroy(tuning);
    capacity_result_destroy(sizes);
    return same;
}

void job_search_print(const struct job_search *search, const char *output, struct report_out *out)
{
    const struct run_info *info = &search->info;
    report_text(out,
                "%.4g million queries simulated in %.3g s of wall time on %d rank%s\nresults: %s\n",
                (double)info->n_queries * 1e-6, info->wall_s, info->n_ranks,
                info->n_ranks == 1 ? "" : "s", output);
}
