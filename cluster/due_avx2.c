// SPDX-License-Identifier: Apache-2.0
// Lanes of due times with AVX2: a line is two vectors. Compiled with those flags on x86-64.
#include "cluster/due.h"

#if defined(__x86_64__)
#include <immintrin.h>

static inline uint32_t half_after(const int32_t *half, __m256i t)
{
    __m256i lanes = _mm256_load_si256((const __m256i *)(const void *)half);
    return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(lanes, t)));
}

static inline uint32_t line_after(const int32_t *line, int32_t t)
{
    __m256i all = _mm256_set1_epi32(t);
    return half_after(line, all) | half_after(line + 8, all) << 8;
}

#include "cluster/due_loop.h"

static bool supported(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("popcnt");
}

const struct due_kernel due_avx2 = {"avx2", supported, kernel_count, kernel_put};
#else
static bool supported(void)
{
    return false;
}

const struct due_kernel due_avx2 = {"avx2", supported, NULL, NULL};
#endif
