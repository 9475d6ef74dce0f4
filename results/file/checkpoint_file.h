// SPDX-License-Identifier: Apache-2.0
// checkpoint_file: the bytes of a checkpoint, written and checked by one process.
//
// checkpoint.h says what a checkpoint is for and gets the frames from and to the ranks; here is the
// file alone, without MPI. All numbers lie as in memory; a mark says which order of bytes that is.
//
//     head   8 bytes "rfckpt\x1a\n", mark u32, format version u32, the members of struct
//     checkpoint_head
//            in their order, hash u64 of all that
//     frame  length u64, hash u64 of the bytes, the bytes; any number of these, at least one
//     end    2^64 - 1 as the length, number of frames u64, hash u64 of the head's and all frames'
//            lengths and hashes
//
// Hashes are XXH3 of 64 bits: they find accidents, they are no defence against an attacker. A
// reader believes nothing before its hash was seen to be right, and allocates nothing by a length
// it has only read: a file is first looked through in pieces of a megabyte.
//
//     struct checkpoint_file_out *out = checkpoint_file_create("x.ckpt", &head, &err);
//     checkpoint_file_put(out, bytes, n, checkpoint_file_hash(bytes, n), &err);
//     checkpoint_file_finish(out, &n_bytes, &err);      // or checkpoint_file_abandon(out)
#ifndef RESULTS_FILE_CHECKPOINT_FILE_H
#define RESULTS_FILE_CHECKPOINT_FILE_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

// Longest frame; makers of frames cut their state at about a fourth of it.
#define CHECKPOINT_MAX_FRAME_BYTES (UINT64_C(1) << 30)
#define CHECKPOINT_FORMAT_VERSION 1u

// Who wrote it and how far it was. Texts are cut to fit, and end with a 0.
struct checkpoint_head {
    char program[64];   // version and revision: only the same program goes on
    char study[40];     // digest of all that decides the result
    char name[128];     // of the study, for people
    int64_t reached_ns; // simulated time behind it, of end_ns
    int64_t end_ns;
    uint64_t n_restarts; // how often the run had been resumed before
    double wall_s;       // of all its parts so far
};

// XXH3, 64 bits.
uint64_t checkpoint_file_hash(const void *bytes, uint64_t n);

// A checkpoint under way to its name.
struct checkpoint_file_out;

// Opens a temporary file beside `path` and writes the head. While it is open a limit on the length
// of files (SIGXFSZ) is an error like a full disk. NULL with *err: nothing was changed.
struct checkpoint_file_out *
checkpoint_file_create(const char *path, const struct checkpoint_head *head, struct err *err);
// One frame with its hash.
int checkpoint_file_put(struct checkpoint_file_out *out, const void *bytes, uint64_t n,
                        uint64_t hash, struct err *err);
// Writes the end, syncs, keeps the file that had the name as PATH.previous and gives the name.
// *n_bytes: the file's size. Releases `out` in any case; after an error the file that had the name
// still has it and nothing is left behind.
int checkpoint_file_finish(struct checkpoint_file_out *out, uint64_t *n_bytes, struct err *err);
// Removes what was written. NULL: no effect.
void checkpoint_file_abandon(struct checkpoint_file_out *out);

// A checkpoint being read. An open struct that starts as {0} but for `name` and `size`.
struct checkpoint_file_in {
    FILE *file;
    const char *name;           // for messages; borrowed
    uint64_t size;              // of the file; nothing behind it is believed
    uint64_t at;                // where the reader is
    uint64_t n_frames;          // seen so far
    uint64_t chain, head_chain; // hash over all that was seen, and over the head
};

// Opens a regular file for reading; checkpoint_file_close() closes it. `path` is borrowed until
// then.
int checkpoint_file_open(struct checkpoint_file_in *in, const char *path, struct err *err);
void checkpoint_file_close(struct checkpoint_file_in *in);

// May a checkpoint replace what has that name? Only nothing, an empty file, or one that begins as a
// checkpoint does, however damaged. ERR_STUDY when it is somebody else's.
int checkpoint_file_replaceable(const char *path, struct err *err);

// Reads and checks the head, from the start of the file. *head is filled only on success.
int checkpoint_file_head(struct checkpoint_file_in *in, struct checkpoint_head *head,
                         struct err *err);
// Checks all that stands behind the head, and that nothing stands behind the end. Then goes back to
// the first frame.
int checkpoint_file_check(struct checkpoint_file_in *in, struct err *err);
// Where the next frame's bytes start in a file that was checked: 1 with *n_bytes and *hash, 0 when
// there is none left, -1 with *err.
int checkpoint_file_next(struct checkpoint_file_in *in, uint64_t *n_bytes, uint64_t *hash,
                         struct err *err);
// The bytes of the frame that checkpoint_file_next() announced; checked once more.
int checkpoint_file_get(struct checkpoint_file_in *in, void *bytes, uint64_t n_bytes, uint64_t hash,
                        struct err *err);

// Does a checkpoint with that head belong to the run that `expected` describes? ERR_STUDY with the
// reason when not.
int checkpoint_file_fits(const char *name, const struct checkpoint_head *head,
                         const struct checkpoint_head *expected, struct err *err);

#endif
