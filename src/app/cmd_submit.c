// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/job.h"
#include "jobs/idset.h"
#include "runs/merge.h"
#include "jobs/sbatch.h"
#include "jobs/site.h"
#include "runs/survey.h"
#include "jobs/submission.h"
#include "base/log.h"
#include "base/mem.h"
#include "results/file/dataset_write.h"
#include "results/file/durable.h"
#include "results/file/run_result.h"
#include "study/doc.h"
#include "study/grid.h"
#include "study/study.h"
#include "study/study_digest.h"

// What the templates ask for: seconds before the end of the wall time.
#define TEMPLATE_SIGNAL "B:USR2@120"
#define EARLY_S 60

static const struct cmd_option options[] = {
    {"--array", 'a', NULL, "a task for each point of the sweep that is missing, then a merge"},
    {"--command", 0, "NAME", "run, tune or capacity; else what the study has a section of"},
    {"--chain", 'c', "N", "N jobs, each resuming where the one before was stopped"},
    {"--site", 0, "FILE", "what the cluster wants, see slurm/site/example.env"},
    {"--nodes", 'N', "N", "nodes of each job"},
    {"--ranks-per-node", 'n', "N", "ranks on each node"},
    {"--time", 't', "TIME", "wall time of each job: 90, 1:30:00 or 2-12 (minutes, hours, days)"},
    {"--throttle", 0, "K", "at most K tasks of the array at a time"},
    {"--output", 'o', "FILE", "results file; else the study's"},
    {"--set", 's', "KEY=VALUE", "change a key of the study: traffic[0].rate=9000qps"},
    CMD_CATALOG,
    {"--dry-run", 0, NULL, "show the commands, touch nothing"},
    {NULL, 0, NULL, NULL}};

enum order_command { ORDER_RUN, ORDER_TUNE, ORDER_CAPACITY, N_ORDER_COMMANDS };
// As commands, and as sections of a study.
static const char *const order_commands[] = {"run", "tune", "capacity"};

// What was asked for, read and checked.
struct order {
    const struct cmd_line *line;
    enum order_command command;
    uint64_t n_links; // of a chain; 0: no chain
    struct site site;
    struct submission_plan plan; // of the jobs; borrows from here
    char *owned[5];              // what it borrows of texts made here
};

#define NUMBER(key, member, max) FIELD(order, key, FIELD_UINT, UNIT_NONE, member, 1, max, NULL, "")
static const struct field numbers[] = {NUMBER("--chain", n_links, 1000),
                                       NUMBER("--nodes", plan.nodes, 1000000),
                                       NUMBER("--ranks-per-node", plan.ranks_per_node, 1000000),
                                       NUMBER("--throttle", plan.throttle, 1000000), FIELD_END};

// --- reading the order

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
    int64_t time_s = time ? sbatch_time_s(time) : INT64_MAX;
    if (ahead_s < 0)
        return err_set(err, ERR_STUDY,
                       "SBATCH_SIGNAL of the site: expected such as \"" TEMPLATE_SIGNAL
                       "\", got \"%.80s\"",
                       signal);
    if (time_s < 0)
        return err_set(
            err, ERR_STUDY,
            "%s: expected a time such as \"90\" (minutes), \"1:30:00\" or \"2-12\" (days "
            "and hours), got \"%.80s\"",
            where, time);
    if (time_s <= ahead_s + EARLY_S)
        return err_set(
            err, ERR_STUDY,
            "%s: expected more than %lld s, got %lld s: a run is signalled to stop %lld s "
            "before its end (SBATCH_SIGNAL of the site), and Slurm may be %d s early",
            where, (long long)(ahead_s + EARLY_S), (long long)time_s, (long long)ahead_s, EARLY_S);
    return 0;
}

