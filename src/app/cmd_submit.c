// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/cmd.h"
#include "jobs/idset.h"
#include "runs/merge.h"
#include "runs/pointdir.h"
#include "jobs/sbatch.h"
#include "jobs/site.h"
#include "runs/survey.h"
#include "jobs/submission.h"
#include "base/log.h"
#include "base/mem.h"
#include "results/file/dataset_write.h"
#include "results/file/run_result.h"
#include "study/grid.h"
#include "study/study.h"
#include "study/study_digest.h"

#define MAX_LINKS 1000
// What the templates ask for: seconds before the end of the wall time.
#define TEMPLATE_SIGNAL "B:USR2@120"
#define EARLY_S 60

static const struct cmd_option options[] = {
    {"--array", 'a', NULL, "a task for each point of the sweep that is missing, then a merge"},
    {"--chain", 'c', "N", "N jobs, each resuming where the one before was stopped"},
    {"--site", 0, "FILE", "what the cluster wants, see slurm/site/example.env"},
    {"--nodes", 'N', "N", "nodes of each job"},
    {"--ranks-per-node", 'n', "N", "ranks on each node"},
    {"--time", 't', "TIME", "wall time of each job: 90, 1:30:00 or 2-12 (minutes, hours, days)"},
    {"--throttle", 0, "K", "at most K tasks of the array at a time"},
    {"--output", 'o', "FILE", "results file; else the study's"},
    {"--set", 's', "KEY=VALUE", "change a key of the study: traffic[0].rate=9000qps"},
    {"--dry-run", 0, NULL, "show the scripts and the commands, touch nothing"},
    {NULL, 0, NULL, NULL}};

// What was asked for, read and checked.
struct order {
    const char *study; // as given
    const char *settings[CMD_MAX_WORDS];
    bool array;
    uint32_t links; // 0: no chain
    struct site site;
    struct submission_plan plan; // of the jobs; borrows from here
    char *owned[6];              // what it borrows of texts made here
    const char *shown;           // the output as one word on one line
};

// --- reading the order

static int read_number(const struct cmd_line *line, const char *option, uint32_t max,
                       uint32_t *number, struct err *err)
{
    const char *text = cmd_value(line, option, NULL);
    char *end;
    *number = 0;
    if (!text)
        return 0;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || value < 1 || value > max)
        return err_set(err, ERR_STUDY,
                       "recfleet submit: %s: expected a whole number from 1 to %u, got \"%.80s\"",
                       option, max, text);
    *number = (uint32_t)value;
    return 0;
}

// A run that is told to save itself at its very start would go round in the queue for ever. Slurm
// may send the signal a minute early (sbatch(1), --signal).
static int check_time(const struct order *order, struct err *err)
{
    const char *where =
        order->plan.time ? "recfleet submit: --time" : "SBATCH_TIMELIMIT of the site";
    const char *time =
        order->plan.time ? order->plan.time : site_value(&order->site, "SBATCH_TIMELIMIT");
    const char *signal = site_value(&order->site, "SBATCH_SIGNAL");
    int64_t ahead_s = sbatch_signal_s(signal ? signal : TEMPLATE_SIGNAL);
    if (ahead_s < 0)
        return err_set(err, ERR_STUDY,
                       "SBATCH_SIGNAL of the site: expected such as \"" TEMPLATE_SIGNAL
                       "\", got \"%.80s\"",
                       signal);
    if (!time)
        return 0;
    int64_t time_s = sbatch_time_s(time);
    if (time_s < 0)
        return err_set(
            err, ERR_STUDY,
            "%s: expected a time such as \"90\" (minutes), \"1:30:00\" or \"2-12\" (days "
            "and hours), got \"%.80s\"",
            where, time);
    if (time_s <= ahead_s + EARLY_S)
        return err_set(err, ERR_STUDY,
                       "%s: expected more than %lld s, got %lld s: a run is told to stop %lld s "
                       "before its end (SBATCH_SIGNAL of the site), and Slurm may be %d s early",
                       where, (long long)(ahead_s + EARLY_S), (long long)time_s, (long long)ahead_s,
                       EARLY_S);
    return 0;
}

