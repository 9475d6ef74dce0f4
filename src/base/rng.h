// SPDX-License-Identifier: Apache-2.0
// rng: counter-based random numbers, addressed, never "next".
//
// Philox2x64-10 of Random123 (Salmon et al., SC'11). A stream is (seed, purpose, entity); within
// it, block `index` holds two independent 64-bit words that depend on nothing else: not on the
// rank, not on what was drawn before. State to save in a checkpoint: the index alone.
//
//     struct rng_stream s = rng_stream(seed, RNG_ARRIVAL, RNG_ENTITY(cell, service));
//     uint64_t w[2];
//     rng_block(&s, 17, w);
//
// The key is the seed; the counter's high word is purpose << 48 | entity, its low word the index.
// So entity must stay below 2^48, and streams of one seed cannot overlap.
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

#include "base/rng_purpose.h"

struct rng_stream {
    uint64_t seed;
    uint64_t high; // purpose << 48 | entity
};

static inline struct rng_stream rng_stream(uint64_t seed, enum rng_purpose purpose, uint64_t entity)
{
    return (struct rng_stream){seed, ((uint64_t)purpose << 48) | (entity & 0xffffffffffff)};
}

// Block `index` of the stream: two 64-bit words.
void rng_block(const struct rng_stream *stream, uint64_t index, uint64_t words[2]);

// Blocks first .. first + n_blocks - 1 into words[0 .. 2 n_blocks).
void rng_fill(const struct rng_stream *stream, uint64_t first, size_t n_blocks, uint64_t *words);

// A uniform double in (0, 1), never 0 nor 1, from one word (52 bits).
static inline double rng_u01(uint64_t word)
{
    return ((double)(word >> 12) + 0.5) * 0x1.0p-52;
}

// A uniform integer in [0, n) from the low or high half of a word; bias below n / 2^32.
static inline uint32_t rng_below(uint32_t half, uint32_t n)
{
    return (uint32_t)(((uint64_t)half * n) >> 32);
}

// -log(u) for n words: exponential with mean 1, finite and positive. Plain IEEE operations in a
// fixed order, no library call, so the same bits on every machine and vector width.
void rng_exponential(const uint64_t *words, size_t n, double *out);

// e^x by plain IEEE operations, |x| <= 700 (error below 2 ulp).
double rng_exp(double x);

// Natural logarithm of a normal positive x by the same operations (error below 2 ulp).
double rng_log(double x);

#endif
