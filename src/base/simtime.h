// SPDX-License-Identifier: Apache-2.0
// simtime: simulated time is int64_t nanoseconds, everywhere, exactly.
//
// Names end in _ns. Seconds (double, _s) appear only where a cost model or a person speaks; they
// become nanoseconds once, by simtime_from_s, which rounds to nearest.
#ifndef BASE_SIMTIME_H
#define BASE_SIMTIME_H

#include <stdint.h>

#define SIMTIME_US INT64_C(1000)
#define SIMTIME_MS INT64_C(1000000)
#define SIMTIME_S INT64_C(1000000000)
#define SIMTIME_NEVER INT64_MAX
// Longest duration a study may ask for: 30 days, so that sums of a few terms cannot overflow.
#define SIMTIME_LONGEST (INT64_C(30) * 86400 * SIMTIME_S)

// Seconds to the nearest nanosecond; saturates at SIMTIME_NEVER, negative and NaN give 0.
static inline int64_t simtime_from_s(double s)
{
    double ns = s * 1e9 + 0.5;
    if (!(ns > 0))
        return 0;
    return ns >= 9.2e18 ? SIMTIME_NEVER : (int64_t)ns;
}

static inline double simtime_to_s(int64_t ns)
{
    return (double)ns * 1e-9;
}

#endif
