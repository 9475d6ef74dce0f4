// SPDX-License-Identifier: Apache-2.0
// overload: does the backlog grow without bound?
//
// An overloaded queue has no latency distribution: run it longer and every percentile is longer. So
// before a percentile is believed, each component (CPU pool, accelerators) of each group is judged
// from its time bins. Two questions, because one server of many can drown while the mean is fine:
//
// 1. The whole: work that arrived in a bin = work done in it + growth of the backlog, exactly. Over
//    capacity that is the offered load, whose bins are nearly independent even close to saturation
//    (unlike the backlog itself, which wanders). Overloaded when the load is above 1 with 99 % (one
//    side); unsure when it is at least 0.97 and its 95 % interval reaches 1.
//    Servers that merge queries are busy at any load: with few queries their batches are small.
//    What their load is without a growing backlog is the work that arrived in full batches; where
//    that is less than what was used, it is what may be unsure. Overloaded are they as the others
//    are.
// 2. The worst server: the longest time any server needs until it takes new work. Where it wanders
//    about a mean, its gains per bin add up to nearly nothing against their own spread; where it
//    grows by a steady drift they do not. Overloaded when a t test of the gains says drift at
//    0.1 % / number of servers (Bonferroni: it is the worst of them), unsure at 0.5 %.
//
// A load above 1 for a while (a daily peak) that has drained by the end is not an overload.
#ifndef RESULTS_OVERLOAD_H
#define RESULTS_OVERLOAD_H

#include <stdint.h>

#include "results/ci.h"

enum overload_verdict { OVERLOAD_NO, OVERLOAD_UNSURE, OVERLOAD_YES, N_OVERLOAD_VERDICTS };
extern const char *const overload_names[]; // "stable" "unsure" "overloaded" NULL

// One component of one group over n consecutive bins; arrays borrowed for the call, in ns.
struct overload_series {
    uint32_t n;
    uint32_t n_servers;
    const double *length_ns;  // of each bin
    const double *busy_ns;    // unit-time used, all servers
    const double *backlog_ns; // unit-time still to do at the bin's end
    const double *drain_ns;   // worst server's time until it takes new work, at the bin's end
    const double *work_ns;    // that arrived, in full batches; NULL: no less than what was used
    double backlog_before_ns, drain_before_ns; // at the start of the first bin
    double n_units;                            // cores or streams of all servers together
};

struct overload {
    enum overload_verdict verdict;
    struct ci load_frac;      // offered work over capacity
    double drain_growth_frac; // worst server: seconds of wait gained per second
};

// Offered work over capacity in bins [first, end), first < end <= n; NaN without capacity. In full
// batches where there is such work.
double overload_load(const struct overload_series *series, uint32_t first, uint32_t end);

struct overload overload_judge(const struct overload_series *series);

#endif
