// SPDX-License-Identifier: Apache-2.0
// Preloaded (LD_PRELOAD) into a program under test: the machine's date jumps, two hours forward and
// three back, twenty times a second; the clocks that nobody can set are as they are. What waits or
// measures by the date then waits for hours, or finds times below zero.
//
// The kernel is asked without the C library, whose own functions these are in place of.
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define STEP_NS 50000000
#define FORWARD_S (2 * 3600)
#define BACK_S (3 * 3600)

static int read_clock(clockid_t clock, struct timespec *now)
{
    return (int)syscall(SYS_clock_gettime, clock, now);
}

static int is_date(clockid_t clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    struct timespec steady;
    int rc = read_clock(clock, now);
    if (rc != 0 || !is_date(clock))
        return rc;
    read_clock(CLOCK_MONOTONIC, &steady);
    int64_t n = ((int64_t)steady.tv_sec * 1000000000 + steady.tv_nsec) / STEP_NS;
    now->tv_sec += n % 2 ? FORWARD_S : -BACK_S;
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec date;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &date);
    *now = (struct timeval){.tv_sec = date.tv_sec, .tv_usec = date.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *now)
{
    struct timespec date;
    clock_gettime(CLOCK_REALTIME, &date);
    if (now)
        *now = date.tv_sec;
    return date.tv_sec;
}