static int read_order(const struct cmd_line *line, struct order *order, struct err *err)
{
    const char *site = cmd_value(line, "--site", NULL);
    struct submission_plan *plan = &order->plan;
    order->study = line->args[0];
    order->array = cmd_given(line, "--array");
    plan->settings = order->settings;
    plan->n_settings = cmd_values(line, "--set", order->settings, CMD_MAX_WORDS);
    plan->dry_run = cmd_given(line, "--dry-run");
    plan->time = cmd_value(line, "--time", NULL);
    plan->site = &order->site;
    if (order->array && cmd_given(line, "--chain"))
        return err_set(err, ERR_STUDY,
                       "recfleet submit: --array and --chain exclude each other: the tasks of an "
                       "array go back into the queue by themselves");
    if (cmd_given(line, "--throttle") && !order->array)
        return err_set(err, ERR_STUDY, "recfleet submit: --throttle needs --array");
    if (read_number(line, "--chain", MAX_LINKS, &order->links, err) < 0 ||
        read_number(line, "--nodes", 1000000, &plan->nodes, err) < 0 ||
        read_number(line, "--ranks-per-node", 1000000, &plan->ranks_per_node, err) < 0 ||
        read_number(line, "--throttle", 1000000, &plan->throttle, err) < 0)
        return -1;
    if (site && site_read(site, &order->site, err) < 0)
        return -1;
    return check_time(order, err);
}

// Fills the paths, which are absolute, and the plain names made of them: `output` as given or as
// the study has it, `name` of the study.
static int place_order(struct order *order, const char *output, const char *name, struct err *err)
{
    char *copy = mem_strdup(output), *slash = strrchr(copy, '/');
    const char *base = slash ? slash + 1 : copy;
    const char *folder = !slash ? "." : slash == copy ? "/" : copy;
    struct submission_plan *plan = &order->plan;
    int rc = 0;
    if (slash)
        *slash = '\0';
    plan->study = order->owned[0] = realpath(order->study, NULL);
    if (!plan->study)
        rc = err_set(err, ERR_STUDY, "%s: %s", order->study, strerror(errno));
    else if (plan->folder = order->owned[1] = realpath(folder, NULL), !plan->folder)
        rc = err_set(err, ERR_STUDY, "%s: %s", folder, strerror(errno));
    else if (!*base)
        rc = err_set(err, ERR_STUDY, "recfleet submit: --output: %s is a folder", output);
    else {
        const char *above = strcmp(plan->folder, "/") == 0 ? "" : plan->folder;
        plan->output = order->owned[2] = mem_printf("%s/%s", above, base);
        plan->name = order->owned[3] = sbatch_plain(base);
        plan->job_name = order->owned[4] = sbatch_plain(name);
        order->shown = order->owned[5] = sbatch_quote(plan->output);
    }
    mem_free(copy);
    return rc;
}

// --- handing in its jobs

// One job, or the links of a chain: each waits for the one before, however that ended. Their common
// name tells them from other chains.
static int submit_run(const struct order *order, struct err *err)
{
    uint32_t n = order->links;
    char *chain = n == 0 ? NULL
                         : mem_printf("%.60s-chain-%lld-%ld", order->plan.job_name,
                                      (long long)time(NULL), (long)getpid());
    struct submission *submission = submission_run(&order->plan, chain);
    char *id = NULL;
    int rc = 0;
    for (uint32_t link = 1; link <= (n ? n : 1) && rc == 0; link++) {
        char *word = n ? mem_printf("link%u", link) : mem_strdup("run");
        char *purpose = n ? mem_printf("link %u of %u, into %s", link, n, order->shown)
                          : mem_printf("run, into %s", order->shown);
        rc = submission_hand_in(submission, word, purpose, &id, err);
        mem_free(purpose);
        mem_free(word);
    }
    mem_free(id);
    submission_destroy(submission);
    mem_free(chain);
    return rc;
}

// *id: of the array, caller mem_free()s.
static int submit_tasks(const struct order *order, const bool *missing, uint32_t n_points,
                        char **id, struct err *err)
{
    struct submission_tasks tasks;
    submission_deal(missing, n_points, sbatch_max_array(), &tasks);
    struct submission *submission = submission_array(&order->plan, &tasks);
    uint32_t n_tasks = idset_count(tasks.chosen, tasks.n);
    char *purpose = mem_printf("%u of %u points, %u task%s", idset_count(missing, n_points),
                               n_points, n_tasks, n_tasks == 1 ? "" : "s");
    int rc = submission_hand_in(submission, "array", purpose, id, err);
    mem_free(purpose);
    submission_destroy(submission);
    mem_free(tasks.chosen);
    return rc;
}

// The tasks, if there are any, and the merge after them.
static int submit_array(const struct order *order, const bool *missing, uint32_t n_points,
                        struct err *err)
{
    char *id = NULL;
    if (idset_count(missing, n_points) > 0 && submit_tasks(order, missing, n_points, &id, err) < 0)
        return -1;
    struct submission *submission = submission_merge(&order->plan);
    char *purpose =
        mem_printf("merge%s, into %s", id ? "" : " of points that are all there", order->shown);
    int rc = submission_hand_in(submission, "merge", purpose, &id, err);
    mem_free(id);
    mem_free(purpose);
    submission_destroy(submission);
    return rc;
}

// --- what is to be done

