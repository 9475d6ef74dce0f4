// SPDX-License-Identifier: Apache-2.0
#include "jobs/site.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/schema.h"
#include "study/doc.h"

#define MAX_BYTES 1000000

// Keys are read by bash, too, and by nothing that knows other letters.
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
#define DIGITS "0123456789"
// What bash takes for itself wherever it stands in a word. No '~' and no '*', '?', '[': they
// expand.
#define PLAIN LETTERS DIGITS "./:,@%+=^-"

static const char *const own_keys[] = {"RECFLEET_LAUNCHER", "RECFLEET_MODULES", "RECFLEET_PROGRAM"};

// sbatch(1), "INPUT ENVIRONMENT VARIABLES", Slurm 22.05 and 23.11. Without SBATCH_EXPORT: what a
// job is told is in its environment.
static const char *const sbatch_keys[] = {"SBATCH_ACCOUNT",
                                          "SBATCH_ACCTG_FREQ",
                                          "SBATCH_ARRAY_INX",
                                          "SBATCH_BATCH",
                                          "SBATCH_CLUSTERS",
                                          "SBATCH_CONSTRAINT",
                                          "SBATCH_CONTAINER",
                                          "SBATCH_CONTAINER_ID",
                                          "SBATCH_CORE_SPEC",
                                          "SBATCH_CPUS_PER_GPU",
                                          "SBATCH_DEBUG",
                                          "SBATCH_DELAY_BOOT",
                                          "SBATCH_DISTRIBUTION",
                                          "SBATCH_ERROR",
                                          "SBATCH_EXCLUSIVE",
                                          "SBATCH_GET_USER_ENV",
                                          "SBATCH_GPUS",
                                          "SBATCH_GPUS_PER_NODE",
                                          "SBATCH_GPUS_PER_TASK",
                                          "SBATCH_GPU_BIND",
                                          "SBATCH_GPU_FREQ",
                                          "SBATCH_GRES",
                                          "SBATCH_GRES_FLAGS",
                                          "SBATCH_HINT",
                                          "SBATCH_IGNORE_PBS",
                                          "SBATCH_INPUT",
                                          "SBATCH_JOB_NAME",
                                          "SBATCH_MEM_BIND",
                                          "SBATCH_MEM_PER_CPU",
                                          "SBATCH_MEM_PER_GPU",
                                          "SBATCH_MEM_PER_NODE",
                                          "SBATCH_NETWORK",
                                          "SBATCH_NO_KILL",
                                          "SBATCH_NO_REQUEUE",
                                          "SBATCH_OPEN_MODE",
                                          "SBATCH_OUTPUT",
                                          "SBATCH_OVERCOMMIT",
                                          "SBATCH_PARTITION",
                                          "SBATCH_POWER",
                                          "SBATCH_PROFILE",
                                          "SBATCH_QOS",
                                          "SBATCH_REQUEUE",
                                          "SBATCH_REQ_SWITCH",
                                          "SBATCH_RESERVATION",
                                          "SBATCH_SIGNAL",
                                          "SBATCH_SPREAD_JOB",
                                          "SBATCH_THREADS_PER_CORE",
                                          "SBATCH_THREAD_SPEC",
                                          "SBATCH_TIMELIMIT",
                                          "SBATCH_USE_MIN_NODES",
                                          "SBATCH_WAIT",
                                          "SBATCH_WAIT4SWITCH",
                                          "SBATCH_WAIT_ALL_NODES",
                                          "SBATCH_WCKEY"};

