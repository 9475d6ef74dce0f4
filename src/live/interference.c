// SPDX-License-Identifier: Apache-2.0
#include "live/interference.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/wallclock.h"

static double thread_cpu_s(void)
{
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int64_t n_preempted(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nivcsw : 0;
}

void interference_mark(struct interference_mark *mark)
{
    mark->n_preempted = n_preempted();
    mark->cpu_s = thread_cpu_s();
    mark->wall_s = wallclock_s();
}

// Wall time is read inside the processor time at both ends, so that an idle machine has nothing
// lost rather than a little.
void interference_add(struct interference *to, const struct interference_mark *since)
{
    to->wall_s += wallclock_s() - since->wall_s;
    to->cpu_s += thread_cpu_s() - since->cpu_s;
    to->n_preempted += (uint64_t)(n_preempted() - since->n_preempted);
}

double interference_lost_s(const struct interference_mark *since)
{
    double wall_s = wallclock_s() - since->wall_s;
    return fmax(wall_s - (thread_cpu_s() - since->cpu_s), 0);
}

void interference_merge(struct interference *to, const struct interference *from)
{
    to->wall_s += from->wall_s;
    to->cpu_s += from->cpu_s;
    to->steal_s += from->steal_s;
    to->n_preempted += from->n_preempted;
}

double interference_frac(const struct interference *sum)
{
    if (!(sum->wall_s > 0))
        return 0;
    double lost_s = fmax(sum->wall_s - sum->cpu_s, sum->steal_s);
    return fmin(fmax(lost_s / sum->wall_s, 0), 1);
}

// "cpu0 user nice system idle iowait irq softirq steal ...", in ticks.
double interference_steal_s(int cpu)
{
    char line[512], name[32];
    unsigned long long steal = 0;
    long ticks_hz = sysconf(_SC_CLK_TCK);
    FILE *file = fopen("/proc/stat", "r");
    int n = snprintf(name, sizeof name, "cpu%d ", cpu);
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, (size_t)n) == 0) {
            if (sscanf(line + n, "%*u %*u %*u %*u %*u %*u %*u %llu", &steal) != 1)
                steal = 0;
            break;
        }
    if (file)
        fclose(file);
    return ticks_hz > 0 ? (double)steal / (double)ticks_hz : 0;
}
