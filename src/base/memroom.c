// SPDX-License-Identifier: Apache-2.0
#include "base/memroom.h"

#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

double memroom_address_bytes(void)
{
    struct rlimit limit;
    double pages = 0;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return INFINITY;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%lf", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    double unused = (double)mallinfo2().fordblks; // freed, and kept by malloc
    return fmax(0, (double)limit.rlim_cur - pages * (double)sysconf(_SC_PAGESIZE)) + unused;
}

// The first number of a file; INFINITY when there is none, or the word max.
static double number_in(const char *path)
{
    double value = INFINITY;
    FILE *file = fopen(path, "r");
    if (file && fscanf(file, "%lf", &value) != 1)
        value = INFINITY;
    if (file)
        fclose(file);
    return value;
}

// What a control group uses to cache files, which the kernel takes back when memory is asked for.
static double group_cache_bytes(void)
{
    char line[128];
    double bytes = 0, sum = 0;
    FILE *file = fopen("/sys/fs/cgroup/memory.stat", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "inactive_file %lf", &bytes) == 1 ||
            sscanf(line, "active_file %lf", &bytes) == 1)
            sum += bytes;
    if (file)
        fclose(file);
    return sum;
}

// Of the control group that the process sees as its root (a container's, a job's).
static double group_bytes(void)
{
    double most = number_in("/sys/fs/cgroup/memory.max");
    double used = number_in("/sys/fs/cgroup/memory.current") - group_cache_bytes();
    return isfinite(most) && isfinite(used) ? fmax(0, most - fmax(0, used)) : (double)INFINITY;
}

double memroom_machine_bytes(void)
{
    char line[128];
    double kib = INFINITY;
    FILE *file = fopen("/proc/meminfo", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "MemAvailable: %lf kB", &kib) == 1)
            break;
    if (file)
        fclose(file);
    return fmin(kib * 1024, group_bytes());
}
