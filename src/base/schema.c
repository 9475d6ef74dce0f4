// SPDX-License-Identifier: Apache-2.0
#include "base/schema.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

// Numbers a double holds exactly; a bound beyond it is no bound.
#define WIDE 9.2e18

static void *member(const struct field *field, void *config)
{
    return (char *)config + field->offset;
}

static const void *member_const(const struct field *field, const void *config)
{
    return (const char *)config + field->offset;
}

const struct field *schema_find(const struct field *fields, const char *key)
{
    for (; fields && fields->key; fields++)
        if (strcmp(fields->key, key) == 0)
            return fields;
    return NULL;
}

#define WORD_MAX 64

// Edit distance with transpositions (optimal string alignment), blind to case.
static size_t distance(const char *a, const char *b)
{
    size_t na = strlen(a), nb = strlen(b), d[3][WORD_MAX + 1];

    if (na > WORD_MAX || nb > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= nb; j++)
        d[0][j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t *row = d[i % 3], *above = d[(i + 2) % 3], *above2 = d[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            bool same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
            size_t best = above[j - 1] + !same;
            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                above2[j - 2] + 1 < best)
                best = above2[j - 2] + 1;
            row[j] = best;
        }
    }
    return d[na % 3][nb];
}

// True when one is the beginning of the other and both are long enough to mean something.
static bool begins(const char *a, const char *b)
{
    size_t na = strlen(a), nb = strlen(b), n = na < nb ? na : nb;
    return n >= 3 && strncasecmp(a, b, n) == 0;
}

const char *schema_nearest(const char *word, const char *const *names, size_t n)
{
    const char *best = NULL;
    size_t best_d = strlen(word) / 3 + 2; // near enough: one slip per three letters, and one more

    if (strlen(word) < 3)
        best_d = 2;
    for (size_t i = 0; i < n; i++) {
        size_t d = distance(word, names[i]);
        if (d >= strlen(names[i]))
            continue; // nothing in common
        if (d < best_d) {
            best_d = d;
            best = names[i];
        }
    }
    for (size_t i = 0; !best && i < n; i++)
        if (begins(word, names[i]))
            best = names[i];
    return best;
}

static void format_bound(const struct field *field, double v, char *buf, size_t size)
{
    if (field->type == FIELD_TIME)
        units_format_ns((int64_t)v, buf, size);
    else
        units_format(field->unit, v, buf, size);
}

// What a value must look like, range included: "a time such as "25ms", at most 30d".
void schema_expected(const struct field *field, char *buf, size_t size)
{
    const char *what = unit_expected(field->type == FIELD_TIME ? UNIT_TIME : field->unit);
    char lo[40] = "", hi[40] = "";

    if (field->type == FIELD_BOOL) {
        snprintf(buf, size, "true or false");
        return;
    }
    if (field->type == FIELD_STRING) {
        snprintf(buf, size, "text");
        return;
    }
    if (field->type == FIELD_CHOICE) {
        size_t used = (size_t)snprintf(buf, size, "one of");
        for (size_t i = 0; field->choices[i] && used < size; i++)
            used +=
                (size_t)snprintf(buf + used, size - used, "%s %s", i ? "," : "", field->choices[i]);
        return;
    }
    if ((field->type == FIELD_INT || field->type == FIELD_UINT) && field->unit == UNIT_NONE)
        what = "a whole number";
    bool has_lo = field->min > -WIDE, has_hi = field->max < WIDE;
    format_bound(field, has_lo ? field->min : 0, lo, sizeof lo);
    format_bound(field, has_hi ? field->max : 0, hi, sizeof hi);
    const char *list = field->type == FIELD_REALS ? "a list, each " : "";
    if (has_lo && has_hi)
        snprintf(buf, size, "%s%s from %s to %s", list, what, lo, hi);
    else if (has_lo)
        snprintf(buf, size, "%s%s of at least %s", list, what, lo);
    else if (has_hi)
        snprintf(buf, size, "%s%s of at most %s", list, what, hi);
    else
        snprintf(buf, size, "%s%s", list, what);
}

static int out_of_range(const struct field *field, const char *text, struct err *err)
{
    char expected[256];

    schema_expected(field, expected, sizeof expected);
    return err_set(err, ERR_STUDY, "expected %s, got \"%.80s\"", expected, text);
}

static bool in_range(const struct field *field, double v)
{
    return isfinite(v) && v >= field->min && v <= field->max;
}

static int parse_whole(const struct field *field, const char *text, void *config, struct err *err)
{
    bool negative;
    uint64_t v;

    if (units_parse_whole(field->unit, text, &negative, &v, err) < 0)
        return out_of_range(field, text, err);
    bool is_signed = field->type == FIELD_INT;
    if ((negative && !is_signed) || (is_signed && v > INT64_MAX) ||
        !in_range(field, negative ? -(double)v : (double)v))
        return out_of_range(field, text, err);
    if (is_signed)
        *(int64_t *)member(field, config) = negative ? -(int64_t)v : (int64_t)v;
    else
        *(uint64_t *)member(field, config) = v;
    return 0;
}

static int parse_time(const struct field *field, const char *text, void *config, struct err *err)
{
    int64_t ns;

    if (units_parse_ns(text, &ns, err) < 0)
        return -1;
    if (!in_range(field, (double)ns))
        return out_of_range(field, text, err);
    *(int64_t *)member(field, config) = ns;
    return 0;
}

static int parse_real(const struct field *field, const char *text, double *out, struct err *err)
{
    double v;

    if (units_parse(field->unit, text, &v, err) < 0)
        return -1;
    if (!in_range(field, v))
        return out_of_range(field, text, err);
    *out = v;
    return 0;
}

