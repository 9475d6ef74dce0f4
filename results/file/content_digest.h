// SPDX-License-Identifier: Apache-2.0
// content_digest: one number for what a results file says, whatever its bytes are.
//
// Two files with the same digest hold the same answer. It is made of logical values, not of HDF5's
// bytes, so it is the same for every version of HDF5, however the file was laid out, compressed or
// repacked. What counts, as items in any order:
//
//     every variable outside /run: its path, type, lengths of its axes and values
//     every attribute of the root: its name, type and value
//
// but for the root's `content_digest` itself, `program_version` (who computed it is not the
// answer), and names that begin with "_", which belong to the libraries of netCDF. Units and long
// names do not count: they say what the schema's version says. Numbers count as little-endian bytes
// of the width that is stored, every NaN as the same one, strings as their length (u64) and bytes.
//
// An item's hash is XXH3 of 128 bits over "PATH\0TYPE\0", the number of axes and their lengths
// (u64 each) and its values; the digest is XXH3 of 128 bits over the items' hashes in the order of
// their paths. It finds accidents and differences, it is no defence against an attacker.
//
//     struct content_digest *d = content_digest_create();
//     content_digest_add(d, "/servers/energy_j", CONTENT_F64, 1, (uint64_t[]){3}, energy_j);
//     content_digest_add(d, "/@study_name", CONTENT_TEXT, 0, NULL, &name);
//     content_digest_finish(d, hex);
#ifndef RESULTS_FILE_CONTENT_DIGEST_H
#define RESULTS_FILE_CONTENT_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTENT_DIGEST_CHARS 33 // 32 hexadecimal digits and a 0

// Of values as they lie in memory; of CONTENT_TEXT each is a const char *, where NULL is "".
enum content_type { CONTENT_I32, CONTENT_U32, CONTENT_I64, CONTENT_U64, CONTENT_F64, CONTENT_TEXT };

// Bytes of one such value, and of one in a file but for texts.
size_t content_digest_width(enum content_type type);

struct content_digest;

struct content_digest *content_digest_create(void);

// Does the object at that path count, "/run/date"? An attribute of the root has the path "/@NAME".
bool content_digest_counts(const char *path);

// One item; what does not count is left out. `values` has as many as the axes' lengths multiply to:
// one without axes. Nothing is kept of what is given.
void content_digest_add(struct content_digest *digest, const char *path, enum content_type type,
                        int n_dims, const uint64_t *sizes, const void *values);

// The digest of all items as text; frees `digest`. hex NULL: frees alone.
void content_digest_finish(struct content_digest *digest, char hex[CONTENT_DIGEST_CHARS]);

#endif
