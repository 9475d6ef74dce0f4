// SPDX-License-Identifier: Apache-2.0
#include "jobs/site.h"

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

// sbatch(1), "INPUT ENVIRONMENT VARIABLES", Slurm 22.05 and 23.11.
static const char *const sbatch_keys[] = {
    "SBATCH_ACCOUNT",       "SBATCH_ACCTG_FREQ",    "SBATCH_ARRAY_INX",
    "SBATCH_BATCH",         "SBATCH_CLUSTERS",      "SBATCH_CONSTRAINT",
    "SBATCH_CONTAINER",     "SBATCH_CONTAINER_ID",  "SBATCH_CORE_SPEC",
    "SBATCH_CPUS_PER_GPU",  "SBATCH_DEBUG",         "SBATCH_DELAY_BOOT",
    "SBATCH_DISTRIBUTION",  "SBATCH_ERROR",         "SBATCH_EXCLUSIVE",
    "SBATCH_EXPORT",        "SBATCH_GET_USER_ENV",  "SBATCH_GPUS",
    "SBATCH_GPUS_PER_NODE", "SBATCH_GPUS_PER_TASK", "SBATCH_GPU_BIND",
    "SBATCH_GPU_FREQ",      "SBATCH_GRES",          "SBATCH_GRES_FLAGS",
    "SBATCH_HINT",          "SBATCH_IGNORE_PBS",    "SBATCH_INPUT",
    "SBATCH_JOB_NAME",      "SBATCH_MEM_BIND",      "SBATCH_MEM_PER_CPU",
    "SBATCH_MEM_PER_GPU",   "SBATCH_MEM_PER_NODE",  "SBATCH_NETWORK",
    "SBATCH_NO_KILL",       "SBATCH_NO_REQUEUE",    "SBATCH_OPEN_MODE",
    "SBATCH_OUTPUT",        "SBATCH_OVERCOMMIT",    "SBATCH_PARTITION",
    "SBATCH_POWER",         "SBATCH_PROFILE",       "SBATCH_QOS",
    "SBATCH_REQUEUE",       "SBATCH_REQ_SWITCH",    "SBATCH_RESERVATION",
    "SBATCH_SIGNAL",        "SBATCH_SPREAD_JOB",    "SBATCH_THREADS_PER_CORE",
    "SBATCH_THREAD_SPEC",   "SBATCH_TIMELIMIT",     "SBATCH_USE_MIN_NODES",
    "SBATCH_WAIT",          "SBATCH_WAIT4SWITCH",   "SBATCH_WAIT_ALL_NODES",
    "SBATCH_WCKEY"};

// A line of the file and where in it we are.
struct cursor {
    const char *path;
    size_t line;
    const char *text;
    size_t n, at;
};

static int fail(const struct cursor *cursor, struct err *err, const char *what)
{
    return err_set(err, ERR_STUDY, "%s:%zu:%zu: %s", cursor->path, cursor->line, cursor->at + 1,
                   what);
}

