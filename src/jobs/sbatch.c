// SPDX-License-Identifier: Apache-2.0
#include "jobs/sbatch.h"

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

// --- words

static bool consists_of(const char *text, const char *set)
{
    return *text && text[strspn(text, set)] == '\0';
}

static bool is_control(char c)
{
    return (unsigned char)c < ' ' || c == 127;
}

// '...', or $'...' with every control character as \ooo, so that a line stays a line.
char *sbatch_quote(const char *word)
{
    bool control = false;
    if (consists_of(word, NAME_CHARS "/=:,@%"))
        return mem_strdup(word);
    for (const char *p = word; *p; p++)
        control |= is_control(*p);
    char *quoted = mem_alloc(4 * strlen(word) + 4), *to = quoted; // four for each at most
    to = stpcpy(to, control ? "$'" : "'");
    for (; *word; word++) {
        if (is_control(*word))
            to += sprintf(to, "\\%03o", (unsigned char)*word);
        else if (*word == '\'')
            to = stpcpy(to, control ? "\\'" : "'\\''");
        else if (*word == '\\' && control)
            to = stpcpy(to, "\\\\");
        else
            *to++ = *word;
    }
    strcpy(to, "'");
    return quoted;
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

// --- running Slurm's commands

// In the child: becomes the command, with `out` for its output.
static void become(const struct sbatch_call *call, int out)
{
    int null = call->quiet ? open("/dev/null", O_WRONLY) : -1;
    if (dup2(out, STDOUT_FILENO) < 0 || (null >= 0 && dup2(null, STDERR_FILENO) < 0) ||
        (call->folder && chdir(call->folder) != 0))
        _exit(1);
    for (size_t i = 0; call->site && i < call->site->n_settings; i++)
        setenv(call->site->settings[i].key, call->site->settings[i].value, 1);
    // execvp() takes them as writable but does not write.
    execvp(call->words[0], (char *const *)(uintptr_t)call->words);
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
    size_t n = strspn(said, "0123456789");
    if (n == 0 || (said[n] && !strchr(";\r\n", said[n])))
        return NULL;
    return mem_printf("%.*s", (int)n, said);
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
    const struct sbatch_call call = {.words = words, .quiet = true};
    char *said;
    uint32_t max = sbatch_run(&call, &said) == 0 ? sbatch_parse_max_array(said) : 0;
    mem_free(said);
    return max;
}
