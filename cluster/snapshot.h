// SPDX-License-Identifier: Apache-2.0
// snapshot: a fleet that stands still, as frames of bytes that any layout can take up.
//
// Between two windows, with no message under way, a cell is its balancer (where its queries come
// from, what it knows of its servers) and its servers (when each core and stream will be free, what
// was counted since the last fold). Nothing of this mentions ranks: servers are numbered in their
// cell, and all blocks of a cell are first folded as far as the cell's next arrival allows, so that
// what is left to fold follows from that time alone. Frames made by one layout can therefore be
// taken up by another, and what follows is the same to the last bit.
//
// A frame is a run of items, each with its kind and length: a cell's balancer; a run of servers of
// one cell; what all ranks have measured so far, which one rank adds to its own, empty record.
#ifndef CLUSTER_SNAPSHOT_H
#define CLUSTER_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/err.h"
#include "cluster/balancer.h"
#include "cluster/layout.h"
#include "cluster/server.h"
#include "results/record.h"

// A frame is no longer than this and one item more.
#define SNAPSHOT_FRAME_BYTES (UINT64_C(4) << 20)

// One rank's share of a fleet; all borrowed.
struct snapshot {
    const struct layout *layout;
    struct balancer **balancers;  // [cell]; NULL where another rank's
    struct server_block **blocks; // [part]; likewise
    const int64_t *next_ns;       // [cell] balancer_next_ns() of every cell; to be saved
    const struct record *total;   // to be saved; NULL on all ranks but one
    struct record *record;        // to be filled by the one rank that takes it up; NULL: not this
    // What this rank's part of the run has cost since it began or resumed; for whoever keeps
    // accounts, not part of any frame.
    uint64_t n_windows, bytes_sent;
    // Where making frames has come.
    uint32_t next_cell, next_part, next_server;
    bool record_made;
    // What taking them has seen.
    uint64_t n_cells_taken, n_servers_taken, n_records_taken;
};

// Folds what can be folded in all blocks; before the first snapshot_make().
void snapshot_settle(const struct snapshot *state);

// This rank's next frame into the empty *frame; false: no more. A checkpoint_make_fn, `user` is a
// struct snapshot.
bool snapshot_make(void *user, struct blob *frame);

// Puts what concerns this rank's cells and servers into them, which have simulated nothing yet. A
// checkpoint_take_fn, `user` is a struct snapshot.
int snapshot_take(void *user, struct blob_reader *frame, struct err *err);

// After the last frame: were all cells and servers and one record among them?
int snapshot_taken(const struct snapshot *state, struct err *err);

#endif
