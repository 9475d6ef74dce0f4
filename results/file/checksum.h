// SPDX-License-Identifier: Apache-2.0
// checksum: a checksum behind the end of a result file.
//
// HDF5 checks its own metadata and our data chunks, but reading a damaged file through it has
// crashed programs before. So a finished file gets 24 bytes appended behind what HDF5 calls its
// end, where every HDF5 reader ignores them: "rfseal01", the number of bytes before it and their
// hash, both little-endian. A reader checks them before it lets HDF5 look. A file that another tool
// has rewritten has no seal and is read without this protection.
//
// The hash is FNV-1a over 64-bit words: it finds accidents, it is no defence against an attacker.
#ifndef RESULTS_FILE_CHECKSUM_H
#define RESULTS_FILE_CHECKSUM_H

#include "base/err.h"

enum checksum_state { CHECKSUM_ABSENT, CHECKSUM_WHOLE, CHECKSUM_BROKEN };

// Appends the seal to the file and makes both durable (fsync).
int checksum_append(const char *path, struct err *err);

// 0 and *state, or -1 when the file cannot be read.
int checksum_check(const char *path, enum checksum_state *state, struct err *err);

#endif
