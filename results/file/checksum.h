// SPDX-License-Identifier: Apache-2.0
// checksum: the hash of everything that recfleet keeps in a file, and the trailer of a results
// file.
//
// HDF5 checks its own metadata and our data chunks, but reading a damaged file through it has
// crashed programs before. So a finished results file gets 24 bytes appended behind what HDF5 calls
// its end, where every HDF5 reader ignores them: "rfseal02", the number of bytes before it and
// their hash, both little-endian. A reader checks them before it lets HDF5 look. A file that
// another tool has rewritten has no trailer and is read without this protection. Checkpoints and
// memos carry their hashes piece by piece (frames.h).
//
// The hash is XXH3 of 64 bits: it finds accidents, it is no defence against an attacker.
#ifndef RESULTS_FILE_CHECKSUM_H
#define RESULTS_FILE_CHECKSUM_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

uint64_t checksum_bytes(const void *bytes, uint64_t n);

// The hash of the next n bytes of `file`, which may be more than memory holds. -1, with errno or 0
// in errno when the file is shorter.
int checksum_stream(FILE *file, uint64_t n, uint64_t *hash);

// Opens a regular file for reading, and never waits for another kind; *n_bytes: its size. NULL with
// *err, which begins with `name` and is ERR_STUDY when there is no such file, or `path` is not one.
FILE *checksum_open(const char *path, const char *name, uint64_t *n_bytes, struct err *err);

enum checksum_state { CHECKSUM_ABSENT, CHECKSUM_WHOLE, CHECKSUM_BROKEN };

// What to write behind a file of these n bytes.
#define CHECKSUM_TRAILER_BYTES 24
void checksum_trailer(const void *bytes, uint64_t n, unsigned char trailer[CHECKSUM_TRAILER_BYTES]);

// 0 and *state, or -1 (ERR_FAIL) when the file cannot be read.
int checksum_check(const char *path, enum checksum_state *state, struct err *err);

#endif
