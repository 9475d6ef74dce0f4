// SPDX-License-Identifier: Apache-2.0
// intake: what one balancer has to route: its own traffic, that of cells which are out, and
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
#ifndef CLUSTER_INTAKE_H
#define CLUSTER_INTAKE_H

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/err.h"
#include "cluster/config.h"
#include "cluster/layout.h"
#include "traces/qsize.h"
#include "traces/query.h"

struct intake;

struct intake_setup {
    const struct fleet_config *fleet;
    const struct layout *layout;
    const struct qsize *const *sizes; // [service]
    uint32_t cell;
    uint64_t *n_generated; // [n_services] counts of queries taken in, of the record; added to
};

// Everything in *setup is borrowed until intake_destroy(). Fails when the traffic does.
struct intake *intake_create(const struct intake_setup *setup, struct err *err);
void intake_destroy(struct intake *intake); // NULL: no effect

// Time at the balancer of the next query; SIMTIME_NEVER when there is none and no retry waits.
int64_t intake_peek_ns(struct intake *intake);

// The next queries before until_ns, at most `max`, as source_next() gives them: a run that one call
// of policy_route() may take, so their numbers follow one another. *n == 0: none before until_ns.
struct query *intake_next(struct intake *intake, int64_t until_ns, size_t max, size_t *n);

// The next attempt of a lost query (retry.h): no earlier than what intake_next() has been asked
// for. At or after the end of the run: none.
void intake_retry(struct intake *intake, const struct query *query);

// As for a source: into an intake of the same setup that has handed out nothing.
void intake_save(const struct intake *intake, struct blob *blob);
int intake_load(struct intake *intake, struct blob_reader *reader, struct err *err);

#endif
