// SPDX-License-Identifier: Apache-2.0
#include "jobs/submission.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "jobs/idset.h"
#include "jobs/sbatch.h"
#include "runs/pointdir.h"

#define MAX_OPTIONS 8

struct submission {
    const struct submission_plan *plan;
    const struct submission_template *template;
    char *script;               // file in the plan's folder; plain
    char *options[MAX_OPTIONS]; // of sbatch; plain
    size_t n_options;
    const char *key; // a setting of this kind of job, NULL: none
    char *value;
    char *logs; // folder that the logs go to; NULL: the plan's
    bool written;
};

// --- making one

static void add_option(struct submission *submission, char *text)
{
    assert(submission->n_options < MAX_OPTIONS && sbatch_is_plain(text));
    submission->options[submission->n_options++] = text;
}

// A job of the template `name`.
static struct submission *begin(const struct submission_plan *plan, const char *name)
{
    struct submission *submission = mem_calloc(1, sizeof *submission);
    submission->plan = plan;
    submission->template = submission_templates;
    while (strcmp(strrchr(submission->template->path, '/') + 1, name) != 0)
        submission->template ++;
    submission->script = mem_printf("%s.%s", plan->name, name);
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
    submission->key = "RECFLEET_CHAIN";
    submission->value = mem_strdup(chain ? chain : "");
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
    return text;
}

struct submission *submission_array(const struct submission_plan *plan,
                                    const struct submission_tasks *tasks)
{
    struct submission *submission = begin(plan, "sweep.sbatch");
    const char *prefix = tasks->n_shares ? "share-" : "";
    char *stem = pointdir_of(plan->name);
    submission->logs = mem_printf("%s/%s", plan->folder, stem);
    add_option(submission, mem_printf("--job-name=%s", plan->job_name));
    add_option(submission, mem_printf("--output=%s/%s%%6a.log", stem, prefix));
    add_option(submission, task_list(tasks, plan->throttle));
    add_size(submission);
    submission->key = "RECFLEET_SHARES";
    submission->value = tasks->n_shares ? mem_printf("%u", tasks->n_shares) : mem_strdup("");
    mem_free(stem);
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
    for (size_t i = 0; i < submission->n_options; i++)
        mem_free(submission->options[i]);
    mem_free(submission->value);
    mem_free(submission->logs);
    mem_free(submission->script);
    mem_free(submission);
}

// --- its script and its command

// afterany: with afterok a failed point would keep all the others from being merged, and a link
// that was stopped would be the last of its chain.
#define AFTER "--dependency=afterany:"

static void put_quoted(FILE *out, const char *before, const char *word, const char *after)
{
    char *quoted = sbatch_quote(word);
    fprintf(out, "%s%s%s", before, quoted, after);
    mem_free(quoted);
}

static void put_setting(FILE *out, const char *before, const char *key, const char *value,
                        const char *after)
{
    fprintf(out, "%s%s", before, key);
    put_quoted(out, "=", value, after);
}

// The site's settings that sbatch reads, or those that the job does.
static void put_site(FILE *out, const struct site *site, bool for_sbatch)
{
    for (size_t i = 0; i < site->n_settings; i++) {
        const struct site_setting *setting = &site->settings[i];
        if ((strncmp(setting->key, "SBATCH_", 7) == 0) == for_sbatch)
            put_setting(out, for_sbatch ? "" : "export ", setting->key, setting->value,
                        for_sbatch ? " " : "\n");
    }
}

void submission_print_command(FILE *out, const struct submission *submission, const char *after)
{
    put_quoted(out, "cd ", submission->plan->folder, " && ");
    put_site(out, submission->plan->site, true);
    fputs("sbatch --parsable", out);
    for (size_t i = 0; i < submission->n_options; i++)
        fprintf(out, " %s", submission->options[i]);
    if (after)
        fprintf(out, " " AFTER "%s", after);
    fprintf(out, " %s", submission->script);
}

