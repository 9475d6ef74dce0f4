// SPDX-License-Identifier: Apache-2.0
// completions: what servers tell their balancer: what has ended, and what is lost.
//
// Lists grow as needed and are reused from window to window. Both kinds of entry are plain data and
// travel between ranks as they lie in memory (wire.h).
#ifndef CLUSTER_COMPLETIONS_H
#define CLUSTER_COMPLETIONS_H

#include <stddef.h>
#include <stdint.h>

#include "traces/query.h"

// One query, or some of its requests, ended. 24 bytes.
struct completion {
    int64_t end_ns;  // at the server
    int64_t weight;  // load units that ended
    uint32_t server; // number in its cell
    uint32_t reserved;
};

// A query came to a server that was down, or its server went down before it ended.
struct loss {
    struct query query; // the attempt that was lost
    int64_t at_ns;      // at the server
};

// Starts as {0}; releases what it owns by completions_release().
struct completions {
    struct completion *v;
    size_t n, cap;
    struct loss *lost;
    size_t n_lost, lost_cap;
};

void completions_grow(struct completions *list, size_t n_more);
void completions_lose(struct completions *list, const struct query *query, int64_t at_ns);
void completions_release(struct completions *list);

// Room for n_more in `v`. Windows can be as short as a query, so this is inline.
static inline void completions_reserve(struct completions *list, size_t n_more)
{
    if (list->n + n_more > list->cap)
        completions_grow(list, n_more);
}

// Empty again, room kept.
static inline void completions_clear(struct completions *list)
{
    list->n = list->n_lost = 0;
}

#endif
