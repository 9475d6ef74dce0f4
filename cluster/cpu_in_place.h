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

static inline void lanes_take(int64_t *lanes, uint32_t n_vec, uint64_t idle, uint32_t n,
                              int64_t full_end_ns, int64_t last_end_ns)
{
    (void)n_vec;
    for (; n > 1; n--, idle &= idle - 1)
        lanes[__builtin_ctzll(idle)] = full_end_ns;
    lanes[__builtin_ctzll(idle)] = last_end_ns;
}

#endif
