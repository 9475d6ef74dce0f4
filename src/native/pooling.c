// SPDX-License-Identifier: Apache-2.0
#include "native/pooling.h"

const struct pooling_kernel *const pooling_kernels[] = {&pooling_avx512, &pooling_avx2,
                                                        &pooling_portable, NULL};

const struct pooling_kernel *pooling_best(void)
{
    size_t i = 0;
    while (!pooling_kernels[i]->supported())
        i++;
    return pooling_kernels[i];
}
