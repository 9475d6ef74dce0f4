// SPDX-License-Identifier: Apache-2.0
#include "jobs/sbatch.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define NAME_CHARS ALNUM "._+-"

// What a child exits with when there is no such program, as in a shell.
#define NOT_FOUND 127

// --- words

static bool consists_of(const char *text, const char *set)
{
    return *text && text[strspn(text, set)] == '\0';
}

static bool has_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 127)
            return true;
    return false;
}

// $'...': every control character as \ooo, so that a line stays a line.
static void put_ansi_quoted(FILE *out, const char *word)
{
    fputs("$'", out);
    for (; *word; word++) {
        if ((unsigned char)*word < ' ' || *word == 127)
            fprintf(out, "\\%03o", (unsigned char)*word);
        else if (*word == '\'' || *word == '\\')
            fprintf(out, "\\%c", *word);
        else
            fputc(*word, out);
    }
    fputc('\'', out);
}

static void put_quoted(FILE *out, const char *word)
{
    if (consists_of(word, NAME_CHARS "/=:,@%")) {
        fputs(word, out);
    } else if (has_control(word)) {
        put_ansi_quoted(out, word);
    } else {
        fputc('\'', out);
        for (; *word; word++) {
            if (*word == '\'')
                fputs("'\\''", out);
            else
                fputc(*word, out);
        }
        fputc('\'', out);
    }
}

// A text in the making; text_end() gives it to the caller, who mem_free()s.
struct text {
    char *data;
    size_t size;
    FILE *out;
};

static void text_begin(struct text *text)
{
    *text = (struct text){0};
    text->out = open_memstream(&text->data, &text->size);
}

static char *text_end(struct text *text)
{
    fclose(text->out);
    char *copy = mem_strdup(text->data);
    free(text->data);
    return copy;
}

char *sbatch_quote(const char *word)
{
    struct text text;
    text_begin(&text);
    put_quoted(text.out, word);
    return text_end(&text);
}

char *sbatch_plain(const char *text)
{
    char *plain = mem_strdup(*text ? text : "_");
    for (char *p = plain; *p; p++)
        if (!strchr(NAME_CHARS, *p))
            *p = '_';
    if (*plain == '-' || *plain == '.')
        *plain = '_';
    return plain;
}

bool sbatch_is_plain(const char *text)
{
    return consists_of(text, NAME_CHARS ":,%=/[]");
}

// --- times

// Whole numbers with ':' between them, at most max of them; returns how many, 0 when it is not so.
static int split_numbers(const char *text, int64_t *numbers, int max)
{
    for (int n = 0; n < max;) {
        size_t digits = strspn(text, "0123456789");
        if (digits == 0 || digits > 9)
            return 0;
        numbers[n++] = strtoll(text, NULL, 10);
        text += digits;
        if (*text == '\0')
            return n;
        if (*text++ != ':')
            return 0;
    }
    return 0;
}

// What stands behind the days: hours, hours:minutes, hours:minutes:seconds; without days minutes,
// minutes:seconds, hours:minutes:seconds.
int64_t sbatch_time_s(const char *text)
{
    const int64_t units_s[2][3] = {{60, 1, 0}, {3600, 60, 1}};
    int64_t days = 0, parts[3];
    const char *dash = strchr(text, '-');
    if (strcasecmp(text, "UNLIMITED") == 0 || strcasecmp(text, "INFINITE") == 0)
        return INT64_MAX;
    if (dash) {
        char *head = mem_printf("%.*s", (int)(dash - text), text);
        int n = split_numbers(head, &days, 1);
        mem_free(head);
        if (n == 0)
            return -1;
    }
    int n = split_numbers(dash ? dash + 1 : text, parts, 3);
    if (n == 0)
        return -1;
    int64_t total_s = days * 86400;
    for (int i = 0; i < n; i++)
        total_s += parts[i] * units_s[dash || n == 3][i];
    return total_s;
}