// Which points a task is needed for. A point that no task could do is an error here and now.
static int find_missing(struct survey *survey, bool *missing, struct err *err)
{
    const struct survey_point *facts = survey_facts(survey);
    char note[ERR_TEXT_MAX];
    survey_look(survey, NULL, 0, 1);
    for (uint32_t p = 0; p < survey_n_points(survey); p++) {
        if (facts[p].state == POINTDIR_WRONG) {
            study_destroy(survey_study(survey, p, err));
            return survey_blame(survey, p, err);
        }
        if (facts[p].state == POINTDIR_FOREIGN) {
            survey_note(survey, p, note, sizeof note);
            err_set(err, ERR_STUDY, "%s", note);
            return survey_blame(survey, p, err);
        }
        missing[p] = facts[p].state != POINTDIR_DONE;
    }
    return 0;
}

static int order_array(struct order *order, struct survey *survey, struct err *err)
{
    const struct grid *grid = survey_grid(survey);
    uint32_t n_points = survey_n_points(survey);
    if (grid_n_axes(grid) == 0)
        return err_set(err, ERR_STUDY, "%s: --array, but the study has no sweep", order->study);
    bool *missing = mem_calloc(n_points, sizeof *missing);
    int rc = find_missing(survey, missing, err);
    // What the merge would say at the very end.
    if (rc == 0 && merge_check(survey, false, err) < 0) {
        rc = -1;
        if (access(survey_output(survey), F_OK) == 0)
            err_append(err, ", but not from here: remove it, or name another with --output");
    }
    if (rc == 0)
        rc = place_order(order, survey_output(survey), grid_study_name(grid), err);
    if (rc == 0)
        rc = submit_array(order, missing, n_points, err);
    mem_free(missing);
    return rc;
}

// Are these results there already? Then *done; any other file in their place is an error, here and
// now and not in the queue.
static int look_at_output(const struct order *order, const struct study *study, bool *done,
                          struct err *err)
{
    *done = false;
    if (access(order->plan.output, F_OK) != 0)
        return dataset_write_check(order->plan.output, false, err);
    struct run_result *run = run_result_read(order->plan.output, DATASET_ALL, NULL);
    char *digest = study_digest(study);
    *done = run && strcmp(run->meta->study_digest, digest) == 0;
    mem_free(digest);
    run_result_destroy(run);
    if (!*done)
        return err_set(err, ERR_STUDY,
                       "output %s: exists and is not of this study; remove it, or name another "
                       "with --output",
                       order->shown);
    printf("nothing to submit: %s has the results of this study already\n", order->shown);
    return 0;
}

static int order_run(struct order *order, const struct survey *survey, struct err *err)
{
    struct study *study = survey_whole(survey, err);
    const char *output = survey_source(survey)->output;
    if (!study)
        return -1;
    if (grid_n_axes(survey_grid(survey)) > 0)
        log_warn("%s has a sweep of %u points, and is run without it: --array submits the points",
                 order->study, survey_n_points(survey));
    char *own = study_output_path(study);
    bool done = false;
    int rc = place_order(order, output ? output : own, study->settings.name, err);
    if (rc == 0)
        rc = look_at_output(order, study, &done, err);
    if (rc == 0 && !done)
        rc = submit_run(order, err);
    mem_free(own);
    study_destroy(study);
    return rc;
}

static int submit(struct cmd_line *line, struct err *err)
{
    struct order *order = mem_calloc(1, sizeof *order);
    int rc = read_order(line, order, err);
    if (rc == 0) {
        const struct survey_source source = {.path = order->study,
                                             .settings = order->settings,
                                             .n_settings = order->plan.n_settings,
                                             .output = cmd_value(line, "--output", NULL)};
        struct survey *survey = survey_create(&source, err);
        rc = !survey        ? -1
             : order->array ? order_array(order, survey, err)
                            : order_run(order, survey, err);
        survey_destroy(survey);
    }
    site_release(&order->site);
    for (size_t i = 0; i < sizeof order->owned / sizeof *order->owned; i++)
        mem_free(order->owned[i]);
    mem_free(order);
    return rc < 0 ? -1 : CMD_DONE;
}

const struct cmd cmd_submit = {
    .name = "submit",
    .help = "hand a study to Slurm: one job, a chain of jobs or an array",
    .arguments = "STUDY",
    .min_args = 1,
    .max_args = 1,
    .description =
        "Checks the study, writes a job script beside its results file and submits it. The job "
        "saves itself before its wall time is over, goes back into the queue and resumes from "
        "there, after a preemption and a lost node, too. With --array every point of the sweep "
        "that has no results yet becomes a task, and a job that follows merges what there is; "
        "the same command again submits only what is still missing. With --chain N jobs follow "
        "one another, for clusters on which jobs must not requeue themselves. Prints the id of "
        "every job and what it is for.",
    .example = "recfleet submit study.yaml --array --throttle 20 --time 2:00:00 --site mine.env",
    .options = options,
    .run = submit,
};
