// SPDX-License-Identifier: Apache-2.0
// live_clock: the time by which a server that runs for real decides and is measured.
//
// Whole nanoseconds of CLOCK_MONOTONIC, which nobody can set: a step of the machine's date changes
// nothing. Where the zero is means nothing; a run counts from its own start.
//
//     int64_t start_ns = live_clock_ns() + 20 * SIMTIME_MS;
//     live_clock_wait(start_ns, 50 * SIMTIME_US);
#ifndef LIVE_LIVE_CLOCK_H
#define LIVE_LIVE_CLOCK_H

#include <stdint.h>

// What a thread does that has nothing to do until a certain time, or until something comes.
enum live_clock_idle {
    LIVE_CLOCK_SPIN, // looks again and again, and keeps its core
    LIVE_CLOCK_SLEEP // leaves it to others
};
extern const char *const live_clock_idle_names[]; // "spin" "sleep" NULL

int64_t live_clock_ns(void);

// Returns at that time or, where it has passed, at once. The last spin_ns before it are waited for
// without sleeping, which is exact to some 100 ns and takes a core; 0: it sleeps, and returns as
// late as the system wakes it.
void live_clock_wait(int64_t until_ns, int64_t spin_ns);

// From now on the calling thread's sleeps end as exactly as the system can.
void live_clock_sharpen(void);

// A thread that waits without sleeping says so to its core, which then leaves more to the other
// thread of that core.
static inline void live_clock_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

#endif