int64_t sbatch_signal_s(const char *text)
{
    const char *at = strchr(text, '@');
    int64_t value_s;
    return !at ? 60 : split_numbers(at + 1, &value_s, 1) == 1 ? value_s : -1;
}

// --- the script

static const struct sbatch_template *find_template(const char *name)
{
    for (const struct sbatch_template *t = sbatch_templates; t->path; t++)
        if (strcmp(strrchr(t->path, '/') + 1, name) == 0)
            return t;
    return NULL;
}

// Where the line behind the template's last #SBATCH line begins.
static size_t end_of_options(const struct sbatch_template *template)
{
    const char *data = (const char *)template->data, *end = data + template->size;
    size_t found = 0;
    for (const char *line = data; line < end;) {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        next = next ? next + 1 : end;
        if (strncmp(line, "#SBATCH", 7) == 0)
            found = (size_t)(next - data);
        line = next;
    }
    return found;
}

static bool is_for_sbatch(const struct site_setting *setting)
{
    return strncmp(setting->key, "SBATCH_", 7) == 0;
}

static void put_exports(FILE *out, const struct site *site)
{
    for (size_t i = 0; i < site->n_settings; i++) {
        const struct site_setting *setting = &site->settings[i];
        if (is_for_sbatch(setting))
            continue;
        fprintf(out, "export %s=", setting->key);
        put_quoted(out, setting->value);
        fputc('\n', out);
    }
}

static void put_command(FILE *out, const struct sbatch_job *job)
{
    fputs("cd ", out);
    put_quoted(out, job->folder);
    fputs(" && ", out);
    for (size_t i = 0; i < job->site->n_settings; i++) {
        const struct site_setting *setting = &job->site->settings[i];
        if (!is_for_sbatch(setting))
            continue;
        fprintf(out, "%s=", setting->key);
        put_quoted(out, setting->value);
        fputc(' ', out);
    }
    fputs("sbatch --parsable", out);
    for (size_t i = 0; i < job->n_options; i++) {
        fputc(' ', out);
        put_quoted(out, job->options[i]);
    }
    if (job->dependency)
        fprintf(out, " --dependency=%s", job->dependency);
    fprintf(out, " %s", job->script);
}

char *sbatch_command(const struct sbatch_job *job)
{
    struct text text;
    text_begin(&text);
    put_command(text.out, job);
    return text_end(&text);
}

char *sbatch_script(const struct sbatch_job *job)
{
    const struct sbatch_template *template = find_template(job->name);
    struct text text;
    assert(template);
    size_t head = end_of_options(template);
    text_begin(&text);
    fwrite(template->data, 1, head, text.out);
    for (size_t i = 0; i < job->n_options; i++) {
        assert(sbatch_is_plain(job->options[i]));
        fprintf(text.out, "#SBATCH %s\n", job->options[i]);
    }
    fputs("\n# Written by recfleet submit; to submit it again:\n#   ", text.out);
    put_command(text.out, job);
    fputs("\ncd ", text.out);
    put_quoted(text.out, job->folder);
    fputs(" || exit 1\n", text.out);
    put_exports(text.out, job->site);
    put_exports(text.out, job->more);
    fputs("set --", text.out);
    for (size_t i = 0; i < job->n_arguments; i++) {
        fputc(' ', text.out);
        put_quoted(text.out, job->arguments[i]);
    }
    fputc('\n', text.out);
    fwrite(template->data + head, 1, template->size - head, text.out);
    return text_end(&text);
}

int sbatch_write(const struct sbatch_job *job, struct err *err)
{
    char *path = mem_printf("%s/%s", job->folder, job->script);
    char *partial = mem_printf("%s.tmp-%ld", path, (long)getpid());
    char *text = sbatch_script(job);
    FILE *file = fopen(partial, "w");
    bool good = file && fputs(text, file) >= 0;
    if (file)
        good = fclose(file) == 0 && good;
    if (!good || rename(partial, path) != 0) {
        err_set(err, ERR_FAIL, "%s: cannot write the script: %s", path, strerror(errno));
        if (file)
            unlink(partial);
        good = false;
    }
    mem_free(text);
    mem_free(partial);
    mem_free(path);
    return good ? 0 : -1;
}

