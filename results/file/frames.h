// SPDX-License-Identifier: Apache-2.0
// frames: bytes in pieces, each with its checksum, behind a head that says what they belong to.
//
// The framing of checkpoints and memos, one kind of file per struct frames_kind. All numbers lie as
// in memory; a mark says which order of bytes that is.
//
//     head   8 bytes of magic, mark u32, version of the format u32, the kind's own bytes, hash u64
//            of all that
//     frame  length u64, hash u64 of the bytes, the bytes; any number of these
//     end    2^64 - 1 as the length, number of frames u64, hash u64 of the head's and all frames'
//            lengths and hashes
//
// A checkpoint has an end, so that one that was cut, extended or changed anywhere is refused. A
// memo, to which answers are appended as they come, has none: what follows its last whole frame is
// lost. Hashes are those of checksum.h. A reader believes nothing before its hash was seen to be
// right, and allocates nothing by a length it has only read.
//
//     struct frames_out out = {.kind = &kind, .name = path, .fd = fd};
//     frames_begin(&out, own, &err);
//     frames_put(&out, bytes, n, checksum_bytes(bytes, n), &err);
//     frames_end(&out, &err);
#ifndef RESULTS_FILE_FRAMES_H
#define RESULTS_FILE_FRAMES_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

// Longest frame; makers of frames cut their state at about a fourth of it.
#define FRAMES_MAX_BYTES (UINT64_C(1) << 30)
// All that is before the first frame.
#define FRAMES_HEAD_BYTES(n_own) (24u + (n_own))

struct frames_kind {
    const char *what; // "checkpoint", for messages
    char magic[8];
    uint32_t version;
    uint32_t n_own; // bytes of the head that are the kind's own
};

// Frames on their way into an open file.
struct frames_out {
    const struct frames_kind *kind;
    const char *name; // for messages; borrowed
    int fd;
    uint64_t n_bytes, n_frames, chain; // so far
};

// Writes the head. own[kind->n_own].
int frames_begin(struct frames_out *out, const void *own, struct err *err);
// One frame with its hash.
int frames_put(struct frames_out *out, const void *bytes, uint64_t n, uint64_t hash,
               struct err *err);
// Writes the end.
int frames_end(struct frames_out *out, struct err *err);

// Frames being read. An open struct that starts as {0} but for `file`, `kind`, `name` and `size`.
struct frames_in {
    FILE *file;
    const struct frames_kind *kind;
    const char *name;           // for messages; borrowed
    uint64_t size;              // of the file; nothing behind it is believed
    uint64_t at;                // where the reader is
    uint64_t n_frames;          // seen so far
    uint64_t chain, head_chain; // hash over all that was seen, and over the head
};

// Opens a regular file for reading; frames_close() closes it. `path` is borrowed until then.
int frames_open(struct frames_in *in, const struct frames_kind *kind, const char *path,
                struct err *err);
void frames_close(struct frames_in *in);

// May a file of that kind replace what is at `path`? Only nothing, an empty file, or one that
// begins as a file of the kind does, however damaged. ERR_STUDY when it is somebody else's.
int frames_replaceable(const struct frames_kind *kind, const char *path, struct err *err);

// Reads and checks the head, from the start of the file. own[kind->n_own] is filled only on
// success. A file of another kind, version or order of bytes is ERR_STUDY.
int frames_head(struct frames_in *in, void *own, struct err *err);
// Checks all that is behind the head, and that nothing is behind the end. Then goes back to the
// first frame.
int frames_check(struct frames_in *in, struct err *err);
// Where the next frame's bytes start: 1 with *n_bytes and *hash, 0 at a good end, -1 with *err.
int frames_next(struct frames_in *in, uint64_t *n_bytes, uint64_t *hash, struct err *err);
// The bytes of the frame that frames_next() announced, if their hash is right.
int frames_get(struct frames_in *in, void *bytes, uint64_t n_bytes, uint64_t hash, struct err *err);

#endif
