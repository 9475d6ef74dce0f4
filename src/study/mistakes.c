// SPDX-License-Identifier: Apache-2.0
#include "study/mistakes.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/schema.h"

static bool is_inside(const struct node *inner, const struct node *outer)
{
    while (inner && inner != outer)
        inner = inner->parent;
    return inner != NULL;
}

bool mistakes_in(const struct node *node)
{
    const struct mistakes *list = node ? node_root(node)->mistakes : NULL;
    for (size_t i = 0; list && i < list->n; i++)
        if (is_inside(list->v[i].at, node))
            return true;
    for (size_t i = 0; list && i < list->n_follows; i++)
        if (is_inside(list->follows[i], node))
            return true;
    return false;
}

static bool is_wrong(const struct node *node)
{
    const struct mistakes *list = node_root(node)->mistakes;
    for (size_t i = 0; list && i < list->n; i++)
        if (list->v[i].at == node)
            return true;
    return false;
}

// Such a key, NULL: none.
static const struct node *misspelt(const struct node *map, const char *key)
{
    for (size_t i = 0; map && i < map->n; i++)
        if (is_wrong(map->items[i]) && strcmp(map->items[i]->key, key) != 0 &&
            schema_nearest(map->items[i]->key, &key, 1))
            return map->items[i];
    return NULL;
}

bool mistakes_misspelt(const struct node *map, const char *key)
{
    return !node_get(map, key) && misspelt(map, key);
}

bool mistakes_in_key(const struct node *map, const char *key)
{
    return mistakes_in(node_get(map, key)) || mistakes_misspelt(map, key);
}

// Is there an entry of that name, or one that does not say its own?
static bool may_define(const struct node *section, const char *name)
{
    bool may = section->kind != NODE_LIST;
    for (size_t i = 0; !may && i < section->n; i++) {
        const struct node *own = node_get(section->items[i], "name");
        may = !own || own->kind != NODE_SCALAR || strcmp(own->text, name) == 0;
    }
    return may;
}

int mistakes_unknown(const struct node *node, const char *section, struct err *err)
{
    const struct node *root = node_root(node), *at = node_get(root, section);
    struct mistakes *list = root->mistakes;
    if (!at)
        at = misspelt(root, section);
    if (node->kind != NODE_SCALAR || !mistakes_in(at) || !may_define(at, node->text) ||
        list->n_follows == MISTAKES_MAX)
        return node_prefix(node, err);
    list->follows[list->n_follows++] = node;
    err_clear(err);
    return -1;
}

// The first ":12:34: " of a message is where it is.
static void find_position(struct mistake *mistake)
{
    for (const char *p = strchr(mistake->text, ':'); p; p = strchr(p + 1, ':')) {
        char *end, *last;
        long line = isdigit((unsigned char)p[1]) ? strtol(p + 1, &end, 10) : 0;
        if (line <= 0 || *end != ':' || !isdigit((unsigned char)end[1]))
            continue;
        long column = strtol(end + 1, &last, 10);
        if (strncmp(last, ": ", 2) != 0)
            continue;
        mistake->line = (int)line;
        mistake->column = (int)column;
        return;
    }
}

int mistakes_add(struct mistakes *list, const struct node *at, const char *text)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->v[i].text, text) == 0)
            return 0;
    if (list->n == MISTAKES_MAX)
        return -1;
    struct mistake *mistake = &list->v[list->n++];
    *mistake = (struct mistake){.at = at, .text = mem_strdup(text)};
    find_position(mistake);
    return 0;
}

int mistakes_keep(const struct node *at, int rc, struct err *err)
{
    struct mistakes *list = rc < 0 && err ? node_root(at)->mistakes : NULL;
    if (!list)
        return rc;
    bool again = at->kind == NODE_SCALAR && mistakes_in(at);
    if (err->code != ERR_NONE && !again && mistakes_add(list, at, err->text) < 0)
        return -1;
    err_clear(err);
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct mistake *x = a, *y = b;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (x->column != y->column)
        return x->column < y->column ? -1 : 1;
    return strcmp(x->text, y->text);
}

void mistakes_sort(struct mistakes *list)
{
    qsort(list->v, list->n, sizeof *list->v, compare);
}

void mistakes_release(struct mistakes *list)
{
    for (size_t i = 0; i < list->n; i++)
        mem_free(list->v[i].text);
    list->n = list->n_follows = 0;
}
