// SPDX-License-Identifier: Apache-2.0
// source: arrivals + sizes + service mix -> the queries of one cell, in arrival order.
//
// A cell's stream is the merge of one stream per service (ties: lower service index first). Every
// draw is keyed by (seed, purpose, (cell, service), index), so a stream depends on the study alone:
// two studies that differ in policy, servers or ranks see the very same queries.
//
// Cell c carries share_num / share_den of every service's rate (its share of the servers). A replay
// deals its records to the cells instead: each record goes to exactly one of them (replay.h).
#ifndef TRACES_SOURCE_H
#define TRACES_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/err.h"
#include "traces/query.h"
#include "traces/trace.h"
#include "traces/traffic.h"

struct source;

struct source_config {
    const struct service_traffic *services; // borrowed until source_destroy
    uint32_t n_services;
    uint64_t seed;
    uint32_t cell;                 // which cell's stream
    uint32_t n_cells;              // of the fleet
    uint64_t share_num, share_den; // this cell's share of the rates
    uint64_t share_first;          // sum of share_num over the cells before this one
    int64_t end_ns;                // no query at or after this time
    double sample_frac;            // probability that a query carries QUERY_SAMPLED
    // Size tables by service, borrowed until source_destroy: make them once and share them among
    // cells. NULL, or NULL for a service: made here from services[].sizes.
    const struct qsize *const *sizes;
    uint32_t n_block; // queries made ahead, at most 512 (0: 512); results do not depend on it
};

// 1 <= n_services <= 65535. NULL on error; the text begins "services[2].arrivals: cv: ..." or
// "services[2].sizes: sigma: ...". A replay's trace is best loaded before (arrival_load), once
// for all cells; else each source reads its own. No query is larger than its service's
// sizes.max_items: a replayed trace that has one is refused.
struct source *source_create(const struct source_config *config, struct err *err);
void source_destroy(struct source *source); // NULL: no effect

// The latter alone, for who wants to say it early: sizes of the trace above the service's cap would
// be unknown to whoever made tables up to it. The text begins "max_items: ".
int source_check_sizes(const struct service_traffic *traffic, const struct trace *trace,
                       struct err *err);

// The next queries that arrive before until_ns: returns a pointer to *n >= 0 of them (at most
// `max`), in order, valid and writable until the next call of source_next; they are consumed.
// *n == 0: none before until_ns (or the stream has ended). Fewer than `max` does not mean that
// there are no more: ask again until *n == 0. until_ns must not decrease between calls.
struct query *source_next(struct source *source, int64_t until_ns, size_t max, size_t *n);

// Where the stream is: a few counters, about a hundred bytes a service. source_load() puts a source
// that was made from the same config and has handed out nothing there; n_block may differ. After
// it the source hands out the very queries that the saved one would have. It reads what was saved
// and no more; what it cannot go on from is "damaged state" (blob.h), and the source is then good
// for source_destroy only.
void source_save(const struct source *source, struct blob *blob);
int source_load(struct source *source, struct blob_reader *reader, struct err *err);

// Arrival time of the next query without consuming it; SIMTIME_NEVER when the stream has ended.
int64_t source_peek_ns(struct source *source);

#endif
