// SPDX-License-Identifier: Apache-2.0
// arrivals: what one balancer has to route: its own traffic, that of cells which are out, and
// retries.
//
// Without outages this is the cell's source (traces/source.h) and nothing else. Otherwise it
// merges, by time at the balancer and then by `seq`,
//
//   own       the cell's stream, but for what goes elsewhere while the whole cell is out
//   guests    the streams of other cells while they are out: each of their queries goes to one cell
//             in service, drawn by the cells' servers, keyed (seed, RNG_FAILOVER, its cell, its
//             number). Every cell makes the streams of the others that can ever be out and keeps
//             its own share, so nothing is sent and no query is taken twice or forgotten.
//   retries   queries that a server lost, ready for their next attempt
//
// When all cells are out, a cell keeps its own traffic.
#ifndef CLUSTER_ARRIVALS_H
#define CLUSTER_ARRIVALS_H

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/err.h"
#include "cluster/config.h"
#include "cluster/layout.h"
#include "traces/qsize.h"
#include "traces/query.h"

struct arrivals;

struct arrivals_setup {
    const struct fleet_config *fleet;
    const struct layout *layout;
    const struct qsize *const *sizes; // [service]
    uint32_t cell;
    uint64_t *n_generated; // [n_services] counts of queries taken in, of the record; added to
};

// Everything in *setup is borrowed until arrivals_destroy(). Fails when the traffic does.
struct arrivals *arrivals_create(const struct arrivals_setup *setup, struct err *err);
void arrivals_destroy(struct arrivals *arrivals); // NULL: no effect

// Time at the balancer of the next query; SIMTIME_NEVER when there is none and no retry waits.
int64_t arrivals_peek_ns(struct arrivals *arrivals);

// The next queries before until_ns, at most `max`, as source_next() gives them: a run that one call
// of policy_route() may take, so their numbers follow one another. *n == 0: none before until_ns.
struct query *arrivals_next(struct arrivals *arrivals, int64_t until_ns, size_t max, size_t *n);

// The next attempt of a lost query (retry.h): no earlier than what arrivals_next() has been asked
// for. At or after the end of the run: none.
void arrivals_retry(struct arrivals *arrivals, const struct query *query);

// As for a source: into an arrivals of the same setup that has handed out nothing.
void arrivals_save(const struct arrivals *arrivals, struct blob *blob);
int arrivals_load(struct arrivals *arrivals, struct blob_reader *reader, struct err *err);

#endif