static int read_order(struct order *order, const struct cmd_line *line, struct err *err)
{
    const char *site = cmd_value(line, "--site", NULL);
    order->line = line;
    order->plan = (struct submission_plan){.settings = line->settings,
                                           .n_settings = line->n_settings,
                                           .site = &order->site,
                                           .time = cmd_value(line, "--time", NULL),
                                           .dry_run = cmd_given(line, "--dry-run"),
                                           .command = cmd_value(line, "--command", NULL)};
    if (cmd_given(line, "--array") && cmd_given(line, "--chain"))
        return err_set(err, ERR_STUDY,
                       "recfleet submit: --array and --chain exclude each other: the tasks of an "
                       "array go back into the queue by themselves");
    if (cmd_given(line, "--throttle") && !cmd_given(line, "--array"))
        return err_set(err, ERR_STUDY, "recfleet submit: --throttle needs --array");
    if (cmd_read(line, numbers, order, err) < 0 || (site && site_read(site, &order->site, err) < 0))
        return -1;
    return check_time(order, err);
}

// Fills the paths, which are absolute, and the plain names made of them: `output` as given or as
// the study has it.
static int place_order(struct order *order, const char *output, struct err *err)
{
    const char *study = order->line->args[0], *slash = strrchr(output, '/');
    const char *base = slash ? slash + 1 : output, *catalog = cmd_catalog(order->line);
    int n_folder = !slash ? 0 : slash == output ? 1 : (int)(slash - output);
    char *folder = slash ? mem_printf("%.*s", n_folder, output) : mem_strdup(".");
    struct submission_plan *plan = &order->plan;
    int rc = 0;
    plan->folder = order->owned[0] = realpath(folder, NULL);
    if (!plan->folder)
        rc = err_set(err, ERR_STUDY, "%s: %s", folder, strerror(errno));
    else if (plan->study = order->owned[1] = realpath(study, NULL), !plan->study)
        rc = err_set(err, ERR_STUDY, "%s: %s", study, strerror(errno));
    else if (catalog && *catalog &&
             (plan->catalog = order->owned[4] = realpath(catalog, NULL), !plan->catalog))
        rc = err_set(err, ERR_STUDY, "catalog %s: %s", catalog, strerror(errno));
    else if (strcmp(output, "-") == 0)
        rc = durable_check_place("output", output, ERR_STUDY, err);
    else if (!*base)
        rc = err_set(err, ERR_STUDY, "recfleet submit: --output: %s is a folder", output);
    else {
        const char *above = strcmp(plan->folder, "/") == 0 ? "" : plan->folder;
        plan->output = order->owned[2] = mem_printf("%s/%s", above, base);
        plan->name = plan->job_name = order->owned[3] = sbatch_plain(base);
    }
    mem_free(folder);
    return rc;
}

// --- one job, or a chain

// Are these results there already? Then *done; any other file in their place is an error, here and
// now and not in the queue.
static int look_at_output(const struct order *order, const struct survey *survey,
                          const struct study *study, bool *done, struct err *err)
{
    const char *output = order->plan.output;
    *done = false;
    if (access(output, F_OK) != 0)
        return dataset_write_check(output, false, err);
    if (order->command != ORDER_RUN) {
        *done = job_has_answer(survey, order->command == ORDER_TUNE);
    } else {
        struct run_result *run = run_result_read(output, DATASET_ALL, NULL);
        char *digest = study_digest(study);
        *done = run && strcmp(run->meta->study_digest, digest) == 0;
        mem_free(digest);
        run_result_destroy(run);
    }
    if (!*done)
        return err_set(err, ERR_STUDY,
                       "output %s: exists and is not of this study; remove it, or name another "
                       "with --output",
                       output);
    char *quoted = sbatch_quote(output);
    printf("nothing to submit: %s has the results of this study already\n", quoted);
    mem_free(quoted);
    return 0;
}

// The same submission given twice would compute everything twice, or wait to be told so.
static int look_at_queue(const struct submission_plan *plan, struct err *err)
{
    char *id = plan->dry_run ? NULL : sbatch_queued(plan->job_name, plan->folder);
    if (!id)
        return 0;
    err_set(err, ERR_STUDY,
            "output %s: job %.40s is in the queue for it already; wait for its end, or scancel it",
            plan->output, id);
    mem_free(id);
    return -1;
}

