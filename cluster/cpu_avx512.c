// SPDX-License-Identifier: Apache-2.0
// The core-pool kernel with AVX-512: eight far or sixteen near lanes a vector, masks as the
// hardware has them.
#include "cluster/cpu.h"

#if defined(__x86_64__)
#include <immintrin.h>

static inline uint64_t lanes_idle(const int64_t *lanes, uint32_t n_vec, int64_t t_ns)
{
    __m512i t = _mm512_set1_epi64(t_ns);
    uint64_t idle = 0;
    for (uint32_t i = 0; i < n_vec; i++)
        idle |= (uint64_t)_mm512_cmple_epi64_mask(_mm512_load_si512(lanes + 8 * i), t) << (8 * i);
    return idle;
}

struct lanes_held {
    __m512i v[8];
};

static inline void lanes_hold(struct lanes_held *held, const int64_t *lanes, uint32_t n_vec)
{
    for (uint32_t i = 0; i < n_vec; i++)
        held->v[i] = _mm512_load_si512(lanes + 8 * i);
}

static inline void lanes_drop(const struct lanes_held *held, int64_t *lanes, uint32_t n_vec)
{
    for (uint32_t i = 0; i < n_vec; i++)
        _mm512_store_si512(lanes + 8 * i, held->v[i]);
}

static inline uint64_t held_mins(const struct lanes_held *held, uint32_t n_vec, int64_t *min_ns)
{
    __m512i least = held->v[0];
    for (uint32_t i = 1; i < n_vec; i++)
        least = _mm512_min_epi64(least, held->v[i]);
    // In every place the smallest of all: halves, quarters and neighbours exchanged.
    least = _mm512_min_epi64(least, _mm512_shuffle_i64x2(least, least, 0x4e));
    least = _mm512_min_epi64(least, _mm512_permutex_epi64(least, 0x4e));
    least = _mm512_min_epi64(least, _mm512_permutex_epi64(least, 0xb1));
    uint64_t equal = 0;
    for (uint32_t i = 0; i < n_vec; i++)
        equal |= (uint64_t)_mm512_cmpeq_epi64_mask(held->v[i], least) << (8 * i);
    *min_ns = _mm_cvtsi128_si64(_mm512_castsi512_si128(least));
    return equal;
}

static inline void held_put(struct lanes_held *held, uint32_t n_vec, uint32_t lane, int64_t end_ns)
{
    uint64_t bit = UINT64_C(1) << lane;
    __m512i end = _mm512_set1_epi64(end_ns);
    for (uint32_t i = 0; i < n_vec; i++)
        held->v[i] = _mm512_mask_mov_epi64(held->v[i], (__mmask8)(bit >> (8 * i)), end);
}

static inline uint64_t near_idle(const uint32_t *lanes, uint32_t n_vec, uint32_t at)
{
    __m512i t = _mm512_set1_epi32((int)at);
    uint64_t idle = 0;
    for (uint32_t i = 0; i < n_vec; i++)
        idle |= (uint64_t)_mm512_cmple_epu32_mask(_mm512_load_si512(lanes + 16 * i), t) << (16 * i);
    return idle;
}

struct near_held {
    __m512i v[4];
};

static inline void near_hold(struct near_held *held, const uint32_t *lanes, uint32_t n_vec)
{
    for (uint32_t i = 0; i < n_vec; i++)
        held->v[i] = _mm512_load_si512(lanes + 16 * i);
}

static inline void near_drop(const struct near_held *held, uint32_t *lanes, uint32_t n_vec)
{
    for (uint32_t i = 0; i < n_vec; i++)
        _mm512_store_si512(lanes + 16 * i, held->v[i]);
}

static inline uint64_t near_mins(const struct near_held *held, uint32_t n_vec, uint32_t *min)
{
    __m512i least = held->v[0];
    for (uint32_t i = 1; i < n_vec; i++)
        least = _mm512_min_epu32(least, held->v[i]);
    // In every place the smallest of all: halves, quarters, eighths and neighbours exchanged.
    least = _mm512_min_epu32(least, _mm512_shuffle_i64x2(least, least, 0x4e));
    least = _mm512_min_epu32(least, _mm512_shuffle_i64x2(least, least, 0xb1));
    least = _mm512_min_epu32(least, _mm512_shuffle_epi32(least, 0x4e));
    least = _mm512_min_epu32(least, _mm512_shuffle_epi32(least, 0xb1));
    uint64_t equal = 0;
    for (uint32_t i = 0; i < n_vec; i++)
        equal |= (uint64_t)_mm512_cmpeq_epi32_mask(held->v[i], least) << (16 * i);
    *min = (uint32_t)_mm_cvtsi128_si32(_mm512_castsi512_si128(least));
    return equal;
}

static inline void near_put(struct near_held *held, uint32_t n_vec, uint32_t lane, uint32_t end)
{
    uint64_t bit = UINT64_C(1) << lane;
    __m512i ends = _mm512_set1_epi32((int)end);
    for (uint32_t i = 0; i < n_vec; i++)
        held->v[i] = _mm512_mask_mov_epi32(held->v[i], (__mmask16)(bit >> (16 * i)), ends);
}

// Without branches: deposit the n lowest idle lanes as masks and store under them.
static inline void near_take(uint32_t *lanes, uint32_t n_vec, uint64_t idle, uint32_t n,
                             uint32_t full_end, uint32_t last_end)
{
    uint64_t first = _pdep_u64((UINT64_C(1) << (n - 1)) - 1, idle);
    uint64_t last = _pdep_u64(UINT64_C(1) << (n - 1), idle);
    __m512i full_ends = _mm512_set1_epi32((int)full_end);
    __m512i last_ends = _mm512_set1_epi32((int)last_end);
    for (uint32_t i = 0; i < n_vec; i++) {
        _mm512_mask_store_epi32(lanes + 16 * i, (__mmask16)(first >> (16 * i)), full_ends);
        _mm512_mask_store_epi32(lanes + 16 * i, (__mmask16)(last >> (16 * i)), last_ends);
    }
}

// Vector by vector: as many of the next times as there are idle lanes to take, spread to them.
static inline uint32_t near_spread(uint32_t *lanes, uint32_t n_vec, uint64_t idle, uint32_t n,
                                   uint32_t at, const uint32_t *ns)
{
    __m512i t = _mm512_set1_epi32((int)at), longest = _mm512_setzero_si512();
    for (uint32_t i = 0; i < n_vec; i++) {
        uint32_t free = (uint32_t)(idle >> (16 * i)) & 0xffff;
        uint32_t n_free = (uint32_t)__builtin_popcount(free), n_taken = n < n_free ? n : n_free;
        __mmask16 taken = (__mmask16)_pdep_u32((UINT32_C(1) << n_taken) - 1, free);
        __m512i times = _mm512_maskz_expand_epi32(taken, _mm512_loadu_si512(ns));
        _mm512_mask_store_epi32(lanes + 16 * i, taken, _mm512_add_epi32(t, times));
        longest = _mm512_max_epu32(longest, times);
        ns += n_taken;
        n -= n_taken;
    }
    return _mm512_reduce_max_epu32(longest);
}

#include "cluster/cpu_loop.h"

static bool supported(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}

const struct cpu_kernel cpu_avx512 = {"avx512",       supported,   kernel_fixed, kernel_busy,
                                      kernel_general, kernel_cold, kernel_idle,  kernel_pick};
#else
static bool supported(void)
{
    return false;
}

const struct cpu_kernel cpu_avx512 = {"avx512", supported, NULL, NULL, NULL, NULL, NULL, NULL};
#endif
