// SPDX-License-Identifier: Apache-2.0
#include "results/hist.h"

int64_t hist_lower_ns(uint32_t i)
{
    if (i < 2 * HIST_SUB)
        return (int64_t)i;
    uint32_t e = (i >> HIST_SUB_BITS) - 1;
    return (int64_t)(i - (e << HIST_SUB_BITS)) << e;
}

int64_t hist_upper_ns(uint32_t i)
{
    return hist_lower_ns(i + 1); // HIST_N_BUCKETS itself gives 2^HIST_MAX_EXP
}
