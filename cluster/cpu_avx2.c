// SPDX-License-Identifier: Apache-2.0
// The core-pool kernel with AVX2: four far or eight near lanes a vector. Compiled with those flags
// on x86-64.
#include "cluster/cpu.h"
#include "cluster/cpu_in_place.h"

#if defined(__x86_64__)
#include <immintrin.h>

static inline __m256i load4(const int64_t *lanes)
{
    return _mm256_load_si256((const __m256i *)(const void *)lanes);
}

static inline uint64_t mask4(__m256i lanes)
{
    return (uint64_t)(uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(lanes));
}

static inline uint64_t lanes_idle(const int64_t *lanes, uint32_t n_vec, int64_t t_ns)
{
    __m256i t = _mm256_set1_epi64x(t_ns);
    uint64_t busy = 0;
    for (uint32_t i = 0; i < 2 * n_vec; i++)
        busy |= mask4(_mm256_cmpgt_epi64(load4(lanes + 4 * i), t)) << (4 * i);
    return ~busy & (UINT64_MAX >> (64 - 8 * n_vec));
}

static inline __m256i min4(__m256i a, __m256i b)
{
    return _mm256_blendv_epi8(a, b, _mm256_cmpgt_epi64(a, b));
}

static inline uint64_t held_mins(const struct lanes_held *held, uint32_t n_vec, int64_t *min_ns)
{
    const int64_t *lanes = held->lanes;
    __m256i least = load4(lanes);
    for (uint32_t i = 1; i < 2 * n_vec; i++)
        least = min4(least, load4(lanes + 4 * i));
    least = min4(least, _mm256_permute4x64_epi64(least, 0x4e));
    least = min4(least, _mm256_permute4x64_epi64(least, 0xb1));
    uint64_t equal = 0;
    for (uint32_t i = 0; i < 2 * n_vec; i++)
        equal |= mask4(_mm256_cmpeq_epi64(load4(lanes + 4 * i), least)) << (4 * i);
    *min_ns = _mm256_extract_epi64(least, 0);
    return equal;
}

static inline __m256i load8(const uint32_t *lanes)
{
    return _mm256_load_si256((const __m256i *)(const void *)lanes);
}

static inline uint64_t mask8(__m256i lanes)
{
    return (uint64_t)(uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(lanes));
}

static inline uint64_t near_idle(const uint32_t *lanes, uint32_t n_vec, uint32_t at)
{
    __m256i t = _mm256_set1_epi32((int)at);
    uint64_t idle = 0;
    for (uint32_t i = 0; i < 2 * n_vec; i++) {
        __m256i lane = load8(lanes + 8 * i);
        idle |= mask8(_mm256_cmpeq_epi32(_mm256_min_epu32(lane, t), lane)) << (8 * i);
    }
    return idle;
}

struct near_held {
    __m256i v[8];
};

static inline void near_hold(struct near_held *held, const uint32_t *lanes, uint32_t n_vec)
{
    for (uint32_t i = 0; i < 2 * n_vec; i++)
        held->v[i] = load8(lanes + 8 * i);
}

static inline void near_drop(const struct near_held *held, uint32_t *lanes, uint32_t n_vec)
{
    for (uint32_t i = 0; i < 2 * n_vec; i++)
        _mm256_store_si256((__m256i *)(void *)(lanes + 8 * i), held->v[i]);
}

static inline uint64_t near_mins(const struct near_held *held, uint32_t n_vec, uint32_t *min)
{
    __m256i least = held->v[0];
    for (uint32_t i = 1; i < 2 * n_vec; i++)
        least = _mm256_min_epu32(least, held->v[i]);
    least = _mm256_min_epu32(least, _mm256_permute4x64_epi64(least, 0x4e));
    least = _mm256_min_epu32(least, _mm256_shuffle_epi32(least, 0x4e));
    least = _mm256_min_epu32(least, _mm256_shuffle_epi32(least, 0xb1));
    uint64_t equal = 0;
    for (uint32_t i = 0; i < 2 * n_vec; i++)
        equal |= mask8(_mm256_cmpeq_epi32(held->v[i], least)) << (8 * i);
    *min = (uint32_t)_mm256_extract_epi32(least, 0);
    return equal;
}

static inline void near_put(struct near_held *held, uint32_t n_vec, uint32_t lane, uint32_t end)
{
    __m256i ends = _mm256_set1_epi32((int)end), eight = _mm256_set1_epi32(8);
    __m256i number = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    __m256i wanted = _mm256_set1_epi32((int)lane);
    for (uint32_t i = 0; i < 2 * n_vec; i++) {
        held->v[i] = _mm256_blendv_epi8(held->v[i], ends, _mm256_cmpeq_epi32(number, wanted));
        number = _mm256_add_epi32(number, eight);
    }
}

#include "cluster/cpu_loop.h"

static bool supported(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("popcnt");
}

const struct cpu_kernel cpu_avx2 = {"avx2",         supported,   kernel_fixed, kernel_busy,
                                    kernel_general, kernel_cold, kernel_idle,  kernel_pick};
#else
static bool supported(void)
{
    return false;
}

const struct cpu_kernel cpu_avx2 = {"avx2", supported, NULL, NULL, NULL, NULL, NULL, NULL};
#endif
