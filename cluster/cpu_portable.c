// SPDX-License-Identifier: Apache-2.0
// The core-pool kernel in plain C, for any machine.
#include "cluster/cpu.h"

static inline uint64_t lanes_idle(const int64_t *lanes, uint32_t n_vec, int64_t t_ns)
{
    uint64_t idle = 0;
    for (uint32_t i = 0; i < 8 * n_vec; i++)
        idle |= (uint64_t)(lanes[i] <= t_ns) << i;
    return idle;
}

// No registers wide enough: the lanes stay where they are.
struct lanes_held {
    int64_t *lanes;
};

static inline void lanes_hold(struct lanes_held *held, int64_t *lanes, uint32_t n_vec)
{
    (void)n_vec;
    held->lanes = lanes;
}

static inline void lanes_drop(const struct lanes_held *held, int64_t *lanes, uint32_t n_vec)
{
    (void)held;
    (void)lanes;
    (void)n_vec;
}

static inline void held_put(const struct lanes_held *held, uint32_t n_vec, uint32_t lane,
                            int64_t end_ns)
{
    (void)n_vec;
    held->lanes[lane] = end_ns;
}

static inline uint64_t held_mins(const struct lanes_held *held, uint32_t n_vec, int64_t *min_ns)
{
    int64_t least_ns = held->lanes[0];
    for (uint32_t i = 1; i < 8 * n_vec; i++)
        least_ns = held->lanes[i] < least_ns ? held->lanes[i] : least_ns;
    *min_ns = least_ns;
    return lanes_idle(held->lanes, n_vec, least_ns);
}

static inline void lanes_take(int64_t *lanes, uint32_t n_vec, uint64_t idle, uint32_t n,
                              int64_t full_end_ns, int64_t last_end_ns)
{
    (void)n_vec;
    for (; n > 1; n--, idle &= idle - 1)
        lanes[__builtin_ctzll(idle)] = full_end_ns;
    lanes[__builtin_ctzll(idle)] = last_end_ns;
}

#include "cluster/cpu_loop.h"

static bool supported(void)
{
    return true;
}

const struct cpu_kernel cpu_portable = {"portable", supported, kernel_fixed, kernel_general,
                                        kernel_cold};
