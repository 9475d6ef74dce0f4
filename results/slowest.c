// SPDX-License-Identifier: Apache-2.0
#include "results/slowest.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void forget(struct slowest *slowest)
{
    for (uint32_t i = 0; i < slowest->n_bins; i++)
        slowest->least[i] = (struct query_sample){.latency_ns = -1};
}

struct slowest *slowest_create(uint32_t n_most, uint32_t n_bins)
{
    assert(n_most > 0 && n_bins > 0);
    struct slowest *slowest = mem_calloc(1, sizeof *slowest);
    *slowest = (struct slowest){.n_most = n_most, .n_bins = n_bins};
    slowest->least = mem_calloc(n_bins, sizeof *slowest->least);
    forget(slowest);
    return slowest;
}

void slowest_clear(struct slowest *slowest)
{
    if (!slowest)
        return;
    slowest->n = 0;
    forget(slowest);
}

void slowest_destroy(struct slowest *slowest)
{
    if (!slowest)
        return;
    mem_free(slowest->v);
    mem_free(slowest->least);
    mem_free(slowest);
}

// Negative: a comes first. No two queries have all of this in common.
static int by_slowness(const void *left, const void *right)
{
    const struct query_sample *a = left, *b = right;
    if (a->latency_ns != b->latency_ns)
        return a->latency_ns > b->latency_ns ? -1 : 1;
    if (a->arrive_ns != b->arrive_ns)
        return a->arrive_ns < b->arrive_ns ? -1 : 1;
    if (a->cell != b->cell)
        return a->cell < b->cell ? -1 : 1;
    return (a->seq > b->seq) - (a->seq < b->seq);
}

bool slowest_is_slower(const struct query_sample *a, const struct query_sample *b)
{
    return by_slowness(a, b) < 0;
}

// From the slowest on, bin by bin: once n_most are of bin i or later, none that is faster and of
// bin i or earlier counts. Bins fill up from the first to the last, so `open` is the first one that
// is not full, and n_open how many so far are of it or later.
void slowest_sort(struct slowest *slowest)
{
    uint64_t *n_of = mem_calloc(slowest->n_bins, sizeof *n_of), n_open = 0;
    uint32_t open = 0;
    size_t kept = 0;
    if (slowest->n > 1)
        qsort(slowest->v, slowest->n, sizeof *slowest->v, by_slowness);
    for (size_t i = 0; i < slowest->n && open < slowest->n_bins; i++) {
        const struct query_sample query = slowest->v[i];
        if (query.bin < open)
            continue;
        slowest->v[kept++] = query;
        n_of[query.bin]++;
        n_open++;
        while (open < slowest->n_bins && n_open >= slowest->n_most) {
            slowest->least[open] = query;
            n_open -= n_of[open++];
        }
    }
    slowest->n = kept;
    mem_free(n_of);
}

// Room runs out: what need not be kept goes. There is as much again afterwards, so that a query is
// sorted a few times at most.
static void make_room(struct slowest *slowest)
{
    slowest_sort(slowest);
    size_t cap = 2 * slowest->n + 64;
    if (cap > slowest->cap) {
        slowest->v = mem_realloc(slowest->v, cap, sizeof *slowest->v);
        slowest->cap = cap;
    }
}

void slowest_add(struct slowest *slowest, const struct query_sample *query)
{
    assert(query->bin < slowest->n_bins);
    if (!slowest_wants(slowest, query))
        return;
    if (slowest->n == slowest->cap)
        make_room(slowest);
    slowest->v[slowest->n++] = *query;
}
