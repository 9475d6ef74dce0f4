// SPDX-License-Identifier: Apache-2.0
// draw: one 64-bit word per query out of a stream, in blocks.
//
// Philox makes two words per block; word i of a stream is word i % 2 of block i / 2. Reading words
// first .. first + n - 1 therefore gives the same numbers however a stream is cut into reads.
#ifndef TRACES_DRAW_H
#define TRACES_DRAW_H

#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"

// Most words per read, and the size of the buffer that a read needs.
#define DRAW_MAX 512
#define DRAW_BUFFER (DRAW_MAX + 2)

// Words first .. first + n - 1 (n <= DRAW_MAX) of the stream, somewhere in buf[0 .. DRAW_BUFFER).
static inline const uint64_t *draw_words(const struct rng_stream *stream, uint64_t first, size_t n,
                                         uint64_t *buf)
{
    size_t odd = first % 2;
    rng_fill(stream, first / 2, (n + odd + 1) / 2, buf);
    return buf + odd;
}

#endif
