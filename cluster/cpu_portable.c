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

static inline uint64_t near_idle(const uint32_t *lanes, uint32_t n_vec, uint32_t at)
{
    uint64_t idle = 0;
    for (uint32_t i = 0; i < 16 * n_vec; i++)
        idle |= (uint64_t)(lanes[i] <= at) << i;
    return idle;
}

struct near_held {
    uint32_t *lanes;
};

static inline void near_hold(struct near_held *held, uint32_t *lanes, uint32_t n_vec)
{
    (void)n_vec;
    held->lanes = lanes;
}

static inline void near_drop(const struct near_held *held, uint32_t *lanes, uint32_t n_vec)
{
    (void)held;
    (void)lanes;
    (void)n_vec;
}

static inline uint64_t near_mins(const struct near_held *held, uint32_t n_vec, uint32_t *min)
{
    uint32_t least = held->lanes[0];
    for (uint32_t i = 1; i < 16 * n_vec; i++)
        least = held->lanes[i] < least ? held->lanes[i] : least;
    *min = least;
    return near_idle(held->lanes, n_vec, least);
}

static inline void near_put(const struct near_held *held, uint32_t n_vec, uint32_t lane,
                            uint32_t end)
{
    (void)n_vec;
    held->lanes[lane] = end;
}

#include "cluster/cpu_loop.h"

static bool supported(void)
{
    return true;
}

const struct cpu_kernel cpu_portable = {"portable",     supported,   kernel_fixed, kernel_busy,
                                        kernel_general, kernel_cold, kernel_idle,  kernel_pick};
