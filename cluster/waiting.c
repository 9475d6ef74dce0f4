// SPDX-License-Identifier: Apache-2.0
#include "cluster/waiting.h"

#include <string.h>

#include "base/mem.h"

enum { FIRST_CAP = 8 };

// In order from 0 on, so that a ring twice as large can follow where the old one wrapped.
static void grow(struct waiting *waiting)
{
    uint32_t cap = waiting->cap ? 2 * waiting->cap : FIRST_CAP;
    struct waiting_query *v = mem_alloc(cap * sizeof *v);
    for (uint32_t i = 0; i < waiting->n; i++)
        v[i] = *waiting_at(waiting, i);
    mem_free(waiting->v);
    waiting->v = v;
    waiting->cap = cap;
    waiting->first = 0;
}

void waiting_push(struct waiting *waiting, const struct query *query)
{
    if (waiting->n == waiting->cap)
        grow(waiting);
    *waiting_at(waiting, waiting->n++) =
        (struct waiting_query){.query = *query, .left_items = query->size_items};
    waiting->n_items += query->size_items;
}

void waiting_pop(struct waiting *waiting)
{
    waiting->n_items -= waiting_at(waiting, 0)->left_items;
    waiting->first = (waiting->first + 1) & (waiting->cap - 1);
    waiting->n--;
}

void waiting_release(struct waiting *waiting)
{
    mem_free(waiting->v);
    *waiting = (struct waiting){0};
}

void waiting_save(const struct waiting *waiting, struct blob *blob)
{
    blob_put_u64(blob, waiting->n);
    for (uint32_t i = 0; i < waiting->n; i++)
        blob_put(blob, waiting_at(waiting, i), sizeof *waiting->v);
}

void waiting_load(struct waiting *waiting, struct blob_reader *reader)
{
    uint64_t n = blob_get_u64(reader);
    if (n > blob_left(reader) / sizeof *waiting->v) {
        blob_refuse(reader);
        return;
    }
    for (uint64_t i = 0; i < n; i++) {
        struct waiting_query one;
        blob_get(reader, &one, sizeof one);
        if (one.left_items == 0 || one.left_items > one.query.size_items) {
            blob_refuse(reader);
            return;
        }
        waiting_push(waiting, &one.query);
        *waiting_at(waiting, waiting->n - 1) = one;
        waiting->n_items -= one.query.size_items - one.left_items;
    }
}
