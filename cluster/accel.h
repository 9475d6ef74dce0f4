// SPDX-License-Identifier: Apache-2.0
// accel: the accelerators of a block of equal servers.
//
// Whole queries, FCFS, one accelerator per server with `n_streams` queries in computation at a
// time. Without overlap a stream is held for load and computation together. With overlap the
// copies of successive queries pass through one link in order, each into the stream that is free
// first, and a stream is held for the computation alone: a two-stage tandem queue, exact by
// earliest-free times like the core pool (cpu.h).
//
// Stream-time used inside a time bin is accounted exactly: intervals that end after the last fold
// are remembered, so its part beyond a bin's end can be told.
#ifndef CLUSTER_ACCEL_H
#define CLUSTER_ACCEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"

// A stream is held from begin_ns until end_ns.
struct accel_interval {
    int64_t begin_ns, end_ns;
};

// One server beside its streams.
struct accel_server {
    int64_t link_free_ns;        // overlap: when the last copy is through
    struct accel_interval *open; // may still reach beyond the end of the current bin
    size_t n_open, open_cap;
};

// The block. Owns what it points to.
struct accel_pool {
    uint32_t n_servers, n_streams;
    bool overlap;     // copies pass beside computations
    int64_t *streams; // [n_servers][n_streams] earliest free time
    struct accel_server *servers;
};

// One query on its way through.
struct accel_job {
    int64_t start_ns;            // arrival at the server
    int64_t load_ns, compute_ns; // what it takes
    int64_t finish_ns;           // out
    int64_t wait_ns;             // out: for the link and for a stream
    int64_t load_begin_ns;       // out: when loading begins
    int64_t begin_ns;            // out: from when on the stream is held
    uint32_t stream;             // out
};

// All streams free at time 0; accel_pool_release() gives back what it takes.
void accel_pool_init(struct accel_pool *pool, uint32_t n_servers, uint32_t n_streams, bool overlap);
void accel_pool_release(struct accel_pool *pool);

// Runs one query on the stream that is free first; calls for one server must come in order of
// start_ns. Returns the stream-time it holds. accel_assign_to() says which stream.
int64_t accel_assign(struct accel_pool *pool, uint32_t server, struct accel_job *job);
int64_t accel_assign_to(struct accel_pool *pool, uint32_t server, uint32_t stream,
                        struct accel_job *job);

// One server's streams, link and open intervals; accel_load() fills a server that has run nothing.
void accel_save(const struct accel_pool *pool, uint32_t server, struct blob *blob);
void accel_load(struct accel_pool *pool, uint32_t server, struct blob_reader *reader);

// Stream-time held after t_ns by queries assigned so far; *drain_ns: until the first stream is
// free. Forgets what has ended by t_ns, so t_ns must not decrease.
int64_t accel_backlog_ns(struct accel_pool *pool, uint32_t server, int64_t t_ns, int64_t *drain_ns);
// The server goes down at t_ns, when all queries assigned had arrived: drops what link and streams
// would do after that. Returns the stream-time dropped.
int64_t accel_cut(struct accel_pool *pool, uint32_t server, int64_t t_ns);

#endif