// Whether somebody reads the key; if not, err says so.
static int check_key(const char *place, size_t column, const char *key, struct err *err)
{
    bool own = strncmp(key, "RECFLEET_", 9) == 0;
    if (!own && strncmp(key, "SBATCH_", 7) != 0)
        return 0;
    if (strcmp(key, "SBATCH_EXPORT") == 0)
        return err_set(err, ERR_STUDY,
                       "%s:%zu: SBATCH_EXPORT cannot be set: submit always exports all "
                       "(--export=ALL); leave it out",
                       place, column);
    const char *const *keys = own ? own_keys : sbatch_keys;
    size_t n = own ? sizeof own_keys / sizeof *own_keys : sizeof sbatch_keys / sizeof *sbatch_keys;
    for (size_t i = 0; i < n; i++)
        if (strcmp(key, keys[i]) == 0)
            return 0;
    const char *near = schema_nearest(key, keys, n);
    err_set(err, ERR_STUDY, "%s:%zu: unknown key \"%.60s\"", place, column, key);
    return near ? err_append(err, "; did you mean \"%s\"?", near)
                : err_append(err, "; nobody reads it");
}

// One line that is no comment; it is changed. `place`: "FILE:LINE", which errors begin with.
// `column`: of the text, which has no blanks in front.
static int parse_line(struct site *site, const char *place, size_t column, char *text,
                      struct err *err)
{
    size_t n_key = strspn(text, LETTERS DIGITS), n_text = strlen(text);
    char *value = text + n_key + 1;
    if (text[n_text - 1] == '\r')
        return err_set(err, ERR_STUDY,
                       "%s:%zu: the line ends in \\r\\n, as on Windows: expected \\n alone", place,
                       column + n_text - 1);
    if (n_key == 0 || strchr(DIGITS, *text) || text[n_key] != '=')
        return err_set(err, ERR_STUDY, "%s:%zu: expected KEY=VALUE or a comment", place,
                       column + n_key);
    text[n_key] = '\0';
    if (check_key(place, column, text, err) < 0)
        return -1;
    if (site_value(site, text))
        return err_set(err, ERR_STUDY, "%s:%zu: %.60s is set twice", place, column, text);
    size_t n = strlen(value);
    bool quoted = n > 1 && *value == '\'' && value[n - 1] == '\'';
    if (quoted)
        value[--n] = '\0';
    size_t n_good = quoted ? 1 + strcspn(value + 1, "'") : strspn(value, PLAIN);
    if (n_good < n)
        return err_set(err, ERR_STUDY, "%s:%zu: not plain text: put the whole value in '...'",
                       place, column + n_key + 1 + n_good);
    site->settings = mem_realloc(site->settings, site->n_settings + 1, sizeof *site->settings);
    site->settings[site->n_settings++] = mem_printf("%s=%s", text, value + quoted);
    return 0;
}

int site_parse(const char *path, const char *data, size_t size, struct site *site, struct err *err)
{
    const char *end = data + size;
    int rc = 0;
    *site = (struct site){0};
    for (size_t line = 1; data < end && rc == 0; line++) {
        size_t n = strcspn(data, "\n"), n_blanks = strspn(data, " \t");
        char *text = mem_printf("%.*s", (int)n, data), *place = mem_printf("%s:%zu", path, line);
        if (data + n < end && data[n] == '\0')
            rc = err_set(err, ERR_STUDY, "%s:%zu: a NUL character", place, n + 1);
        else if (text[n_blanks] && text[n_blanks] != '#')
            rc = parse_line(site, place, n_blanks + 1, text + n_blanks, err);
        mem_free(place);
        mem_free(text);
        data += n + 1;
    }
    if (rc < 0)
        site_release(site);
    return rc;
}

int site_read(const char *path, struct site *site, struct err *err)
{
    size_t size;
    *site = (struct site){0};
    char *data = doc_load_file(path, MAX_BYTES, &size, err);
    if (!data)
        return -1;
    int rc = site_parse(path, data, size, site, err);
    mem_free(data);
    return rc;
}

void site_release(struct site *site)
{
    for (size_t i = 0; i < site->n_settings; i++)
        mem_free(site->settings[i]);
    mem_free(site->settings);
    *site = (struct site){0};
}

const char *site_value(const struct site *site, const char *key)
{
    size_t n = strlen(key);
    for (size_t i = 0; i < site->n_settings; i++)
        if (strncmp(site->settings[i], key, n) == 0 && site->settings[i][n] == '=')
            return site->settings[i] + n + 1;
    return NULL;
}
