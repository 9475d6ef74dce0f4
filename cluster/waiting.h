// SPDX-License-Identifier: Apache-2.0
// waiting: the queries of one service that wait at one server, by a key, those of one key first
// come first served.
//
// A ring that grows by doubling and never shrinks. What moves in it is where a query lies, 4 bytes:
// with one key a push is at the end, with others it passes all larger ones, so it costs as much as
// wait behind it. A query leaves in pieces, first query first; it stays until its last piece has
// left and remembers what became of the one that ends last.
//
//     waiting_push(&waiting, &query, 0);
//     struct waiting_query *first = waiting_at(&waiting, 0);
//     first->left_items -= 25;
//     waiting.n_items -= 25;
//     if (first->left_items == 0) waiting_pop(&waiting);
//
// Invariants: 1 <= left_items <= size_items of every query; n_items is their sum; keys never fall.
#ifndef CLUSTER_WAITING_H
#define CLUSTER_WAITING_H

#include <stdint.h>

#include "base/blob.h"
#include "traces/query.h"

// 88 bytes.
struct waiting_query {
    struct query query;
    uint32_t left_items; // no core and no accelerator has taken them
    uint32_t n_requests; // that began with a piece of this query
    int64_t finish_ns;   // of the piece that ends last; 0: none has begun
    int64_t wait_ns;     // how long that one waited
    int64_t begin_ns;    // of its first piece
    uint32_t first_unit; // core or stream of its first piece, of the one that ends last, and how
    uint32_t last_unit;  // many queries shared the request of that one
    uint32_t n_batch;
    uint32_t n_pieces; // that have begun
    int64_t key;
};

// Starts as {0}; released by waiting_release().
struct waiting {
    struct waiting_query *v;
    uint32_t *places;       // [cap] a permutation: from `first` on where the queries lie, then room
    uint32_t first, n, cap; // cap is a power of two, or 0
    uint64_t n_items;
};

void waiting_push(struct waiting *waiting, const struct query *query, int64_t key);
void waiting_pop(struct waiting *waiting);                // the first
void waiting_defer(struct waiting *waiting, int64_t key); // the first gets a key not below its own
void waiting_release(struct waiting *waiting);

// The i-th; valid until the next push.
static inline struct waiting_query *waiting_at(const struct waiting *waiting, uint32_t i)
{
    return &waiting->v[waiting->places[(waiting->first + i) & (waiting->cap - 1)]];
}

// All of it as bytes; loading fills an empty one and refuses what breaks the invariants.
void waiting_save(const struct waiting *waiting, struct blob *blob);
void waiting_load(struct waiting *waiting, struct blob_reader *reader);

#endif
