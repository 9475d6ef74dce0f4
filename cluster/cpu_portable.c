// SPDX-License-Identifier: Apache-2.0
// The core-pool kernel in plain C, for any machine.
#include "cluster/cpu.h"
#include "cluster/cpu_in_place.h"

static inline uint64_t lanes_idle(const int64_t *lanes, uint32_t n_vec, int64_t t_ns)
{
    uint64_t idle = 0;
    for (uint32_t i = 0; i < 8 * n_vec; i++)
        idle |= (uint64_t)(lanes[i] <= t_ns) << i;
    return idle;
}

static inline uint64_t held_mins(const struct lanes_held *held, uint32_t n_vec, int64_t *min_ns)
{
    int64_t least_ns = held->lanes[0];
    for (uint32_t i = 1; i < 8 * n_vec; i++)
        least_ns = held->lanes[i] < least_ns ? held->lanes[i] : least_ns;
    *min_ns = least_ns;
    return lanes_idle(held->lanes, n_vec, least_ns);
}

#include "cluster/cpu_loop.h"

static bool supported(void)
{
    return true;
}

const struct cpu_kernel cpu_portable = {"portable", supported, kernel_fixed, kernel_general,
                                        kernel_cold};
