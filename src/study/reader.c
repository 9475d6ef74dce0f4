// SPDX-License-Identifier: Apache-2.0
#include "study/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "study/mistakes.h"

// A growing list of borrowed texts.
struct texts {
    const char **v;
    size_t n, cap;
};

static void texts_add(struct texts *texts, const char *text)
{
    if (texts->n == texts->cap) {
        texts->cap = texts->cap ? 2 * texts->cap : 32;
        texts->v = mem_realloc(texts->v, texts->cap, sizeof *texts->v);
    }
    texts->v[texts->n++] = text;
}

static int expected(const struct node *node, const struct field *field, struct err *err)
{
    char text[256], found[128];
    schema_expected(field, text, sizeof text);
    return node_fail(node, err, "expected %s, got %s", text, node_found(node, found, sizeof found));
}

// The scalars of a list, lists inside it in turn: a table may be written row by row.
static int collect(const struct node *list, struct texts *texts, const struct field *field,
                   struct err *err)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct node *item = list->items[i];
        if (item->kind == NODE_LIST) {
            if (collect(item, texts, field, err) < 0)
                return -1;
        } else if (item->kind == NODE_MAP || node_is_null(item)) {
            return expected(item, field, err);
        } else {
            texts_add(texts, item->text);
        }
    }
    return 0;
}

static int fill_list(const struct node *node, const struct field *field, void *config,
                     const char *suffix, struct err *err)
{
    struct texts texts = {0};
    int rc = collect(node, &texts, field, err);
    for (size_t i = 0; i < texts.n; i++)
        texts.v[i] = mem_printf("%s%s", texts.v[i], suffix);
    if (rc == 0 && schema_parse_list(field, texts.v, texts.n, config, err) < 0)
        rc = node_prefix(node, err);
    for (size_t i = 0; i < texts.n; i++)
        mem_free((char *)texts.v[i]);
    mem_free(texts.v);
    return rc;
}

// A `sources` map becomes one text, a line per key.
static int fill_sources(const struct node *map, const struct field *field, void *config,
                        struct err *err)
{
    char *text = NULL;
    size_t size = 0;
    int rc = 0;
    FILE *out = open_memstream(&text, &size);
    for (size_t i = 0; i < map->n && rc == 0; i++) {
        if (map->items[i]->kind != NODE_SCALAR)
            rc = node_fail(map->items[i], err, "expected text");
        else
            fprintf(out, "%s: %s\n", map->items[i]->key, map->items[i]->text);
    }
    fclose(out);
    if (rc == 0)
        rc = schema_parse(field, text, config, err);
    free(text);
    return rc;
}

// Texts are names of something, so one that shows nothing is none, unless it is the default.
static bool is_blank(const char *text)
{
    return text[strspn(text, " ")] == '\0';
}

static int fill_one(const struct node *node, const struct field *field, void *config,
                    const char *suffix, struct err *err)
{
    if (field->type == FIELD_REALS && node->kind == NODE_LIST)
        return fill_list(node, field, config, suffix, err);
    if (field->type == FIELD_STRING && node->kind == NODE_MAP && strcmp(field->key, "sources") == 0)
        return fill_sources(node, field, config, err);
    if (node->kind != NODE_SCALAR || node_is_null(node))
        return expected(node, field, err);
    if (field->type == FIELD_STRING && is_blank(node->text) && !(field->dflt && !*field->dflt))
        return expected(node, field, err);
    char *text = mem_printf("%s%s", node->text, suffix);
    int rc = schema_parse(field, text, config, err);
    mem_free(text);
    return rc < 0 ? node_prefix(node, err) : 0;
}

// The row that takes `key`; *suffix is the unit that the key carries, "" without one.
static const struct field *row_of(const char *key, const struct reader_part *parts, size_t n,
                                  const struct reader_part **part, const char **suffix)
{
    *suffix = "";
    for (size_t i = 0; i < n; i++) {
        const struct field *field = schema_find(parts[i].fields, key);
        *part = &parts[i];
        if (field)
            return field;
    }
    for (size_t i = 0; i < n; i++)
        for (const struct field *f = parts[i].fields; f && f->key; f++) {
            const char *unit = unit_of_key(f->type == FIELD_TIME ? UNIT_TIME : f->unit, key);
            size_t base = unit ? (size_t)(unit - key) - 1 : 0;
            if (!unit || strlen(f->key) != base || memcmp(f->key, key, base) != 0)
                continue;
            *part = &parts[i];
            *suffix = unit;
            return f;
        }
    return NULL;
}

