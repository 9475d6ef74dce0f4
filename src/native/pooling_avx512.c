// SPDX-License-Identifier: Apache-2.0
// The pooling kernel with AVX-512: vectors of sixteen.
#include "native/pooling.h"

#if defined(__x86_64__)
#define LANES 16
#include "native/pooling_loop.h"

static bool supported(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("fma");
}

const struct pooling_kernel pooling_avx512 = {"avx512", supported, pooling_block};
#else
static bool supported(void)
{
    return false;
}

const struct pooling_kernel pooling_avx512 = {"avx512", supported, NULL};
#endif
