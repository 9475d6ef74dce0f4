// SPDX-License-Identifier: Apache-2.0
#include "base/settings.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"

static size_t size_of(enum field_type type)
{
    switch (type) {
    case FIELD_BOOL:
        return sizeof(bool);
    case FIELD_CHOICE:
        return sizeof(int);
    case FIELD_STRING:
    case FIELD_REALS:
        return SETTINGS_BYTES + 1; // owns memory: not for a plain value
    default:
        return sizeof(int64_t);
    }
}

struct settings settings_of(const struct field *fields, const void *values)
{
    struct settings settings = {.fields = fields};
    for (const struct field *f = fields; f && f->key; f++) {
        assert(f->offset + size_of(f->type) <= SETTINGS_BYTES);
        // Member by member: nobody knows how long the caller's struct is, and its padding must not
        // come along.
        if (values)
            memcpy((char *)settings.values + f->offset, (const char *)values + f->offset,
                   size_of(f->type));
    }
    if (!values)
        schema_defaults(fields, settings.values);
    return settings;
}

const void *settings_values(const struct settings *settings)
{
    return settings->values;
}

size_t settings_n(const struct settings *settings)
{
    size_t n = 0;
    while (settings->fields && settings->fields[n].key)
        n++;
    return n;
}

const struct field *settings_field(const struct settings *settings, const char *key)
{
    return schema_find(settings->fields, key);
}

// A whole number of any type; a real one is cut.
static int64_t whole(const struct field *field, const struct settings *settings)
{
    const char *at = (const char *)settings->values + field->offset;
    switch (field->type) {
    case FIELD_BOOL:
        return *(const bool *)(const void *)at;
    case FIELD_CHOICE:
        return *(const int *)(const void *)at;
    case FIELD_REAL:
        return (int64_t) * (const double *)(const void *)at;
    default:
        return *(const int64_t *)(const void *)at;
    }
}

static double number(const struct field *field, const struct settings *settings)
{
    const void *at = (const char *)settings->values + field->offset;
    if (field->type == FIELD_REAL)
        return *(const double *)at;
    if (field->type == FIELD_UINT)
        return (double)*(const uint64_t *)at;
    return (double)whole(field, settings);
}

double settings_number(const struct settings *settings, const char *key)
{
    const struct field *field = settings_field(settings, key);
    assert(field);
    return number(field, settings);
}

int64_t settings_whole(const struct settings *settings, const char *key)
{
    const struct field *field = settings_field(settings, key);
    assert(field);
    return whole(field, settings);
}

// The least and the largest value of a field: its own range, or how many choices there are.
static bool allows(const struct field *field, double value)
{
    if (field->type == FIELD_BOOL)
        return value >= 0 && value <= 1;
    if (field->type != FIELD_CHOICE)
        return value >= field->min && value <= field->max;
    int n = 0;
    while (field->choices[n])
        n++;
    return value >= 0 && value < n;
}

bool settings_set_number(struct settings *settings, const char *key, double value)
{
    const struct field *field = settings_field(settings, key);
    if (!field || !isfinite(value))
        return false;
    value = field->type == FIELD_REAL ? value : round(value);
    if (!allows(field, value))
        return false;
    void *at = (char *)settings->values + field->offset;
    if (field->type == FIELD_BOOL)
        *(bool *)at = value > 0;
    else if (field->type == FIELD_CHOICE)
        *(int *)at = (int)value;
    else if (field->type == FIELD_REAL)
        *(double *)at = value;
    else if (field->type == FIELD_UINT)
        *(uint64_t *)at = (uint64_t)value;
    else
        *(int64_t *)at = (int64_t)value;
    return true;
}

static int no_such_key(const struct settings *settings, const char *key, struct err *err)
{
    const char *names[SETTINGS_BYTES];
    size_t n = settings_n(settings);
    n = n < SETTINGS_BYTES ? n : SETTINGS_BYTES;
    for (size_t i = 0; i < n; i++)
        names[i] = settings->fields[i].key;
    err_set(err, ERR_STUDY, "unknown setting \"%.80s\"", key);
    const char *near = schema_nearest(key, names, n);
    return near ? err_append(err, "; did you mean \"%s\"?", near) : -1;
}

int settings_set(struct settings *settings, const char *key, const char *text, struct err *err)
{
    const struct field *field = settings_field(settings, key);
    if (!field)
        return no_such_key(settings, key, err);
    if (schema_parse(field, text, settings->values, err) < 0)
        return err_prefix(err, "%s", key);
    return 0;
}

char *settings_get(const struct settings *settings, const char *key)
{
    const struct field *field = settings_field(settings, key);
    assert(field);
    return schema_format(field, settings->values);
}

char *settings_format(const struct settings *settings)
{
    char *line = mem_strdup("");
    for (const struct field *f = settings->fields; f && f->key; f++) {
        char *value = schema_format(f, settings->values);
        char *more = mem_printf("%s%s%s: %s", line, *line ? ", " : "", f->key, value);
        mem_free(line);
        mem_free(value);
        line = more;
    }
    return line;
}

int settings_parse(struct settings *settings, const char *text, struct err *err)
{
    struct settings parsed = *settings;
    char *copy = mem_strdup(text), *save = NULL;
    int rc = 0;
    for (char *t = strtok_r(copy, ",", &save); t && rc == 0; t = strtok_r(NULL, ",", &save)) {
        char *key = t + strspn(t, " "), *colon = strchr(key, ':');
        if (!colon) {
            rc = err_set(err, ERR_STUDY, "expected \"key: value\", got \"%.80s\"", key);
            break;
        }
        *colon = '\0';
        rc = settings_set(&parsed, key, colon + 1 + strspn(colon + 1, " "), err);
    }
    mem_free(copy);
    if (rc == 0)
        *settings = parsed;
    return rc;
}

int settings_compare(const struct settings *a, const struct settings *b)
{
    assert(a->fields == b->fields);
    for (const struct field *f = a->fields; f && f->key; f++) {
        double x = number(f, a), y = number(f, b);
        int64_t i = whole(f, a), j = whole(f, b);
        // Numbers first: whole() says nothing of fractions, number() nothing beyond 2^53.
        if (x < y || x > y)
            return x < y ? -1 : 1;
        if (i != j)
            return i < j ? -1 : 1;
    }
    return 0;
}

bool settings_equal(const struct settings *a, const struct settings *b)
{
    return a->fields == b->fields && settings_compare(a, b) == 0;
}

void settings_save(const struct settings *settings, struct blob *blob)
{
    for (const struct field *f = settings->fields; f && f->key; f++)
        blob_put(blob, (const char *)settings->values + f->offset, size_of(f->type));
}

struct settings settings_load(const struct field *fields, struct blob_reader *reader)
{
    struct settings settings = {.fields = fields};
    for (const struct field *f = fields; f && f->key; f++) {
        void *at = (char *)settings.values + f->offset;
        blob_get(reader, at, size_of(f->type));
        // Bytes that no value has would be undefined behaviour later: a switch that is neither on
        // nor off, a choice without a name.
        double value = f->type == FIELD_BOOL ? *(unsigned char *)at : number(f, &settings);
        if (!(isfinite(value) && allows(f, value))) {
            memset(at, 0, size_of(f->type));
            blob_refuse(reader);
        }
    }
    return settings;
}
