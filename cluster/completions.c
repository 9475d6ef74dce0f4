// SPDX-License-Identifier: Apache-2.0
#include "cluster/completions.h"

#include "base/mem.h"

void completions_grow(struct completions *list, size_t n_more)
{
    list->cap = 2 * (list->n + n_more);
    list->v = mem_realloc(list->v, list->cap, sizeof *list->v);
}

void completions_lose(struct completions *list, const struct query *query, int64_t at_ns)
{
    if (list->n_lost == list->lost_cap) {
        list->lost_cap = list->lost_cap ? 2 * list->lost_cap : 64;
        list->lost = mem_realloc(list->lost, list->lost_cap, sizeof *list->lost);
    }
    list->lost[list->n_lost++] = (struct loss){*query, at_ns};
}

void completions_release(struct completions *list)
{
    mem_free(list->v);
    mem_free(list->lost);
    *list = (struct completions){0};
}
