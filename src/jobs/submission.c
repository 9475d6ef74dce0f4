// SPDX-License-Identifier: Apache-2.0
#include "jobs/submission.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "jobs/idset.h"
#include "runs/pointdir.h"
#include "base/mem.h"

#define MAX_SETTINGS 3

// The job, and what it borrows that is not of the plan.
struct submission {
    const struct submission_plan *plan;
    struct sbatch_job job;
    struct site more;
    struct site_setting settings[MAX_SETTINGS];
    char *script, *dependency;
    const char **arguments;
    char *options[SBATCH_MAX_OPTIONS];
    char *logs; // folder that the logs go to; NULL: the plan's
};

// --- making one

static void add_option(struct submission *submission, char *text)
{
    assert(submission->job.n_options < SBATCH_MAX_OPTIONS);
    submission->options[submission->job.n_options] = text;
    submission->job.options[submission->job.n_options++] = text;
}

static void add_setting(struct submission *submission, const char *key, const char *value)
{
    assert(submission->more.n_settings < MAX_SETTINGS);
    submission->settings[submission->more.n_settings++] =
        (struct site_setting){mem_strdup(key), mem_strdup(value)};
}

// The running program, for sites that do not name one.
static void add_program(struct submission *submission)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (site_value(submission->plan->site, "RECFLEET_PROGRAM") || n <= 0)
        return;
    path[n] = '\0';
    add_setting(submission, "RECFLEET_PROGRAM", path);
}

// STUDY -o OUTPUT --set ...
static void add_arguments(struct submission *submission)
{
    const struct submission_plan *plan = submission->plan;
    size_t n = 0;
    submission->arguments = mem_calloc(3 + 2 * plan->n_settings, sizeof *submission->arguments);
    submission->arguments[n++] = plan->study;
    submission->arguments[n++] = "-o";
    submission->arguments[n++] = plan->output;
    for (size_t i = 0; i < plan->n_settings; i++) {
        submission->arguments[n++] = "--set";
        submission->arguments[n++] = plan->settings[i];
    }
    submission->job.arguments = submission->arguments;
    submission->job.n_arguments = n;
}

// A job of the template `name`.
static struct submission *begin(const struct submission_plan *plan, const char *name)
{
    struct submission *submission = mem_calloc(1, sizeof *submission);
    submission->plan = plan;
    submission->script = mem_printf("%s.%s", plan->name, name);
    submission->more.settings = submission->settings;
    submission->job = (struct sbatch_job){.name = name,
                                          .folder = plan->folder,
                                          .script = submission->script,
                                          .site = plan->site,
                                          .more = &submission->more};
    add_arguments(submission);
    add_program(submission);
    return submission;
}

static void add_size(struct submission *submission)
{
    const struct submission_plan *plan = submission->plan;
    if (plan->nodes)
        add_option(submission, mem_printf("--nodes=%u", plan->nodes));
    if (plan->ranks_per_node)
        add_option(submission, mem_printf("--ntasks-per-node=%u", plan->ranks_per_node));
    if (plan->time)
        add_option(submission, mem_printf("--time=%s", plan->time));
}

struct submission *submission_run(const struct submission_plan *plan, const char *chain)
{
    struct submission *submission = begin(plan, "run.sbatch");
    add_option(submission, mem_printf("--job-name=%s", chain ? chain : plan->job_name));
    add_option(submission, mem_printf("--output=%s.log", plan->name));
    add_size(submission);
    add_setting(submission, "RECFLEET_CHAIN", chain ? chain : "");
    return submission;
}

void submission_deal(const bool *missing, uint32_t n_points, uint32_t max,
                     struct submission_tasks *tasks)
{
    tasks->n = n_points;
    tasks->n_shares = 0;
    for (uint32_t p = 0; p < n_points; p++)
        if (missing[p] && max > 0 && p >= max)
            tasks->n = tasks->n_shares = max;
    tasks->chosen = mem_calloc(tasks->n, sizeof *tasks->chosen);
    for (uint32_t p = 0; p < n_points; p++)
        if (missing[p])
            tasks->chosen[p % tasks->n] = true;
}

