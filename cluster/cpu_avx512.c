// SPDX-License-Identifier: Apache-2.0
// The core-pool kernel with AVX-512: eight 64-bit lanes a vector, masks as the hardware has them.
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

// Without branches: deposit the n lowest idle lanes as masks and store under them.
static inline void lanes_take(int64_t *lanes, uint32_t n_vec, uint64_t idle, uint32_t n,
                              int64_t full_end_ns, int64_t last_end_ns)
{
    uint64_t first = _pdep_u64((UINT64_C(1) << (n - 1)) - 1, idle);
    uint64_t last = _pdep_u64(UINT64_C(1) << (n - 1), idle);
    __m512i full_end = _mm512_set1_epi64(full_end_ns), last_end = _mm512_set1_epi64(last_end_ns);
    for (uint32_t i = 0; i < n_vec; i++) {
        _mm512_mask_store_epi64(lanes + 8 * i, (__mmask8)(first >> (8 * i)), full_end);
        _mm512_mask_store_epi64(lanes + 8 * i, (__mmask8)(last >> (8 * i)), last_end);
    }
}

#include "cluster/cpu_loop.h"

static bool supported(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}

const struct cpu_kernel cpu_avx512 = {"avx512", supported, kernel_fixed, kernel_general,
                                      kernel_cold};
#else
static bool supported(void)
{
    return false;
}

const struct cpu_kernel cpu_avx512 = {"avx512", supported, NULL, NULL, NULL};
#endif