// Each link waits for the one before, however that ended. Their common name tells them from other
// chains.
static int submit_run(const struct order *order, struct err *err)
{
    unsigned n = (unsigned)order->n_links;
    char *output = sbatch_quote(order->plan.output), *id = NULL;
    // Time and process: two chains of one study, submitted in the same second, are two.
    char *chain = n == 0 ? NULL
                         : mem_printf("%.*s-chain-%lld-%ld", SBATCH_CHAIN_CHARS,
                                      order->plan.job_name, (long long)time(NULL), (long)getpid());
    int rc = 0;
    for (unsigned link = 1; link <= (n ? n : 1) && rc == 0; link++) {
        const char *command = order->plan.command;
        char *word = n ? mem_printf("link%u", link) : mem_strdup(command);
        char *purpose = n ? mem_printf("link %u of %u, into %s", link, n, output)
                          : mem_printf("%s, into %s", command, output);
        const struct submission job = {
            .kind = SUBMISSION_RUN, .chain = chain, .word = word, .purpose = purpose};
        rc = submission_hand_in(&order->plan, &job, &id, err);
        mem_free(purpose);
        mem_free(word);
    }
    mem_free(id);
    mem_free(chain);
    mem_free(output);
    return rc;
}

// What a search would refuse when it begins.
static int check_search(const struct order *order, const struct survey *survey,
                        const struct study *study, struct err *err)
{
    if (order->command == ORDER_CAPACITY && survey->n_points > 1)
        return err_set(err, ERR_STUDY,
                       "%s: a sweep is not for capacity, which answers for one study; leave it "
                       "out, or set the keys of one point with --set",
                       order->line->args[0]);
    if (order->command == ORDER_CAPACITY)
        return study_capacity_check(study, err);
    for (uint32_t p = 0; order->command == ORDER_TUNE && p < survey->n_points; p++) {
        struct study *point = survey_study(survey, p, err);
        int rc = point ? study_tune_check(point, err) : -1;
        study_destroy(point);
        if (rc < 0)
            return survey->n_points > 1 ? survey_blame(survey, p, err) : -1;
    }
    return 0;
}

static int order_run(struct order *order, const struct survey *survey, struct err *err)
{
    struct study *study = survey_whole(survey, err);
    if (!study)
        return -1;
    if (grid_n_axes(survey->grid) > 0 && order->command == ORDER_RUN)
        log_warn("%s has a sweep of %u points, and is run without it: --array submits the points",
                 order->line->args[0], survey->n_points);
    bool done = false;
    int rc = check_search(order, survey, study, err);
    if (rc == 0)
        rc = place_order(order, survey->output, err);
    // The job would find the same, hours later.
    if (rc == 0)
        rc = look_at_output(order, survey, study, &done, err);
    if (rc == 0 && !done)
        rc = look_at_queue(&order->plan, err);
    if (rc == 0 && !done)
        rc = submit_run(order, err);
    study_destroy(study);
    return rc;
}

// --- an array

// The tasks, if there are any, and the merge after them.
static int submit_array(const struct submission_plan *plan, const bool *missing, uint32_t n_points,
                        struct err *err)
{
    uint32_t n_missing = idset_count(missing, n_points);
    char *id = NULL, *purpose, *output = sbatch_quote(plan->output);
    int rc = 0;
    if (n_missing > 0) {
        struct submission_tasks tasks;
        submission_deal(missing, n_points, sbatch_max_array(), &tasks);
        uint32_t n_tasks = idset_count(tasks.chosen, tasks.n);
        purpose = mem_printf("%u of %u points, %u task%s", n_missing, n_points, n_tasks,
                             n_tasks == 1 ? "" : "s");
        const struct submission array = {
            .kind = SUBMISSION_ARRAY, .tasks = &tasks, .word = "array", .purpose = purpose};
        rc = submission_hand_in(plan, &array, &id, err);
        mem_free(purpose);
        mem_free(tasks.chosen);
    }
    purpose = mem_printf("merge%s, into %s", n_missing > 0 ? "" : " of points that are all there",
                         output);
    const struct submission merge = {.kind = SUBMISSION_MERGE, .word = "merge", .purpose = purpose};
    if (rc == 0)
        rc = submission_hand_in(plan, &merge, &id, err);
    mem_free(purpose);
    mem_free(output);
    mem_free(id);
    return rc;
}

