// SPDX-License-Identifier: Apache-2.0
// The pooling kernel with AVX2: vectors of eight.
#include "native/pooling.h"

#if defined(__x86_64__)
#define LANES 8
#include "native/pooling_loop.h"

static bool supported(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

const struct pooling_kernel pooling_avx2 = {"avx2", supported, pooling_block};
#else
static bool supported(void)
{
    return false;
}

const struct pooling_kernel pooling_avx2 = {"avx2", supported, NULL};
#endif
