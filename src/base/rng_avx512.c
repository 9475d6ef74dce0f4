// SPDX-License-Identifier: Apache-2.0
#include "base/rng_avx512.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f")))

enum { LANES = 8, ROUNDS = 10, TOGETHER = 8 };
// Multiplier and key increment of philox2x64 (Salmon et al., SC'11, section 3.3).
static const uint64_t multiplier = UINT64_C(0xD2B74407B1CE6E93);
static const uint64_t key_step = UINT64_C(0x9E3779B97F4A7C15);

// The 128-bit products of eight 64-bit numbers with the multiplier, from four products of halves.
AVX512 static inline __m512i multiply(__m512i x, __m512i *low)
{
    const __m512i m_low = _mm512_set1_epi64((int64_t)(multiplier & 0xffffffff));
    const __m512i m_high = _mm512_set1_epi64((int64_t)(multiplier >> 32));
    const __m512i mask = _mm512_set1_epi64(0xffffffff);
    const __mmask16 odd = 0xaaaa;
    __m512i x_high = _mm512_srli_epi64(x, 32);
    __m512i ll = _mm512_mul_epu32(x, m_low), lh = _mm512_mul_epu32(x, m_high);
    __m512i hl = _mm512_mul_epu32(x_high, m_low), hh = _mm512_mul_epu32(x_high, m_high);
    __m512i middle = _mm512_add_epi64(lh, _mm512_srli_epi64(ll, 32)); // cannot overflow
    __m512i carry = _mm512_add_epi64(hl, _mm512_and_si512(middle, mask));
    // The low half of carry above that of ll, in one instruction.
    *low = _mm512_mask_shuffle_epi32(ll, odd, carry, _MM_PERM_CCAA);
    return _mm512_add_epi64(
        hh, _mm512_add_epi64(_mm512_srli_epi64(middle, 32), _mm512_srli_epi64(carry, 32)));
}

bool rng_avx512_supported(void)
{
    return __builtin_cpu_supports("avx512f");
}

// n vectors of blocks side by side: a round is a chain of some 15 dependent steps, and the steps of
// other vectors fill the time that each of them takes. n is a constant wherever this is inlined.
AVX512 static inline __attribute__((always_inline)) void
fill(size_t n, uint64_t seed, uint64_t high, uint64_t first, uint64_t *words)
{
    const __m512i lanes = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
    const __m512i even = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
    const __m512i odd = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
    __m512i a[TOGETHER], b[TOGETHER];
#pragma GCC unroll 8
    for (size_t v = 0; v < n; v++) {
        a[v] = _mm512_add_epi64(_mm512_set1_epi64((int64_t)(first + v * LANES)), lanes);
        b[v] = _mm512_set1_epi64((int64_t)high);
    }
    for (uint64_t round = 0; round < ROUNDS; round++) {
        __m512i key = _mm512_set1_epi64((int64_t)(seed + round * key_step));
#pragma GCC unroll 8
        for (size_t v = 0; v < n; v++) {
            __m512i low, product = multiply(a[v], &low);
            a[v] = _mm512_ternarylogic_epi64(product, b[v], key, 0x96); // exclusive or of three
            b[v] = low;
        }
    }
#pragma GCC unroll 8
    for (size_t v = 0; v < n; v++) {
        uint64_t *out = words + 2 * LANES * v;
        _mm512_storeu_si512(out, _mm512_permutex2var_epi64(a[v], even, b[v]));
        _mm512_storeu_si512(out + LANES, _mm512_permutex2var_epi64(a[v], odd, b[v]));
    }
}

AVX512 void rng_avx512_fill(uint64_t seed, uint64_t high, uint64_t first, size_t n_blocks,
                            uint64_t *words)
{
    size_t i = 0;
    for (; n_blocks - i >= TOGETHER * LANES; i += TOGETHER * LANES)
        fill(TOGETHER, seed, high, first + i, words + 2 * i);
    for (; i < n_blocks; i += LANES)
        fill(1, seed, high, first + i, words + 2 * i);
}
#else
bool rng_avx512_supported(void)
{
    return false;
}

void rng_avx512_fill(uint64_t seed, uint64_t high, uint64_t first, size_t n_blocks, uint64_t *words)
{
    (void)seed, (void)high, (void)first, (void)n_blocks, (void)words;
}
#endif
