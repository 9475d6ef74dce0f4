// SPDX-License-Identifier: Apache-2.0
#include "study/mistakes.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

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
    return false;
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
    list->n = 0;
}
