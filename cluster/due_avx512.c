// SPDX-License-Identifier: Apache-2.0
// Lanes of due times with AVX-512: a line is a vector.
#include "cluster/due.h"

#if defined(__x86_64__)
#include <immintrin.h>

static inline uint32_t line_after(const int32_t *line, int32_t t)
{
    return _mm512_cmpgt_epi32_mask(_mm512_load_si512(line), _mm512_set1_epi32(t));
}

#define DUE_OWN_LANES_SET
static inline void lanes_set(int32_t *const *lines, uint32_t n_planes, uint64_t bits, int32_t value)
{
    __m512i v = _mm512_set1_epi32(value);
    for (uint32_t p = 0; p < n_planes; p++)
        _mm512_mask_store_epi32(lines[p], (__mmask16)(bits >> (16 * p)), v);
}

#include "cluster/due_loop.h"

static bool supported(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("popcnt");
}

const struct due_kernel due_avx512 = {"avx512", supported, kernel_count, kernel_put};
#else
static bool supported(void)
{
    return false;
}

const struct due_kernel due_avx512 = {"avx512", supported, NULL, NULL};
#endif
