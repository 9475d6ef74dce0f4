// SPDX-License-Identifier: Apache-2.0
// The pooling kernel for any machine: vectors of four.
#define LANES 4
#include "native/pooling_loop.h"

static bool supported(void)
{
    return true;
}

const struct pooling_kernel pooling_portable = {"portable", supported, pooling_block};