static bool is_other(const char *key, const char *const *others)
{
    for (; others && *others; others++)
        if (strcmp(*others, key) == 0)
            return true;
    return false;
}

// How many rows come before `field`, which is one of `part`.
static size_t row_index(const struct reader_part *parts, const struct reader_part *part,
                        const struct field *field)
{
    size_t k = (size_t)(field - part->fields);
    for (const struct reader_part *p = parts; p < part; p++)
        for (const struct field *f = p->fields; f && f->key; f++)
            k++;
    return k;
}

// A key that is meant for another is not missing besides: it counts as seen.
static int unknown_key(const struct node *node, const struct reader_part *parts, size_t n_parts,
                       const char *const *others, bool *seen, struct err *err)
{
    struct texts known = {0};
    for (; others && *others; others++)
        texts_add(&known, *others);
    for (size_t i = 0; i < n_parts; i++)
        for (const struct field *f = parts[i].fields; f && f->key; f++)
            texts_add(&known, f->key);
    const char *near = schema_nearest(node->key, known.v, known.n);
    err_set(err, ERR_STUDY, "unknown key");
    if (near)
        err_append(err, "; did you mean \"%s\"?", near);
    else if (known.n <= 12)
        for (size_t i = 0; i < known.n; i++)
            err_append(err, "%s%s", i ? ", " : "; known keys: ", known.v[i]);
    for (size_t i = 0; near && i < n_parts; i++) {
        const struct field *field = schema_find(parts[i].fields, near);
        if (field)
            seen[row_index(parts, &parts[i], field)] = true;
    }
    mem_free(known.v);
    return node_prefix_at_key(node, err);
}

static int fill_key(const struct node *node, const struct reader_part *parts, size_t n_parts,
                    const struct reader_options *options, bool *seen, struct err *err)
{
    const struct reader_part *part = NULL;
    const char *suffix;
    const struct field *field = row_of(node->key, parts, n_parts, &part, &suffix);
    if (!field)
        return unknown_key(node, parts, n_parts, options->others, seen, err);
    bool *again = &seen[row_index(parts, part, field)];
    if (*again && node_get(node->parent, node->key) != node)
        return 0; // the key itself is there twice, which was said of the document
    if (*again)   // "rate" and "rate_qps"
        return node_fail(node, err, "\"%s\" is given twice", field->key);
    *again = true;
    return fill_one(node, field, part->config, suffix, err);
}

// -1 where one is missing; of a document that collects mistakes, all of them are put aside.
static int check_missing(const struct node *map, const struct reader_part *parts, size_t n_parts,
                         const struct reader_options *options, const bool *seen, struct err *err)
{
    size_t k = 0;
    char text[256];
    int rc = 0, missing = 0;
    for (size_t i = 0; i < n_parts; i++) {
        for (const struct field *f = parts[i].fields; f && f->key && rc == 0; f++, k++) {
            if (seen[k] || f->dflt || is_other(f->key, options->others) ||
                mistakes_misspelt(map, f->key))
                continue;
            schema_expected(f, text, sizeof text);
            missing = node_fail_key(map, f->key, err, "missing; expected %s", text);
            rc = mistakes_keep(map, missing, err);
        }
    }
    return missing;
}

int reader_fill(const struct node *map, const struct node *parent, const struct reader_part *parts,
                size_t n_parts, const struct reader_options *options, struct err *err)
{
    size_t n_rows = 0;
    for (size_t i = 0; i < n_parts; i++)
        for (const struct field *f = parts[i].fields; f && f->key; f++)
            n_rows++;
    bool *seen = mem_calloc(n_rows, sizeof *seen);
    int rc = 0, wrong = 0;
    for (size_t i = 0; map && i < map->n && rc == 0; i++) {
        if (is_other(map->items[i]->key, options->others))
            continue;
        int bad = fill_key(map->items[i], parts, n_parts, options, seen, err);
        rc = mistakes_keep(map->items[i], bad, err);
        wrong |= bad;
    }
    if (rc == 0 && !options->partial)
        wrong |= check_missing(map ? map : parent, parts, n_parts, options, seen, err);
    mem_free(seen);
    return wrong;
}

