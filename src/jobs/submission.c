// SPDX-License-Identifier: Apache-2.0
#include "jobs/submission.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "jobs/idset.h"
#include "jobs/sbatch.h"
#include "runs/pointdir.h"

// Of the job's script, slurm/KIND.sbatch, by enum submission_kind.
static const char *const kinds[] = {"run", "sweep", "merge"};

// afterany: with afterok a failed point would keep all the others from being merged, and a link
// that was stopped would be the last of its chain.
#define AFTER "--dependency=afterany:"

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

// --- its command

// Texts of our own, with a NULL behind the last.
struct texts {
    char **v;
    size_t n;
};

static void add(struct texts *texts, char *text)
{
    texts->v = mem_realloc(texts->v, texts->n + 2, sizeof *texts->v);
    texts->v[texts->n++] = text;
    texts->v[texts->n] = NULL;
}

static void release(struct texts *texts)
{
    for (size_t i = 0; i < texts->n; i++)
        mem_free(texts->v[i]);
    mem_free(texts->v);
}

static char *task_list(const struct submission_tasks *tasks, uint64_t throttle)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    idset_print(out, tasks->chosen, tasks->n);
    fclose(out);
    char *option = throttle ? mem_printf("--array=%s%%%llu", text, (unsigned long long)throttle)
                            : mem_printf("--array=%s", text);
    free(text);
    return option;
}

// The options of sbatch: those of the kind, then those of the size.
static void add_options(struct texts *words, const struct submission_plan *plan,
                        const struct submission *job)
{
    bool merges = job->kind == SUBMISSION_MERGE;
    add(words, mem_printf("--job-name=%s%s", job->chain ? job->chain : plan->job_name,
                          merges ? "-merge" : ""));
    if (job->kind == SUBMISSION_ARRAY) {
        char *stem = pointdir_of(plan->name);
        add(words,
            mem_printf("--output=%s/%s%%6a.log", stem, job->tasks->n_shares ? "share-" : ""));
        add(words, task_list(job->tasks, plan->throttle));
        mem_free(stem);
    } else {
        add(words, mem_printf("--output=%s.log", plan->name));
    }
    // A merge needs no more ranks than its script asks for.
    if (plan->nodes && !merges)
        add(words, mem_printf("--nodes=%llu", (unsigned long long)plan->nodes));
    if (plan->ranks_per_node && !merges)
        add(words, mem_printf("--ntasks-per-node=%llu", (unsigned long long)plan->ranks_per_node));
    if (plan->time)
        add(words, mem_printf("--time=%s", plan->time));
}

static struct texts words_of(const struct submission_plan *plan, const struct submission *job,
                             const char *after)
{
    struct texts words = {0};
    add(&words, mem_strdup("sbatch"));
    add(&words, mem_strdup("--parsable"));
    add(&words, mem_strdup("--export=ALL"));
    add_options(&words, plan, job);
    if (after)
        add(&words, mem_printf(AFTER "%s", after));
    add(&words, mem_printf("%s.%s.sbatch", plan->name, kinds[job->kind]));
    add(&words, mem_strdup(plan->study));
    add(&words, mem_strdup("-o"));
    add(&words, mem_strdup(plan->output));
    for (size_t i = 0; i < plan->n_settings; i++) {
        add(&words, mem_strdup("--set"));
        add(&words, mem_strdup(plan->settings[i]));
    }
    return words;
}

// What sbatch and the job find in their environment: the site's settings and ours.
static struct texts environment(const struct submission_plan *plan, const struct submission *job)
{
    struct texts env = {0};
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    // The running program, for sites that do not name one.
    if (n > 0 && !site_value(plan->site, "RECFLEET_PROGRAM"))
        add(&env, mem_printf("RECFLEET_PROGRAM=%.*s", (int)n, self));
    for (size_t i = 0; i < plan->site->n_settings; i++)
        add(&env, mem_strdup(plan->site->settings[i]));
    // All always, so that none is left over from whatever submits.
    add(&env, mem_printf("RECFLEET_CATALOG=%s", plan->catalog ? plan->catalog : ""));
    add(&env, mem_printf("RECFLEET_CHAIN=%s", job->chain ? job->chain : ""));
    add(&env, mem_printf("RECFLEET_COMMAND=%s", plan->command));
    add(&env, job->tasks && job->tasks->n_shares
                  ? mem_printf("RECFLEET_SHARES=%u", job->tasks->n_shares)
                  : mem_strdup("RECFLEET_SHARES="));
    return env;
}

