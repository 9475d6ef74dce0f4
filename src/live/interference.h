// SPDX-License-Identifier: Apache-2.0
// interference: the share of time that something else took from a thread that wanted to compute.
//
// A measurement on a machine that does other things as well says so with a number. Three sources:
//
//     the thread's own processor time compared with wall time, over stretches in which it never
//         waits: what is missing, other threads and processes had (or the kernel, for them)
//     how often it was put aside although it wanted to run (involuntary context switches)
//     steal time of its processor, from /proc/stat: what a hypervisor gave to other machines
//
// The first needs the thread to be busy: where it sleeps or waits, no stretch is under way. Whether
// a kernel counts stolen time as the thread's is its own affair, so the share is the larger of the
// two, a lower bound. Stretches cost two readings of a clock, about half a microsecond.
//
//     struct interference_mark mark;
//     struct interference sum = {0};
//     interference_mark(&mark);                // on the thread itself
//     ...                                      // it computes
//     interference_add(&sum, &mark);
//     interference_frac(&sum);                 // 0.03: 3 % of the time
#ifndef LIVE_INTERFERENCE_H
#define LIVE_INTERFERENCE_H

#include <stdint.h>

// The beginning of a stretch, of the calling thread.
struct interference_mark {
    double wall_s, cpu_s;
    int64_t n_preempted;
};

// Stretches added up. Of zeroed bytes: none.
struct interference {
    double wall_s, cpu_s; // how long they took; what of it the thread was running
    double steal_s;       // taken by the hypervisor, as interference_steal_s() has it
    uint64_t n_preempted; // involuntary context switches
};

void interference_mark(struct interference_mark *mark);
// Adds the stretch since the mark. The mark is as before: to begin the next one, mark again.
void interference_add(struct interference *to, const struct interference_mark *since);
// Of this stretch alone, as it is now: seconds of wall time in which the thread was not running.
double interference_lost_s(const struct interference_mark *since);
// Adds what another thread had.
void interference_merge(struct interference *to, const struct interference *from);

// The share that something else took, 0..1; 0 where there was no time.
double interference_frac(const struct interference *sum);

// Seconds that a hypervisor has taken from that processor since the system began, to about 10 ms;
// 0 where /proc/stat does not say. The difference of two readings goes into steal_s.
double interference_steal_s(int cpu);

#endif
