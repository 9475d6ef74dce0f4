// SPDX-License-Identifier: Apache-2.0
// relaxation: how long a run is, in the time that its queues take to forget.
//
// Near saturation a queue remembers: what it was a relaxation time ago still shows, and a run of a
// hundred of them is not many independent observations, however many queries it has. Means and
// percentiles of such a run come with intervals that are too narrow and, worse, the narrower the
// calmer the run happened to be. So a run counts its relaxation times, and where there are too few
// an interval is not given at all.
//
// In M/M/1 a relaxation time lasts as long as rho / (1 - sqrt(rho))^2 queries take to arrive (the
// time constant 1 / (mu (1 - sqrt(rho))^2): Cohen, The Single Server Queue, 1982, section II.2). In
// other queues it grows with the variability of the work that arrives, as the diffusion near
// saturation does (Kingman 1962; Whitt, Bell Syst. Tech. J. 60, 1981): by (c_a^2 + c_s^2) / 2. Both
// are in the spread of the work that arrives per bin: with w its mean and v its variance over n
// bins, here from successive differences (von Neumann, Ann. Math. Stat. 12, 1941), so that the
// course of a day does not count,
//
//     relaxation times = 2 n w^2 (1 - sqrt(rho))^2 / (rho v),
//
// where M/M/1's v is 2 w E[S]. The load is taken one standard error above the measured one: the
// load that is not known is the reason to be careful.
//
// How many are needed was found by simulation outside the program, as was how many batches suit
// them: M/M/1, M/M/4, M/M/40, M/D/1, H2/M/1 and M/G/1 at 50 to 97 % load, fleets of 10 to 1000 such
// queues, 200 seeds each (docs/results.md, "Near saturation").
#ifndef RESULTS_RELAXATION_H
#define RESULTS_RELAXATION_H

#include <stdint.h>

#include "results/overload.h"

// What it takes for an interval to be given.
#define RELAXATION_LEAST 130.0      // of the mean, and of quantiles up to the 95th percentile
#define RELAXATION_LEAST_TAIL 390.0 // of quantiles above it
#define RELAXATION_LEAST_QUEUE 20.0 // of each queue, where there are many

// Relaxation times that the bins of one component span, its servers being one queue; those of
// several queues that do not share their work are as many times fewer. INFINITY where nothing
// varies or nothing was to do, 0 at and above capacity, NaN below 2 bins.
double relaxation_times(const struct overload_series *series);

// Does an interval for quantile q of latency stand on enough of them? Of all servers as one queue
// (`all`), and of each queue. NaN is not enough. Means are as the median.
int relaxation_enough(double all, double queue, double q);

// Batches to aim at, 5 to 20: each is many relaxation times long where the run allows it.
uint32_t relaxation_batches(double all, double queue);

#endif
