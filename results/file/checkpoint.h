// SPDX-License-Identifier: Apache-2.0
// checkpoint: a checkpoint, the state of a run in one file. [M]
//
// The file is a head and then frames, each a run of bytes that it does not look into
// (cluster/snapshot.h does). Any rank may have made a frame and any rank may want it, so a
// checkpoint can be read on another number of ranks than wrote it.
//
// Rank 0 alone touches the file: the others send it their frames one by one and get them the same
// way. That is one stream, as fast as a disk, needs no more memory than a frame or two, works on
// any file system, and leaves no question which process saw which bytes.
//
// What is promised:
//   - Written under a temporary name, checked against a full disk, fsynced, renamed; the folder is
//     fsynced. The file that had the name before is kept as PATH.previous. At every moment at least
//     one of the two is whole, once one was.
//   - Every frame and the head carry a checksum, and the end says how many there were, so a file
//     that was cut, extended or changed anywhere is refused with the reason.
//   - The head says which study and which program it belongs to; another's is refused.
//
// durable.h says whether there is one (durable_exists) and removes it (durable_remove).
//
//     checkpoint_write(comm, "x.ckpt", &head, next_frame, state, &err);
//     checkpoint_read(comm, "x.ckpt", &expected, &found, take_frame, state, &err);
#ifndef RESULTS_FILE_CHECKPOINT_H
#define RESULTS_FILE_CHECKPOINT_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/err.h"
#include "results/file/checkpoint_file.h" // struct checkpoint_head, FRAMES_MAX_BYTES

// The rank's next frame into the empty *frame; false: no more.
typedef bool (*checkpoint_make_fn)(void *user, struct blob *frame);
// One frame of the file; called on every rank with every frame, in the file's order. -1 with *err:
// the frame is not what it should be. May be called only on success of everything before.
typedef int (*checkpoint_take_fn)(void *user, struct blob_reader *frame, struct err *err);

// Collective (comm). Logically collective: path. `head` is looked at on rank 0. Writes the
// checkpoint; fails alike on all ranks, and then what was there before is untouched. *n_bytes
// (NULL: not wanted): the file's size, on every rank.
int checkpoint_write(MPI_Comm comm, const char *path, const struct checkpoint_head *head,
                     checkpoint_make_fn make, void *user, uint64_t *n_bytes, struct err *err);

// Collective (comm). Logically collective: path and expected. Looks the whole file through before
// the first frame is handed out. A file of another study or program, or one that is damaged, is an
// error with the reason; when PATH.previous would do, the error says so and how far that one is.
// *found: the file's head, on every rank.
int checkpoint_read(MPI_Comm comm, const char *path, const struct checkpoint_head *expected,
                    struct checkpoint_head *found, checkpoint_take_fn take, void *user,
                    struct err *err);

// Not collective. Can a checkpoint be written there, and is what it and its .previous would replace
// a checkpoint? Leaves nothing behind. ERR_STUDY with the reason.
int checkpoint_check(const char *path, struct err *err);

// Not collective. Reads and checks the whole file on this process alone; *head is filled as far as
// it can be trusted.
int checkpoint_inspect(const char *path, struct checkpoint_head *head, struct err *err);

#endif
