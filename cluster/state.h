// SPDX-License-Identifier: Apache-2.0
// state: a fleet that stands still, as frames of bytes that any layout can take up.
//
// Between two windows, with no message under way, a cell is its balancer (where its queries come
// from, what it knows of its servers) and its servers (when each core and stream will be free, what
// was counted since the last fold). Nothing of this mentions ranks: servers are numbered in their
// cell, and all blocks of a cell are first folded as far as the cell's next arrival allows, so that
// what is left to fold follows from that time alone. Frames made by one layout can therefore be
// taken up by another, and what follows is the same to the last bit.
//
// Kinds of frames: CELL, a balancer; SERVERS, a run of servers of one cell; RECORD, what all ranks
// have measured so far (the rank that takes it up adds it to its own, empty record).
#ifndef CLUSTER_STATE_H
#define CLUSTER_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/err.h"
#include "cluster/balancer.h"
#include "cluster/layout.h"
#include "cluster/server.h"
#include "results/record.h"

// One rank's share of a fleet; all borrowed.
struct run_state {
    const struct layout *layout;
    struct balancer **balancers;                // [cell]; NULL where another rank's
    struct server_block **blocks;               // [part]; likewise
    const struct record *total;                 // to be saved; NULL on all ranks but one
    struct record *record;                      // to be filled; of this rank
    bool keeps_record;                          // this rank takes up the record's frame
    uint32_t next_cell, next_part, next_server; // where making frames has come
    bool record_made;
};

// Not collective. Folds what can be folded; before the first run_state_make().
void run_state_settle(struct run_state *state);

// Not collective. This rank's next frame; false: no more. A ckpt_make_fn, `user` is a struct
// run_state.
bool run_state_make(void *user, struct blob *frame);

// Not collective. Puts what concerns this rank's cells and servers into them, which have simulated
// nothing yet. A ckpt_take_fn, `user` is a struct run_state.
int run_state_take(void *user, struct blob_reader *frame, struct err *err);

#endif
