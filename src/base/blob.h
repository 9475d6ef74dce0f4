// SPDX-License-Identifier: Apache-2.0
// blob: state as bytes, written and read back in the same order.
//
// A module that can be saved has `x_save(const struct x *, struct blob *)` and
// `x_load(struct x *, struct blob_reader *, struct err *)`; both name the same members in the same
// order. A load without `err` leaves its errors with the reader, for its caller to ask. Numbers lie
// as in memory: a blob is read by the same program on the same kind of machine, and whoever keeps
// one in a file checks that (results/file/checkpoint.h). A reader trusts nothing else: what is not
// there is an error that is remembered, later reads give zeros, and blob_end() reports it, so a
// load function need not test every number. It must test what it indexes or allocates with.
//
//     blob_put_u64(&blob, x->n);                  n = blob_get_u64(&reader);
//     blob_put(&blob, x->v, x->n * sizeof *x->v); blob_get(&reader, x->v, n * sizeof *x->v);
//                                                 return blob_end(&reader, err);
#ifndef BASE_BLOB_H
#define BASE_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

// A growing buffer; starts as {0}. Owns its bytes.
struct blob {
    unsigned char *bytes;
    size_t n, cap;
};

void blob_put(struct blob *blob, const void *bytes, size_t n); // n == 0: no effect
void blob_put_u32(struct blob *blob, uint32_t value);
void blob_put_u64(struct blob *blob, uint64_t value);
void blob_put_i64(struct blob *blob, int64_t value);
void blob_clear(struct blob *blob); // empty again, its room kept
void blob_release(struct blob *blob);

// A reader of bytes that somebody else owns.
struct blob_reader {
    const unsigned char *bytes;
    size_t n, at;
    bool short_of; // something was asked for that is not there
};

struct blob_reader blob_read(const void *bytes, size_t n);
// Zeros, and an error remembered, when fewer than n bytes are left.
void blob_get(struct blob_reader *reader, void *bytes, size_t n);
uint32_t blob_get_u32(struct blob_reader *reader);
uint64_t blob_get_u64(struct blob_reader *reader);
int64_t blob_get_i64(struct blob_reader *reader);
// Bytes not yet read.
size_t blob_left(const struct blob_reader *reader);
// The next n bytes where they lie, NULL when there are fewer.
const void *blob_take(struct blob_reader *reader, size_t n);
// Marks the reader as failed: a number that was read makes no sense. Returns -1.
int blob_refuse(struct blob_reader *reader);
// 0 when everything that was asked for was there and nothing is left; else -1 and ERR_FAIL "damaged
// state".
int blob_end(const struct blob_reader *reader, struct err *err);

#endif