// --- running Slurm's commands

// What a child is to be: its words, its folder (NULL: ours) and what its environment has besides.
struct child {
    const char *const *words; // ends with NULL
    const char *folder;
    const struct site *site;
    bool quiet; // its complaints go nowhere
};

static void become(const struct child *child, int out)
{
    if (dup2(out, STDOUT_FILENO) < 0)
        _exit(1);
    if (child->quiet) {
        int null = open("/dev/null", O_WRONLY);
        if (null >= 0)
            dup2(null, STDERR_FILENO);
    }
    if (child->folder && chdir(child->folder) != 0)
        _exit(1);
    for (size_t i = 0; child->site && i < child->site->n_settings; i++)
        setenv(child->site->settings[i].key, child->site->settings[i].value, 1);
    // execvp() takes them as writable but does not write.
    execvp(child->words[0], (char *const *)(uintptr_t)child->words);
    _exit(errno == ENOENT ? NOT_FOUND : NOT_FOUND - 1);
}

static char *read_all(int fd)
{
    struct text text;
    char part[4096];
    ssize_t n;
    text_begin(&text);
    while ((n = read(fd, part, sizeof part)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0)
            fwrite(part, 1, (size_t)n, text.out);
    return text_end(&text);
}

// Runs it to its end. *said: its output, caller mem_free()s. Returns its exit status, 128 + signal
// when one ended it, -1 when it could not be started.
static int run_child(const struct child *child, char **said)
{
    int ends[2], status;
    *said = NULL;
    fflush(NULL); // a child that fails to become another must not print our buffers
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0)
        become(child, ends[1]);
    close(ends[1]);
    if (pid > 0)
        *said = read_all(ends[0]);
    close(ends[0]);
    if (pid < 0)
        return -1;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

char *sbatch_parse_id(const char *said)
{
    size_t n = strspn(said, "0123456789");
    if (n == 0 || (said[n] && !strchr(";\r\n", said[n])))
        return NULL;
    return mem_printf("%.*s", (int)n, said);
}

int sbatch_submit(const struct sbatch_job *job, char **id, struct err *err)
{
    char *dependency = job->dependency ? mem_printf("--dependency=%s", job->dependency) : NULL;
    const char *words[SBATCH_MAX_OPTIONS + 5] = {"sbatch", "--parsable"};
    const struct child child = {words, job->folder, job->site, false};
    size_t n = 2;
    char *said;
    for (size_t i = 0; i < job->n_options; i++)
        words[n++] = job->options[i];
    if (dependency)
        words[n++] = dependency;
    words[n++] = job->script;
    int status = run_child(&child, &said);
    *id = status == 0 ? sbatch_parse_id(said) : NULL;
    if (status == NOT_FOUND)
        err_set(err, ERR_FAIL,
                "there is no sbatch here: Slurm is not installed, or not in PATH (--dry-run shows "
                "what would be submitted)");
    else if (status != 0)
        err_set(err, ERR_FAIL, "sbatch did not take %s (exit status %d, see above)", job->script,
                status);
    else if (!*id)
        err_set(err, ERR_FAIL, "sbatch said \"%.80s\" where the id of the job was expected", said);
    mem_free(dependency);
    mem_free(said);
    return *id ? 0 : -1;
}

uint32_t sbatch_parse_max_array(const char *config)
{
    const char *key = "MaxArraySize", *at = strstr(config, key);
    if (!at)
        return 0;
    at += strlen(key);
    at += strspn(at, " =");
    unsigned long max = strtoul(at, NULL, 10);
    return max > UINT32_MAX ? UINT32_MAX : (uint32_t)max;
}

uint32_t sbatch_max_array(void)
{
    const char *const words[] = {"scontrol", "show", "config", NULL};
    const struct child child = {words, NULL, NULL, true};
    char *said;
    uint32_t max = run_child(&child, &said) == 0 ? sbatch_parse_max_array(said) : 0;
    mem_free(said);
    return max;
}
