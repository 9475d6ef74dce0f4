// SPDX-License-Identifier: Apache-2.0
#include "live/live_clock.h"

#include <errno.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/simtime.h"

const char *const live_clock_idle_names[] = {"spin", "sleep", NULL};

int64_t live_clock_ns(void)
{
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * SIMTIME_S + now.tv_nsec;
}

void live_clock_wait(int64_t until_ns, int64_t spin_ns)
{
    int64_t sleep_ns = until_ns - spin_ns;
    const struct timespec wake = {.tv_sec = (time_t)(sleep_ns / SIMTIME_S),
                                  .tv_nsec = (long)(sleep_ns % SIMTIME_S)};
    if (live_clock_ns() < sleep_ns)
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, NULL) == EINTR)
            ;
    while (live_clock_ns() < until_ns)
        live_clock_pause();
}

void live_clock_sharpen(void)
{
    prctl(PR_SET_TIMERSLACK, 1UL); // else sleeps are joined with others' up to 50 us later
}
