// SPDX-License-Identifier: Apache-2.0
// cpu_in_place: the part of a cpu kernel (cpu_loop.h) that leaves the lanes where they are.
//
// For instruction sets without registers enough to hold 40 lanes in. Included by cpu_portable.c and
// cpu_avx2.c only, before cpu_loop.h; each adds lanes_idle and held_mins of its own.
#ifndef CLUSTER_CPU_IN_PLACE_H
#define CLUSTER_CPU_IN_PLACE_H

#include <stdint.h>

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

static inline void near_take(uint32_t *lanes, uint32_t n_vec, uint64_t idle, uint32_t n,
                             uint32_t full_end, uint32_t last_end)
{
    (void)n_vec;
    for (; n > 1; n--, idle &= idle - 1)
        lanes[__builtin_ctzll(idle)] = full_end;
    lanes[__builtin_ctzll(idle)] = last_end;
}

static inline uint32_t near_spread(uint32_t *lanes, uint32_t n_vec, uint64_t idle, uint32_t n,
                                   uint32_t at, const uint32_t *ns)
{
    uint32_t longest = 0;
    (void)n_vec;
    for (uint32_t i = 0; i < n; i++, idle &= idle - 1) {
        lanes[__builtin_ctzll(idle)] = at + ns[i];
        longest = ns[i] > longest ? ns[i] : longest;
    }
    return longest;
}

#endif
