// SPDX-License-Identifier: Apache-2.0
// ticks: the clock inside an arrival process, 2^-10 ns.
//
// A stream of 700 million queries per second has gaps of 1.4 ns; rounding each to whole nanoseconds
// would bend the rate. Processes therefore add up gaps in ticks and hand out whole nanoseconds
// (rounded down). 63 bits of ticks are 104 days; nothing in the program lasts longer than
// SIMTIME_LONGEST (30 days), so sums saturate at TICKS_TOP (52 days), which stands for "never".
#ifndef TRACES_TICKS_H
#define TRACES_TICKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/simtime.h"

#define TICKS_PER_NS 1024
#define TICKS_PER_S (1024e9)
#define TICKS_TOP ((INT64_C(1) << 62) - 1)

// Whether it can be a time of the clock.
static inline bool ticks_in_range(int64_t ticks)
{
    return ticks >= 0 && ticks <= TICKS_TOP;
}

// A number of ticks >= 0 to the nearest whole tick, at most TICKS_TOP.
static inline int64_t ticks_round(double ticks)
{
    return ticks < 0x1p61 ? (int64_t)(ticks + 0.5) : TICKS_TOP;
}

// a + b for a, b in 0 .. TICKS_TOP, at most TICKS_TOP.
static inline int64_t ticks_add(int64_t a, int64_t b)
{
    int64_t sum = a + b;
    return sum < TICKS_TOP ? sum : TICKS_TOP;
}

static inline int64_t ticks_to_ns(int64_t ticks)
{
    return ticks >= TICKS_TOP ? SIMTIME_NEVER : (int64_t)((uint64_t)ticks / TICKS_PER_NS);
}

#endif