static char peek(const struct cursor *cursor)
{
    return cursor->at < cursor->n ? cursor->text[cursor->at] : '\0';
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static char *cut(const struct cursor *cursor, size_t from, size_t to)
{
    return mem_printf("%.*s", (int)(to - from), cursor->text + from);
}

// Whether somebody reads the key; if not, err says so.
static int check_key(const struct cursor *cursor, const char *key, struct err *err)
{
    const struct {
        const char *prefix;
        const char *const *keys;
        size_t n;
    } families[] = {{"RECFLEET_", own_keys, sizeof own_keys / sizeof *own_keys},
                    {"SBATCH_", sbatch_keys, sizeof sbatch_keys / sizeof *sbatch_keys}};
    for (size_t f = 0; f < sizeof families / sizeof *families; f++) {
        if (strncmp(key, families[f].prefix, strlen(families[f].prefix)) != 0)
            continue;
        for (size_t i = 0; i < families[f].n; i++)
            if (strcmp(key, families[f].keys[i]) == 0)
                return 0;
        const char *near = schema_nearest(key, families[f].keys, families[f].n);
        err_set(err, ERR_STUDY, "%s:%zu:1: unknown key \"%.60s\"", cursor->path, cursor->line, key);
        return near ? err_append(err, "; did you mean \"%s\"?", near)
                    : err_append(err, "; nobody reads it");
    }
    return 0;
}

static int parse_key(struct cursor *cursor, char **key, struct err *err)
{
    size_t from = cursor->at;
    if (!is_one_of(peek(cursor), LETTERS))
        return fail(cursor, err, "expected KEY=VALUE or a comment");
    while (is_one_of(peek(cursor), LETTERS DIGITS))
        cursor->at++;
    if (peek(cursor) != '=')
        return fail(cursor, err, "expected = right behind the key");
    *key = cut(cursor, from, cursor->at++);
    return 0;
}

static int parse_quoted(struct cursor *cursor, char **value, struct err *err)
{
    char quote = cursor->text[cursor->at];
    size_t from = ++cursor->at;
    for (; peek(cursor) != quote; cursor->at++) {
        if (cursor->at >= cursor->n)
            return fail(cursor, err, "the quote does not end on this line");
        if (quote == '"' && is_one_of(peek(cursor), "$`\\!"))
            return fail(cursor, err,
                        "nothing is expanded here: use '...' if the character is meant");
        if ((unsigned char)peek(cursor) < ' ' && peek(cursor) != '\t')
            return fail(cursor, err, "a control character");
    }
    *value = cut(cursor, from, cursor->at++);
    return 0;
}

static int parse_value(struct cursor *cursor, char **value, struct err *err)
{
    if (peek(cursor) == '\'' || peek(cursor) == '"')
        return parse_quoted(cursor, value, err);
    size_t from = cursor->at;
    while (is_one_of(peek(cursor), PLAIN))
        cursor->at++;
    *value = cut(cursor, from, cursor->at);
    return 0;
}

// Only blanks and a comment may follow a value, and a blank comes first.
static int parse_rest(struct cursor *cursor, struct err *err)
{
    size_t from = cursor->at;
    while (is_one_of(peek(cursor), " \t"))
        cursor->at++;
    if (cursor->at >= cursor->n || (peek(cursor) == '#' && cursor->at > from))
        return 0;
    return fail(cursor, err, "not plain text: put the whole value in quotes");
}

static int add_setting(struct site *site, const struct cursor *cursor, char *key, char *value,
                       struct err *err)
{
    if (site_value(site, key))
        return err_set(err, ERR_STUDY, "%s:%zu:1: %.60s is set twice", cursor->path, cursor->line,
                       key);
    if (check_key(cursor, key, err) < 0)
        return -1;
    site->settings = mem_realloc(site->settings, site->n_settings + 1, sizeof *site->settings);
    site->settings[site->n_settings++] = (struct site_setting){key, value};
    return 0;
}

static int parse_line(struct site *site, struct cursor *cursor, struct err *err)
{
    char *key = NULL, *value = NULL;
    while (is_one_of(peek(cursor), " \t"))
        cursor->at++;
    if (cursor->at >= cursor->n || peek(cursor) == '#')
        return 0;
    int rc = parse_key(cursor, &key, err);
    if (rc == 0)
        rc = parse_value(cursor, &value, err);
    if (rc == 0)
        rc = parse_rest(cursor, err);
    if (rc == 0)
        rc = add_setting(site, cursor, key, value, err);
    if (rc < 0) {
        mem_free(key);
        mem_free(value);
    }
    return rc;
}

int site_parse(const char *path, const char *data, size_t size, struct site *site, struct err *err)
{
    struct cursor cursor = {.path = path};
    *site = (struct site){0};
    for (size_t begin = 0; begin < size;) {
        const char *end = memchr(data + begin, '\n', size - begin);
        cursor.text = data + begin;
        cursor.n = end ? (size_t)(end - cursor.text) : size - begin;
        cursor.at = 0;
        cursor.line++;
        int rc = memchr(cursor.text, '\0', cursor.n) ? fail(&cursor, err, "a NUL character")
                                                     : parse_line(site, &cursor, err);
        if (rc < 0) {
            site_release(site);
            return -1;
        }
        begin += cursor.n + 1;
    }
    return 0;
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
    for (size_t i = 0; i < site->n_settings; i++) {
        mem_free(site->settings[i].key);
        mem_free(site->settings[i].value);
    }
    mem_free(site->settings);
    *site = (struct site){0};
}

const char *site_value(const struct site *site, const char *key)
{
    for (size_t i = 0; i < site->n_settings; i++)
        if (strcmp(site->settings[i].key, key) == 0)
            return site->settings[i].value;
    return NULL;
}