void submission_print_script(FILE *out, const struct submission *submission, const char *after)
{
    const struct submission_plan *plan = submission->plan;
    const struct submission_template *template = submission->template;
    // The first empty line ends the #SBATCH lines, of which Slurm reads none behind a command.
    const char *rest = memmem(template->data, template->size, "\n\n", 2);
    size_t head = (size_t)(rest - (const char *)template->data) + 1;
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    fwrite(template->data, 1, head, out);
    for (size_t i = 0; i < submission->n_options; i++)
        fprintf(out, "#SBATCH %s\n", submission->options[i]);
    fputs("\n# Written by recfleet submit; to submit it again:\n#   ", out);
    submission_print_command(out, submission, after);
    put_quoted(out, "\ncd ", plan->folder, " || exit 1\n");
    put_site(out, plan->site, false);
    // The running program, for sites that do not name one.
    if (n > 0 && !site_value(plan->site, "RECFLEET_PROGRAM")) {
        self[n] = '\0';
        put_setting(out, "export ", "RECFLEET_PROGRAM", self, "\n");
    }
    if (submission->key)
        put_setting(out, "export ", submission->key, submission->value, "\n");
    put_quoted(out, "set -- ", plan->study, "");
    put_quoted(out, " -o ", plan->output, "");
    for (size_t i = 0; i < plan->n_settings; i++)
        put_quoted(out, " --set ", plan->settings[i], "");
    fputc('\n', out);
    fwrite(template->data + head, 1, template->size - head, out);
}

// --- handing it in

// Its folders, and the script in place of an older one.
static int write_script(const struct submission *submission, const char *after, struct err *err)
{
    // Slurm makes no folder for its logs: a job whose log cannot be opened fails without a word.
    if (submission->logs && pointdir_make(submission->logs, ERR_FAIL, err) < 0)
        return -1;
    char *path = mem_printf("%s/%s", submission->plan->folder, submission->script);
    char *partial = mem_printf("%s.tmp-%ld", path, (long)getpid());
    FILE *file = fopen(partial, "w");
    int rc = 0;
    if (file)
        submission_print_script(file, submission, after);
    bool good = file && !ferror(file);
    if (file)
        good = fclose(file) == 0 && good;
    if (!good || rename(partial, path) != 0) {
        rc = err_set(err, ERR_FAIL, "%s: cannot write the script: %s", path, strerror(errno));
        if (file)
            unlink(partial);
    }
    mem_free(partial);
    mem_free(path);
    return rc;
}

static int call_sbatch(const struct submission *submission, const char *after, char **id,
                       struct err *err)
{
    char *dependency = after ? mem_printf(AFTER "%s", after) : NULL;
    const char *words[MAX_OPTIONS + 5] = {"sbatch", "--parsable"};
    const struct sbatch_call call = {
        .words = words, .folder = submission->plan->folder, .site = submission->plan->site};
    size_t n = 2;
    char *said;
    for (size_t i = 0; i < submission->n_options; i++)
        words[n++] = submission->options[i];
    if (dependency)
        words[n++] = dependency;
    words[n++] = submission->script;
    int status = sbatch_run(&call, &said);
    *id = status == 0 ? sbatch_parse_id(said) : NULL;
    if (status == SBATCH_NOT_FOUND)
        err_set(err, ERR_FAIL,
                "there is no sbatch here: Slurm is not installed, or not in PATH (--dry-run shows "
                "what would be submitted)");
    else if (status != 0)
        err_set(err, ERR_FAIL, "sbatch did not take %s (exit status %d, see above)",
                submission->script, status);
    else if (!*id)
        err_set(err, ERR_FAIL, "sbatch said \"%.80s\" where the id of the job was expected", said);
    mem_free(dependency);
    mem_free(said);
    return *id ? 0 : -1;
}

// The same for somebody who only wants to see it.
static void show(const struct submission *submission, const char *word, const char *purpose,
                 const char *after)
{
    if (!submission->written) {
        char *path = mem_printf("%s/%s", submission->plan->folder, submission->script);
        put_quoted(stdout, "==> ", path, "\n");
        submission_print_script(stdout, submission, after);
        mem_free(path);
    }
    printf("==> %s=$(", word);
    submission_print_command(stdout, submission, after);
    printf(")    # %s\n", purpose);
}

int submission_hand_in(struct submission *submission, const char *word, const char *purpose,
                       char **id, struct err *err)
{
    char *after = *id;
    int rc = 0;
    *id = NULL;
    if (submission->plan->dry_run) {
        show(submission, word, purpose, after);
        *id = mem_printf("$%s", word);
    } else {
        if (!submission->written)
            rc = write_script(submission, after, err);
        if (rc == 0)
            rc = call_sbatch(submission, after, id, err);
        if (rc == 0)
            printf("%s  %s\n", *id, purpose);
        fflush(stdout); // what is in the queue is known even if the next one fails
    }
    submission->written = rc == 0;
    mem_free(after);
    return rc;
}