static int typed(const struct node *map, const char *key, enum node_kind kind, const char *what,
                 const struct node **out, struct err *err)
{
    char found[128];
    *out = NULL;
    const struct node *node = node_get(map, key);
    if (!node || node_is_null(node))
        return 0;
    if (node->kind != kind)
        return node_fail(node, err, "expected %s, got %s", what,
                         node_found(node, found, sizeof found));
    *out = node;
    return 0;
}

int reader_map(const struct node *map, const char *key, const struct node **out, struct err *err)
{
    return typed(map, key, NODE_MAP, "a map", out, err);
}

int reader_list(const struct node *map, const char *key, const struct node **out, struct err *err)
{
    return typed(map, key, NODE_LIST, "a list", out, err);
}

static const char *text_of(const struct node *node, const char *what, bool may_be_blank,
                           struct err *err)
{
    char found[128];
    if (node->kind == NODE_SCALAR && !node_is_null(node) && (may_be_blank || !is_blank(node->text)))
        return node->text;
    node_fail(node, err, "expected %s, got %s", what, node_found(node, found, sizeof found));
    return NULL;
}

const char *reader_text(const struct node *node, const char *what, struct err *err)
{
    return text_of(node, what, false, err);
}

int reader_choose(const struct node *node, const char *what, const char *const *names, size_t n,
                  struct err *err)
{
    const char *text = text_of(node, what, true, err);
    if (!text)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], text) == 0)
            return (int)i;
    err_set(err, ERR_STUDY, "unknown %s \"%.80s\"", what, text);
    const char *near = schema_nearest(text, names, n);
    if (near)
        err_append(err, "; did you mean \"%s\"?", near);
    else
        for (size_t i = 0; i < n; i++)
            err_append(err, "%s%s", i ? ", " : "; expected one of ", names[i]);
    return node_prefix(node, err);
}

bool reader_name(const char *text, size_t i, char *buf, size_t size)
{
    for (; *text && i > 0; i--) {
        text += strcspn(text, ",");
        text += strspn(text, ", ");
    }
    snprintf(buf, size, "%.*s", (int)strcspn(text, ","), text);
    return *text != '\0';
}

static int add_name(char **text, const struct node *node, const struct reader_names *names,
                    struct err *err)
{
    char there[64];
    size_t n = 0;
    while (names->known[n])
        n++;
    int k = reader_choose(node, names->what, names->known, n, err);
    if (k < 0)
        return -1;
    for (size_t i = 0; reader_name(*text, i, there, sizeof there); i++)
        if (strcmp(there, names->known[k]) == 0)
            return node_fail(node, err, "%s %s is there already", names->one, there);
    char *longer = mem_printf("%s%s%s", *text, **text ? ", " : "", names->known[k]);
    mem_free(*text);
    *text = longer;
    return 0;
}

int reader_fill_names(const struct node *map, const struct reader_names *names, char **text,
                      struct err *err)
{
    const struct node *node = node_get(map, names->key);
    if (!node || node_is_null(node))
        return 0;
    if (node->kind == NODE_LIST && node->n == 0)
        return node_fail(node, err, "empty; expected at least one %s", names->one);
    if (node->kind == NODE_MAP)
        return node_fail(node, err, "expected a list of %s, got a map", names->many);
    char *found = mem_strdup("");
    int rc = node->kind == NODE_SCALAR ? add_name(&found, node, names, err) : 0;
    for (size_t i = 0; i < node->n && rc == 0; i++)
        rc = mistakes_keep(node->items[i], add_name(&found, node->items[i], names, err), err);
    rc = mistakes_in(node) ? -1 : rc;
    char *unused = rc == 0 ? *text : found;
    if (rc == 0)
        *text = found;
    mem_free(unused);
    return rc;
}

int reader_prefix(const struct node *map, struct err *err)
{
    if (!err)
        return -1;
    size_t len = strspn(err->text, "abcdefghijklmnopqrstuvwxyz_0123456789");
    if (len == 0 || strncmp(err->text + len, ": ", 2) != 0)
        return node_prefix(map, err);
    char *key = mem_printf("%.*s", (int)len, err->text);
    memmove(err->text, err->text + len + 2, strlen(err->text + len + 2) + 1);
    const struct node *child = node_get(map, key);
    if (child && child->kind == NODE_MAP) {
        reader_prefix(child, err);
    } else if (child) {
        node_prefix(child, err);
    } else {
        char text[ERR_TEXT_MAX / 2];
        snprintf(text, sizeof text, "%.*s", (int)sizeof text - 1, err->text);
        node_fail_key(map, key, err, "%s", text);
    }
    mem_free(key);
    return -1;
}
