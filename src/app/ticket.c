// SPDX-License-Identifier: Apache-2.0
#include "app/ticket.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/idset.h"
#include "app/pointdir.h"
#include "base/mem.h"

#define MAX_SETTINGS 3

// The job, and what it borrows that is not of the plan.
struct ticket {
    const struct ticket_plan *plan;
    struct sbatch_job job;
    struct site more;
    struct site_setting settings[MAX_SETTINGS];
    char *script, *dependency;
    const char **arguments;
    char *options[SBATCH_MAX_OPTIONS];
    char *logs; // folder that the logs go to; NULL: the plan's
};

// --- making one

static void add_option(struct ticket *ticket, char *text)
{
    assert(ticket->job.n_options < SBATCH_MAX_OPTIONS);
    ticket->options[ticket->job.n_options] = text;
    ticket->job.options[ticket->job.n_options++] = text;
}

static void add_setting(struct ticket *ticket, const char *key, const char *value)
{
    assert(ticket->more.n_settings < MAX_SETTINGS);
    ticket->settings[ticket->more.n_settings++] =
        (struct site_setting){mem_strdup(key), mem_strdup(value)};
}

// The running program, for sites that do not name one.
static void add_program(struct ticket *ticket)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (site_value(ticket->plan->site, "RECFLEET_PROGRAM") || n <= 0)
        return;
    path[n] = '\0';
    add_setting(ticket, "RECFLEET_PROGRAM", path);
}

// STUDY -o OUTPUT --set ...
static void add_arguments(struct ticket *ticket)
{
    const struct ticket_plan *plan = ticket->plan;
    size_t n = 0;
    ticket->arguments = mem_calloc(3 + 2 * plan->n_settings, sizeof *ticket->arguments);
    ticket->arguments[n++] = plan->study;
    ticket->arguments[n++] = "-o";
    ticket->arguments[n++] = plan->output;
    for (size_t i = 0; i < plan->n_settings; i++) {
        ticket->arguments[n++] = "--set";
        ticket->arguments[n++] = plan->settings[i];
    }
    ticket->job.arguments = ticket->arguments;
    ticket->job.n_arguments = n;
}

// A job of the template `name`.
static struct ticket *begin(const struct ticket_plan *plan, const char *name)
{
    struct ticket *ticket = mem_calloc(1, sizeof *ticket);
    ticket->plan = plan;
    ticket->script = mem_printf("%s.%s", plan->name, name);
    ticket->more.settings = ticket->settings;
    ticket->job = (struct sbatch_job){.name = name,
                                      .folder = plan->folder,
                                      .script = ticket->script,
                                      .site = plan->site,
                                      .more = &ticket->more};
    add_arguments(ticket);
    add_program(ticket);
    return ticket;
}

static void add_size(struct ticket *ticket)
{
    const struct ticket_plan *plan = ticket->plan;
    if (plan->nodes)
        add_option(ticket, mem_printf("--nodes=%u", plan->nodes));
    if (plan->ranks_per_node)
        add_option(ticket, mem_printf("--ntasks-per-node=%u", plan->ranks_per_node));
    if (plan->time)
        add_option(ticket, mem_printf("--time=%s", plan->time));
}

struct ticket *ticket_run(const struct ticket_plan *plan, const char *chain)
{
    struct ticket *ticket = begin(plan, "run.sbatch");
    add_option(ticket, mem_printf("--job-name=%s", chain ? chain : plan->job_name));
    add_option(ticket, mem_printf("--output=%s.log", plan->name));
    add_size(ticket);
    add_setting(ticket, "RECFLEET_CHAIN", chain ? chain : "");
    return ticket;
}

void ticket_deal(const bool *missing, uint32_t n_points, uint32_t max, struct ticket_tasks *tasks)
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

static char *task_list(const struct ticket_tasks *tasks, uint32_t throttle)
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

struct ticket *ticket_array(const struct ticket_plan *plan, const struct ticket_tasks *tasks)
{
    struct ticket *ticket = begin(plan, "sweep.sbatch");
    char *shares = tasks->n_shares ? mem_printf("%u", tasks->n_shares) : mem_strdup("");
    char *stem = pointdir_of(plan->name);
    ticket->logs = mem_printf("%s/%s", plan->folder, stem);
    add_option(ticket, mem_printf("--job-name=%s", plan->job_name));
    add_option(ticket, mem_printf("--output=%s/%s%%6a.log", stem, *shares ? "share-" : ""));
    add_option(ticket, task_list(tasks, plan->throttle));
    add_size(ticket);
    add_setting(ticket, "RECFLEET_SHARES", shares);
    mem_free(stem);
    mem_free(shares);
    return ticket;
}

struct ticket *ticket_merge(const struct ticket_plan *plan)
{
    struct ticket *ticket = begin(plan, "merge.sbatch");
    add_option(ticket, mem_printf("--job-name=%s-merge", plan->job_name));
    add_option(ticket, mem_printf("--output=%s.log", plan->name));
    if (plan->time) // where a time must be given, it must be for this one, too
        add_option(ticket, mem_printf("--time=%s", plan->time));
    return ticket;
}

void ticket_destroy(struct ticket *ticket)
{
    if (!ticket)
        return;
    for (size_t i = 0; i < ticket->job.n_options; i++)
        mem_free(ticket->options[i]);
    for (size_t i = 0; i < ticket->more.n_settings; i++) {
        mem_free(ticket->settings[i].key);
        mem_free(ticket->settings[i].value);
    }
    mem_free(ticket->logs);
    mem_free(ticket->arguments);
    mem_free(ticket->dependency);
    mem_free(ticket->script);
    mem_free(ticket);
}

const struct sbatch_job *ticket_job(const struct ticket *ticket)
{
    return &ticket->job;
}

// --- handing it in

// afterany: with afterok a failed point would keep all the others from being merged, and a link
// that was stopped would be the last of its chain.
void ticket_after(struct ticket *ticket, const char *id)
{
    mem_free(ticket->dependency);
    ticket->dependency = id ? mem_printf("afterany:%s", id) : NULL;
    ticket->job.dependency = ticket->dependency;
}

static void show_script(const struct ticket *ticket)
{
    char *text = sbatch_script(&ticket->job);
    char *path = mem_printf("%s/%s", ticket->job.folder, ticket->job.script);
    char *quoted = sbatch_quote(path);
    printf("==> %s\n%s", quoted, text);
    mem_free(quoted);
    mem_free(path);
    mem_free(text);
}

int ticket_write(const struct ticket *ticket, struct err *err)
{
    if (ticket->plan->dry_run) {
        show_script(ticket);
        return 0;
    }
    // Slurm makes no folder for its logs: a job whose log cannot be opened fails without a word.
    if (ticket->logs && pointdir_make(ticket->logs, ERR_FAIL, err) < 0)
        return -1;
    return sbatch_write(&ticket->job, err);
}

int ticket_hand_in(const struct ticket *ticket, const char *word, const char *purpose, char **id,
                   struct err *err)
{
    *id = NULL;
    if (ticket->plan->dry_run) {
        char *command = sbatch_command(&ticket->job);
        printf("==> %s=$(%s)    # %s\n", word, command, purpose);
        mem_free(command);
        *id = mem_printf("$%s", word);
        return 0;
    }
    if (sbatch_submit(&ticket->job, id, err) < 0)
        return -1;
    printf("%s  %s\n", *id, purpose);
    fflush(stdout); // what is in the queue is known even if the next one fails
    return 0;
}