static int parse_choice(const struct field *field, const char *text, void *config, struct err *err)
{
    size_t n = 0;

    for (; field->choices[n]; n++) {
        if (strcmp(field->choices[n], text) == 0) {
            *(int *)member(field, config) = (int)n;
            return 0;
        }
    }
    out_of_range(field, text, err);
    const char *near = schema_nearest(text, field->choices, n);
    return near ? err_append(err, "; did you mean \"%s\"?", near) : -1;
}

static int parse_bool(const struct field *field, const char *text, void *config, struct err *err)
{
    bool is_true = strcmp(text, "true") == 0;

    if (!is_true && strcmp(text, "false") != 0)
        return out_of_range(field, text, err);
    *(bool *)member(field, config) = is_true;
    return 0;
}

static void set_string(const struct field *field, const char *text, void *config)
{
    char **string = member(field, config), *old = *string;
    *string = mem_strdup(text);
    mem_free(old);
}

// A list written in one text, "[0.5, 1]" or "0.5, 1": for defaults and --set.
static int parse_list_text(const struct field *field, const char *text, void *config,
                           struct err *err)
{
    char *copy = mem_strdup(text), *save = NULL;
    const char **texts = mem_calloc(strlen(text) + 1, sizeof *texts);
    size_t n = 0;

    for (char *t = strtok_r(copy, "[], ", &save); t; t = strtok_r(NULL, "[], ", &save))
        texts[n++] = t;
    int rc = schema_parse_list(field, texts, n, config, err);
    mem_free(texts);
    mem_free(copy);
    return rc;
}

int schema_parse(const struct field *field, const char *text, void *config, struct err *err)
{
    switch (field->type) {
    case FIELD_BOOL:
        return parse_bool(field, text, config, err);
    case FIELD_INT:
    case FIELD_UINT:
        return parse_whole(field, text, config, err);
    case FIELD_REAL:
        return parse_real(field, text, member(field, config), err);
    case FIELD_TIME:
        return parse_time(field, text, config, err);
    case FIELD_STRING:
        set_string(field, text, config);
        return 0;
    case FIELD_CHOICE:
        return parse_choice(field, text, config, err);
    case FIELD_REALS:
        return parse_list_text(field, text, config, err);
    }
    return -1;
}

int schema_parse_list(const struct field *field, const char *const *texts, size_t n, void *config,
                      struct err *err)
{
    double *v = mem_calloc(n, sizeof *v);

    assert(field->type == FIELD_REALS);
    for (size_t i = 0; i < n; i++) {
        if (parse_real(field, texts[i], &v[i], err) < 0) {
            mem_free(v);
            return err_prefix(err, "element %zu", i);
        }
    }
    struct reals *reals = member(field, config);
    mem_free(reals->v);
    *reals = (struct reals){n, v};
    return 0;
}

void schema_defaults(const struct field *fields, void *config)
{
    for (; fields && fields->key; fields++) {
        if (!fields->dflt)
            continue;
        int rc = schema_parse(fields, fields->dflt, config, NULL);
        assert(rc == 0); // a row whose default is not a value of its own
        (void)rc;
    }
}

static char *format_list(const struct field *field, const struct reals *reals)
{
    char *text = mem_alloc(reals->n * 48 + 3), *p = text, buf[40];

    *p++ = '[';
    for (size_t i = 0; i < reals->n; i++) {
        units_format(field->unit, reals->v[i], buf, sizeof buf);
        p += sprintf(p, "%s%s", i ? ", " : "", buf);
    }
    *p++ = ']';
    *p = '\0';
    return text;
}

char *schema_format(const struct field *field, const void *config)
{
    const void *m = member_const(field, config);
    char buf[64];

    switch (field->type) {
    case FIELD_BOOL:
        return mem_strdup(*(const bool *)m ? "true" : "false");
    case FIELD_INT:
        return mem_printf("%lld", (long long)*(const int64_t *)m);
    case FIELD_UINT:
        return mem_printf("%llu", (unsigned long long)*(const uint64_t *)m);
    case FIELD_REAL:
        return mem_strdup(units_format(field->unit, *(const double *)m, buf, sizeof buf));
    case FIELD_TIME:
        return mem_strdup(units_format_ns(*(const int64_t *)m, buf, sizeof buf));
    case FIELD_STRING:
        return mem_strdup(*(char *const *)m ? *(char *const *)m : "");
    case FIELD_CHOICE:
        return mem_strdup(field->choices[*(const int *)m]);
    case FIELD_REALS:
        return format_list(field, m);
    }
    return NULL;
}

void schema_copy(const struct field *fields, void *to, const void *from)
{
    for (; fields && fields->key; fields++) {
        const void *m = member_const(fields, from);
        if (fields->type == FIELD_STRING) {
            *(char **)member(fields, to) = mem_strdup(*(char *const *)m);
        } else if (fields->type == FIELD_REALS) {
            const struct reals *reals = m;
            double *v = mem_calloc(reals->n, sizeof *v);
            if (reals->n)
                memcpy(v, reals->v, reals->n * sizeof *v);
            *(struct reals *)member(fields, to) = (struct reals){reals->n, v};
        }
    }
}

void schema_release(const struct field *fields, void *config)
{
    for (; fields && fields->key; fields++) {
        if (fields->type == FIELD_STRING) {
            char **string = member(fields, config);
            mem_free(*string);
            *string = NULL;
        } else if (fields->type == FIELD_REALS) {
            struct reals *reals = member(fields, config);
            mem_free(reals->v);
            *reals = (struct reals){0, NULL};
        }
    }
}
