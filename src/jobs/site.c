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
#define BLANKS " \t"
// All but the tab, and the end of a line.
#define CONTROLS                                                                                   \
    "\001\002\003\004\005\006\007\010\012\013\014\015\016\017\020\021\022\023\024\025\026"         \
    "\027\030\031\032\033\034\035\036\037"

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

// A line of the file; for messages, which name a place in it.
struct place {
    const char *path;
    size_t line;
    const char *text; // one line, ends with a NUL
};

static int fail(const struct place *place, const char *at, struct err *err, const char *what)
{
    return err_set(err, ERR_STUDY, "%s:%zu:%zu: %s", place->path, place->line,
                   (size_t)(at - place->text) + 1, what);
}

// Whether somebody reads the key; if not, err says so.
static int check_key(const struct place *place, const char *key, struct err *err)
{
    bool own = strncmp(key, "RECFLEET_", 9) == 0;
    if (!own && strncmp(key, "SBATCH_", 7) != 0)
        return 0;
    const char *const *keys = own ? own_keys : sbatch_keys;
    size_t n = own ? sizeof own_keys / sizeof *own_keys : sizeof sbatch_keys / sizeof *sbatch_keys;
    for (size_t i = 0; i < n; i++)
        if (strcmp(key, keys[i]) == 0)
            return 0;
    const char *near = schema_nearest(key, keys, n);
    err_set(err, ERR_STUDY, "%s:%zu:1: unknown key \"%.60s\"", place->path, place->line, key);
    return near ? err_append(err, "; did you mean \"%s\"?", near)
                : err_append(err, "; nobody reads it");
}

// The value at *text, which moves behind it and its quotes. Returns its length, -1 when bash would
// read it in another way.
static int parse_value(const struct place *place, const char **text, const char **value,
                       struct err *err)
{
    char quote = **text;
    if (quote != '\'' && quote != '"') {
        *value = *text;
        *text += strspn(*text, PLAIN);
        return (int)(*text - *value);
    }
    *value = ++*text;
    *text += strcspn(*text, quote == '"' ? "\"$`\\!" CONTROLS : "'" CONTROLS);
    if (**text == quote)
        return (int)((*text)++ - *value);
    return fail(place, *text, err,
                **text == '\0' ? "the quote does not end on this line"
                : (unsigned char)**text < ' '
                    ? "a control character"
                    : "nothing is expanded here: use '...' if the character is meant");
}

static int parse_line(struct site *site, const struct place *place, struct err *err)
{
    const char *key = place->text + strspn(place->text, BLANKS), *value;
    if (*key == '\0' || *key == '#')
        return 0;
    const char *at = key + strspn(key, LETTERS DIGITS);
    if (at == key || strchr(DIGITS, *key))
        return fail(place, key, err, "expected KEY=VALUE or a comment");
    int n_key = (int)(at - key);
    if (*at++ != '=')
        return fail(place, key + n_key, err, "expected = right behind the key");
    int n_value = parse_value(place, &at, &value, err);
    if (n_value < 0)
        return -1;
    // Only blanks and a comment may follow, and a blank comes first.
    const char *rest = at + strspn(at, BLANKS);
    if (*rest && (*rest != '#' || rest == at))
        return fail(place, rest, err, "not plain text: put the whole value in quotes");
    struct site_setting setting = {mem_printf("%.*s", n_key, key),
                                   mem_printf("%.*s", n_value, value)};
    int rc = site_value(site, setting.key) ? err_set(err, ERR_STUDY, "%s:%zu:1: %.60s is set twice",
                                                     place->path, place->line, setting.key)
                                           : check_key(place, setting.key, err);
    // Kept in any case: the caller releases all of them.
    site->settings = mem_realloc(site->settings, site->n_settings + 1, sizeof *site->settings);
    site->settings[site->n_settings++] = setting;
    return rc;
}

int site_parse(const char *path, const char *data, size_t size, struct site *site, struct err *err)
{
    struct place place = {.path = path};
    int rc = 0;
    *site = (struct site){0};
    for (size_t begin = 0; begin < size && rc == 0;) {
        const char *end = memchr(data + begin, '\n', size - begin);
        size_t n = end ? (size_t)(end - data) - begin : size - begin;
        char *text = mem_printf("%.*s", (int)n, data + begin);
        place.line++;
        place.text = text;
        rc = strlen(text) < n ? fail(&place, text, err, "a NUL character")
                              : parse_line(site, &place, err);
        mem_free(text);
        begin += n + 1;
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
