// SPDX-License-Identifier: Apache-2.0
// rng_avx512: many Philox blocks at a time on machines with AVX-512, eight in a vector.
//
// The same numbers as Random123's philox2x64 gives one by one (a test compares them); only faster.
// Random draws are a fifth of the cost of a simulated query without it. rng.h is the interface for
// everybody else.
#ifndef BASE_RNG_AVX512_H
#define BASE_RNG_AVX512_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Whether this machine can.
bool rng_avx512_supported(void);

// Blocks first .. first + n_blocks - 1 of the stream (seed, high) into words[0 .. 2 n_blocks);
// n_blocks a multiple of 8.
void rng_avx512_fill(uint64_t seed, uint64_t high, uint64_t first, size_t n_blocks,
                     uint64_t *words);

#endif
