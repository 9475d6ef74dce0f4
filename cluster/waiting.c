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
    waiting->places = mem_realloc(waiting->places, cap, sizeof *waiting->places);
    for (uint32_t i = 0; i < cap; i++)
        waiting->places[i] = i;
    waiting->cap = cap;
    waiting->first = 0;
}

// What lies in the first room after the last query gets a key, and passes all that have a larger
// one.
static void place_last(struct waiting *waiting, int64_t key)
{
    uint32_t i = waiting->n++, mask = waiting->cap - 1, first = waiting->first;
    uint32_t place = waiting->places[(first + i) & mask];
    for (; i > 0 && waiting_at(waiting, i - 1)->key > key; i--)
        waiting->places[(first + i) & mask] = waiting->places[(first + i - 1) & mask];
    waiting->places[(first + i) & mask] = place;
    waiting->v[place].key = key;
}

void waiting_push(struct waiting *waiting, const struct query *query, int64_t key)
{
    if (waiting->n == waiting->cap)
        grow(waiting);
    *waiting_at(waiting, waiting->n) =
        (struct waiting_query){.query = *query, .left_items = query->size_items};
    waiting->n_items += query->size_items;
    place_last(waiting, key);
}

// The next query lies where this one did, which is in the cache.
void waiting_pop(struct waiting *waiting)
{
    uint32_t mask = waiting->cap - 1, end = (waiting->first + waiting->n) & mask;
    uint32_t *first = &waiting->places[waiting->first], place = *first;
    waiting->n_items -= waiting_at(waiting, 0)->left_items;
    *first = waiting->places[end]; // full: the same
    waiting->places[end] = place;
    waiting->first = (waiting->first + 1) & mask;
    waiting->n--;
}

void waiting_defer(struct waiting *waiting, int64_t key)
{
    uint32_t mask = waiting->cap - 1, end = (waiting->first + waiting->n) & mask;
    uint32_t place = waiting->places[waiting->first];
    waiting->places[waiting->first] = waiting->places[end]; // the room there, or, full, the same
    waiting->places[end] = place;
    waiting->first = (waiting->first + 1) & mask;
    waiting->n--;
    place_last(waiting, key);
}

void waiting_release(struct waiting *waiting)
{
    mem_free(waiting->v);
    mem_free(waiting->places);
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
        bool falls = i > 0 && one.key < waiting_at(waiting, waiting->n - 1)->key;
        if (one.left_items == 0 || one.left_items > one.query.size_items || falls) {
            blob_refuse(reader);
            return;
        }
        waiting_push(waiting, &one.query, one.key);
        *waiting_at(waiting, waiting->n - 1) = one;
        waiting->n_items -= one.query.size_items - one.left_items;
    }
}