// A point that no task could do, and what the merge would refuse at the very end, are errors here
// and now.
static int check_array(struct survey *survey, struct err *err)
{
    survey_look(survey, NULL, 0, 1);
    if (survey_refuse(survey, POINTDIR_WRONG, NULL, err) < 0 ||
        survey_refuse(survey, POINTDIR_FOREIGN, NULL, err) < 0)
        return -1;
    if (merge_check(survey, false, err) == 0)
        return 0;
    if (access(survey->output, F_OK) == 0)
        err_append(err, ", but not from here: remove it, or name another with --output");
    return -1;
}

static int order_array(struct order *order, struct survey *survey, struct err *err)
{
    const struct grid *grid = survey->grid;
    uint32_t n_points = survey->n_points;
    if (grid_n_axes(grid) == 0)
        return err_set(err, ERR_STUDY, "%s: --array, but the study has no sweep",
                       order->line->args[0]);
    if (order->command != ORDER_RUN)
        return err_set(err, ERR_STUDY,
                       "%s: --array submits points of a sweep as runs, but the study asks for %s; "
                       "--command run submits them all the same",
                       order->line->args[0], order->plan.command);
    if (check_array(survey, err) < 0 || place_order(order, survey->output, err) < 0 ||
        look_at_queue(&order->plan, err) < 0)
        return -1;
    bool *missing = mem_calloc(n_points, sizeof *missing);
    for (uint32_t p = 0; p < n_points; p++)
        missing[p] = survey->points[p].state != POINTDIR_DONE;
    int rc = submit_array(&order->plan, missing, n_points, err);
    mem_free(missing);
    return rc;
}

// --- what is asked for

// Has the study this section, --set included?
static bool has_section(const struct survey *survey, const char *key)
{
    const struct node *section = node_get(doc_root(survey->doc), key);
    return section && !node_is_null(section);
}

// A study with a capacity section may have one of tune for its own use.
static int choose_command(struct order *order, const struct survey *survey, struct err *err)
{
    const char *given = order->plan.command;
    bool has = false;
    for (int c = N_ORDER_COMMANDS; c-- > 0 && !has;) {
        order->command = (enum order_command)c;
        has = given ? strcmp(given, order_commands[c]) == 0
                    : c == ORDER_RUN || has_section(survey, order_commands[c]);
    }
    order->plan.command = order_commands[order->command];
    return has ? 0
               : err_set(
                     err, ERR_STUDY,
                     "recfleet submit: --command: expected run, tune or capacity, got \"%.40s\"",
                     given);
}

static int submit(struct cmd_line *line, struct err *err)
{
    struct order order = {0};
    const struct survey_source source = job_source(line);
    int rc = read_order(&order, line, err);
    struct survey *survey = rc == 0 ? survey_create(&source, err) : NULL;
    if (survey && choose_command(&order, survey, err) < 0) {
        rc = -1;
    } else if (survey) {
        rc = cmd_given(line, "--array") ? order_array(&order, survey, err)
                                        : order_run(&order, survey, err);
    } else {
        rc = -1;
    }
    survey_destroy(survey);
    site_release(&order.site);
    for (size_t i = 0; i < sizeof order.owned / sizeof *order.owned; i++)
        mem_free(order.owned[i]);
    return rc;
}

static const char *word(const char *option, size_t i)
{
    bool known = option && strcmp(option, "--command") == 0 && i < N_ORDER_COMMANDS;
    return known ? order_commands[i] : NULL;
}

const struct cmd cmd_submit = {
    .name = "submit",
    .help = "hand a study to Slurm: one job, a chain of jobs or an array",
    .arguments = "STUDY",
    .min_args = 1,
    .max_args = 1,
    .description =
        "Checks the study, puts a job script next to its results file and submits it: as a run, or "
        "as the search that the study has a section of, capacity or tune. The job "
        "saves itself before its wall time is over, goes back into the queue and resumes from "
        "there, after a preemption and a lost node, too. With --array every point of the sweep "
        "that has no results yet becomes a task, and a job that follows merges what there is; "
        "the same command again submits only what is still missing. With --chain N jobs follow "
        "one another, for clusters on which jobs must not requeue themselves. Prints the id of "
        "every job and what it is for.",
    .example = "recfleet submit study.yaml --array --throttle 20 --time 2:00:00 --site mine.env",
    .options = options,
    .word = word,
    .run = submit,
    .plans = PLANS_ASKED,
};
