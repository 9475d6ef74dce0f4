// SPDX-License-Identifier: Apache-2.0
#include "jobs/sbatch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

#define DIGITS "0123456789"
#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" DIGITS "._+-"

// --- words

static bool is_control(char c)
{
    return (c >= '\0' && c < ' ') || c == '\177';
}

// $'...' of bash, which stays on one line and has nothing that a terminal obeys.
static char *quote_controls(const char *word)
{
    char *quoted = mem_alloc(4 * strlen(word) + 4), *to = stpcpy(quoted, "$'");
    for (; *word; word++) {
        if (is_control(*word) || *word == '\'' || *word == '\\')
            to += sprintf(to, "\\%03o", (unsigned)*word);
        else
            *to++ = *word;
    }
    strcpy(to, "'");
    return quoted;
}

char *sbatch_quote(const char *word)
{
    if (*word && word[strspn(word, NAME_CHARS "/=:,@%")] == '\0')
        return mem_strdup(word);
    for (const char *p = word; *p; p++)
        if (is_control(*p))
            return quote_controls(word);
    char *quoted = mem_alloc(4 * strlen(word) + 3), *to = stpcpy(quoted, "'");
    for (; *word; word++) {
        if (*word == '\'') // which cannot be inside: end, a quote by itself, begin again
            to = stpcpy(to, "'\\''");
        else
            *to++ = *word;
    }
    strcpy(to, "'");
    return quoted;
}

// "a b" and "a;b" look the same then: the text's hash (FNV-1a, 32 bits) tells them apart.
char *sbatch_plain(const char *text)
{
    char *plain = mem_strdup(*text ? text : "_");
    uint32_t hash = 2166136261u;
    for (const char *p = text; *p; p++)
        hash = (hash ^ (unsigned char)*p) * 16777619u;
    for (char *p = plain; *p; p++)
        if (!strchr(NAME_CHARS, *p))
            *p = '_';
    if (*plain == '-' || *plain == '.')
        *plain = '_';
    if (strcmp(plain, text) == 0)
        return plain;
    char *apart = mem_printf("%s-%08x", plain, hash);
    mem_free(plain);
    return apart;
}

// --- times

// Takes a whole number of at most nine digits off the text; -1 when it does not begin with one.
static int64_t take_number(const char **text)
{
    size_t digits = strspn(*text, DIGITS);
    int64_t number = digits == 0 || digits > 9 ? -1 : strtoll(*text, NULL, 10);
    *text += digits;
    return number;
}

// What is behind the first number is less than one of the unit before. What stands behind the days:
// hours, hours:minutes, hours:minutes:seconds; without days minutes, minutes:seconds,
// hours:minutes:seconds.
int64_t sbatch_time_s(const char *text)
{
    int64_t days = 0, parts[3] = {0};
    int n = 0;
    const char *dash = strchr(text, '-');
    if (strcasecmp(text, "UNLIMITED") == 0 || strcasecmp(text, "INFINITE") == 0)
        return INT64_MAX;
    if (dash && ((days = take_number(&text)) < 0 || text++ != dash))
        return -1;
    do {
        if (n == 3 || (parts[n++] = take_number(&text)) < 0)
            return -1;
    } while (*text++ == ':');
    if (text[-1])
        return -1;
    for (int i = dash ? 0 : 1; i < n; i++)
        if (parts[i] >= (dash && i == 0 ? 24 : 60))
            return -1;
    if (!dash && n < 3)
        return parts[0] * 60 + parts[1];
    return ((days * 24 + parts[0]) * 60 + parts[1]) * 60 + parts[2];
}

int64_t sbatch_signal_s(const char *text)
{
    const char *at = strchr(text, '@');
    if (!at++)
        return 60;
    int64_t value_s = take_number(&at);
    return *at ? -1 : value_s;
}

// --- running Slurm's commands

// In the child: becomes the command, with `out` for its output.
static void become(const struct sbatch_call *call, int out)
{
    if (dup2(out, STDOUT_FILENO) < 0 || (call->folder && chdir(call->folder) != 0))
        _exit(1);
    for (size_t i = 0; i < call->n_env; i++)
        putenv(call->env[i]);
    execvp(call->words[0], call->words);
    _exit(errno == ENOENT ? SBATCH_NOT_FOUND : SBATCH_NOT_FOUND - 1);
}

int sbatch_run(const struct sbatch_call *call, char **said)
{
    int ends[2], status;
    char *data = NULL;
    size_t size = 0;
    *said = NULL;
    fflush(NULL); // a child that fails to become another must not print our buffers
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0)
        become(call, ends[1]);
    close(ends[1]);
    FILE *in = fdopen(ends[0], "r");
    // Up to a NUL, which none of them prints: all of it.
    *said = mem_strdup(pid > 0 && getdelim(&data, &size, '\0', in) > 0 ? data : "");
    free(data);
    fclose(in);
    while (pid > 0 && waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    if (pid < 0)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

char *sbatch_parse_id(const char *said)
{
    size_t n = strspn(said, DIGITS);
    if (n == 0 || (said[n] && !strchr(";\r\n", said[n])))
        return NULL;
    return mem_printf("%.*s", (int)n, said);
}

// Is it that of a job that writes this output: its run or array, their merge, or a link of a chain?
static bool is_name_of(const char *name, const char *job_name)
{
    size_t n = strlen(job_name), n_chain = n < SBATCH_CHAIN_CHARS ? n : SBATCH_CHAIN_CHARS;
    const char *chain = "-chain-";
    if (strncmp(name, job_name, n) == 0 && (!name[n] || strcmp(name + n, "-merge") == 0))
        return true;
    return strncmp(name, job_name, n_chain) == 0 &&
           strncmp(name + n_chain, chain, strlen(chain)) == 0;
}

char *sbatch_queued(const char *job_name, const char *folder)
{
    char *words[] = {"squeue",
                     "--me",
                     "--noheader",
                     "--states=PENDING,RUNNING,SUSPENDED,CONFIGURING",
                     "--format=%i|%j|%Z",
                     NULL};
    char *said, *rest, *id = NULL;
    int status = sbatch_run(&(struct sbatch_call){words, NULL, 0, NULL}, &said);
    rest = said;
    for (char *line; status == 0 && !id && rest && (line = strsep(&rest, "\n"));) {
        const char *number = strsep(&line, "|"), *name = strsep(&line, "|");
        if (name && line && is_name_of(name, job_name) && strcmp(line, folder) == 0)
            id = mem_strdup(number);
    }
    mem_free(said);
    return id;
}

uint32_t sbatch_max_array(void)
{
    char line[256];
    unsigned long max = 0;
    fflush(NULL);
    FILE *in = popen("scontrol show config 2>/dev/null", "r");
    while (in && fgets(line, sizeof line, in))
        sscanf(line, "MaxArraySize = %lu", &max);
    if (in)
        pclose(in);
    return max > UINT32_MAX ? UINT32_MAX : (uint32_t)max;
}