static char *task_list(const struct submission_tasks *tasks, uint32_t throttle)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    fputs("--array=", out);
    idset_print(out, tasks->chosen, tasks->n);
    if (throttle)
        fprintf(out, "%%%u", throttle);
    fclose(out);
    char *copy = mem_strdup(text);
    free(text);
    return copy;
}

struct submission *submission_array(const struct submission_plan *plan,
                                    const struct submission_tasks *tasks)
{
    struct submission *submission = begin(plan, "sweep.sbatch");
    char *shares = tasks->n_shares ? mem_printf("%u", tasks->n_shares) : mem_strdup("");
    char *stem = pointdir_of(plan->name);
    submission->logs = mem_printf("%s/%s", plan->folder, stem);
    add_option(submission, mem_printf("--job-name=%s", plan->job_name));
    add_option(submission, mem_printf("--output=%s/%s%%6a.log", stem, *shares ? "share-" : ""));
    add_option(submission, task_list(tasks, plan->throttle));
    add_size(submission);
    add_setting(submission, "RECFLEET_SHARES", shares);
    mem_free(stem);
    mem_free(shares);
    return submission;
}

struct submission *submission_merge(const struct submission_plan *plan)
{
    struct submission *submission = begin(plan, "merge.sbatch");
    add_option(submission, mem_printf("--job-name=%s-merge", plan->job_name));
    add_option(submission, mem_printf("--output=%s.log", plan->name));
    if (plan->time) // where a time must be given, it must be for this one, too
        add_option(submission, mem_printf("--time=%s", plan->time));
    return submission;
}

void submission_destroy(struct submission *submission)
{
    if (!submission)
        return;
    for (size_t i = 0; i < submission->job.n_options; i++)
        mem_free(submission->options[i]);
    for (size_t i = 0; i < submission->more.n_settings; i++) {
        mem_free(submission->settings[i].key);
        mem_free(submission->settings[i].value);
    }
    mem_free(submission->logs);
    mem_free(submission->arguments);
    mem_free(submission->dependency);
    mem_free(submission->script);
    mem_free(submission);
}

const struct sbatch_job *submission_job(const struct submission *submission)
{
    return &submission->job;
}

// --- handing it in

// afterany: with afterok a failed point would keep all the others from being merged, and a link
// that was stopped would be the last of its chain.
void submission_after(struct submission *submission, const char *id)
{
    mem_free(submission->dependency);
    submission->dependency = id ? mem_printf("afterany:%s", id) : NULL;
    submission->job.dependency = submission->dependency;
}

static void show_script(const struct submission *submission)
{
    char *text = sbatch_script(&submission->job);
    char *path = mem_printf("%s/%s", submission->job.folder, submission->job.script);
    char *quoted = sbatch_quote(path);
    printf("==> %s\n%s", quoted, text);
    mem_free(quoted);
    mem_free(path);
    mem_free(text);
}

int submission_write(const struct submission *submission, struct err *err)
{
    if (submission->plan->dry_run) {
        show_script(submission);
        return 0;
    }
    // Slurm makes no folder for its logs: a job whose log cannot be opened fails without a word.
    if (submission->logs && pointdir_make(submission->logs, ERR_FAIL, err) < 0)
        return -1;
    return sbatch_write(&submission->job, err);
}

int submission_hand_in(const struct submission *submission, const char *word, const char *purpose,
                       char **id, struct err *err)
{
    *id = NULL;
    if (submission->plan->dry_run) {
        char *command = sbatch_command(&submission->job);
        printf("==> %s=$(%s)    # %s\n", word, command, purpose);
        mem_free(command);
        *id = mem_printf("$%s", word);
        return 0;
    }
    if (sbatch_submit(&submission->job, id, err) < 0)
        return -1;
    printf("%s  %s\n", *id, purpose);
    fflush(stdout); // what is in the queue is known even if the next one fails
    return 0;
}