static void put_quoted(FILE *out, const char *word, const char *after)
{
    char *quoted = sbatch_quote(word);
    fprintf(out, "%s%s", quoted, after);
    mem_free(quoted);
}

void submission_print(FILE *out, const struct submission_plan *plan, const struct submission *job,
                      const char *after)
{
    struct texts env = environment(plan, job), words = words_of(plan, job, after);
    fputs("cd ", out);
    put_quoted(out, plan->folder, " && env ");
    for (size_t i = 0; i < env.n; i++)
        put_quoted(out, env.v[i], " ");
    for (size_t i = 0; i < words.n; i++)
        // An id is digits, or a variable of bash where a dry run has none.
        if (strncmp(words.v[i], AFTER, sizeof AFTER - 1) == 0)
            fprintf(out, "%s ", words.v[i]);
        else
            put_quoted(out, words.v[i], i + 1 < words.n ? " " : "");
    release(&words);
    release(&env);
}

// --- handing it in

// Its folders, and the script, which Slurm copies at once.
static int write_script(const struct submission_plan *plan, const struct submission *job,
                        struct err *err)
{
    int rc = 0;
    if (job->kind == SUBMISSION_ARRAY) {
        // Slurm makes no folder for its logs: a job whose log cannot be opened fails without a
        // word.
        char *stem = pointdir_of(plan->name), *logs = mem_printf("%s/%s", plan->folder, stem);
        rc = pointdir_make(logs, ERR_FAIL, err);
        mem_free(logs);
        mem_free(stem);
    }
    if (rc < 0)
        return -1;
    char *path = mem_printf("%s/%s.%s.sbatch", plan->folder, plan->name, kinds[job->kind]);
    char *name = mem_printf("slurm/%s.sbatch", kinds[job->kind]);
    const struct submission_template *script = submission_templates;
    while (strcmp(script->path, name) != 0)
        script++;
    FILE *file = fopen(path, "w");
    bool good = file && fwrite(script->data, 1, script->size, file) == script->size;
    if ((file && fclose(file) != 0) || !good)
        rc = err_set(err, ERR_FAIL, "%s: cannot write the script: %s", path, strerror(errno));
    if (rc < 0 && file) // half of a script is none
        unlink(path);
    mem_free(name);
    mem_free(path);
    return rc;
}

static int call_sbatch(const struct submission_plan *plan, const struct submission *job,
                       const char *after, char **id, struct err *err)
{
    struct texts env = environment(plan, job), words = words_of(plan, job, after);
    const struct sbatch_call call = {words.v, env.v, env.n, plan->folder};
    char *said;
    int status = sbatch_run(&call, &said);
    *id = status == 0 ? sbatch_parse_id(said) : NULL;
    if (status == SBATCH_NOT_FOUND)
        err_set(err, ERR_FAIL,
                "there is no sbatch here: Slurm is not installed, or not in PATH (--dry-run shows "
                "what would be submitted)");
    else if (status != 0)
        err_set(err, ERR_FAIL, "sbatch did not take %s.%s.sbatch (exit status %d, see above)",
                plan->name, kinds[job->kind], status);
    else if (!*id)
        err_set(err, ERR_FAIL, "sbatch said \"%.80s\" where the id of the job was expected", said);
    release(&words);
    release(&env);
    mem_free(said);
    return *id ? 0 : -1;
}

int submission_hand_in(const struct submission_plan *plan, const struct submission *job, char **id,
                       struct err *err)
{
    char *after = *id;
    int rc = 0;
    *id = NULL;
    if (plan->dry_run) {
        printf("%s=$(", job->word);
        submission_print(stdout, plan, job, after);
        printf(")    # %s\n", job->purpose);
        *id = mem_printf("$%s", job->word);
    } else {
        rc = write_script(plan, job, err);
        if (rc == 0)
            rc = call_sbatch(plan, job, after, id, err);
        if (rc == 0)
            printf("%s  %s\n", *id, job->purpose);
        fflush(stdout); // what is in the queue is known even if the next one fails
    }
    mem_free(after);
    return rc;
}
