// SPDX-License-Identifier: Apache-2.0
// bits: the lowest of the bits that are set in a word, as masks of idle cores and free lanes are
// taken.
//
// One instruction where the file is compiled with BMI2, else a loop; the same bits either way.
#ifndef BASE_BITS_H
#define BASE_BITS_H

#include <stdint.h>

#ifdef __BMI2__
#include <immintrin.h>
#endif

// The n lowest of them, 0 <= n < 64; all where there are fewer.
static inline uint64_t bits_lowest(uint64_t bits, uint32_t n)
{
#ifdef __BMI2__
    return _pdep_u64((UINT64_C(1) << n) - 1, bits);
#else
    uint64_t higher = bits;
    for (; n > 0; n--)
        higher &= higher - 1;
    return bits & ~higher;
#endif
}

// The place of the n-th, 1 the lowest; there are at least n.
static inline uint32_t bits_nth(uint64_t bits, uint32_t n)
{
#ifdef __BMI2__
    return (uint32_t)_tzcnt_u64(_pdep_u64(UINT64_C(1) << (n - 1), bits));
#else
    for (; n > 1; n--)
        bits &= bits - 1;
    return (uint32_t)__builtin_ctzll(bits);
#endif
}

#endif
