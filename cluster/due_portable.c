// SPDX-License-Identifier: Apache-2.0
// Lanes of due times in plain C, for any machine.
#include "cluster/due.h"

// As a sum of bits, which compilers make vectors of.
static inline uint32_t line_after(const int32_t *line, int32_t t)
{
    static const uint32_t bit[DUE_LINE] = {
        1u << 0, 1u << 1, 1u << 2,  1u << 3,  1u << 4,  1u << 5,  1u << 6,  1u << 7,
        1u << 8, 1u << 9, 1u << 10, 1u << 11, 1u << 12, 1u << 13, 1u << 14, 1u << 15};
    uint32_t after = 0;
    for (int i = 0; i < DUE_LINE; i++)
        after |= line[i] > t ? bit[i] : 0;
    return after;
}

#include "cluster/due_loop.h"

static bool supported(void)
{
    return true;
}

const struct due_kernel due_portable = {"portable", supported, kernel_count, kernel_put};
