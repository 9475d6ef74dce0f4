// SPDX-License-Identifier: Apache-2.0
// report_day: latency over a day, as simulated, under each scheduler.
//
// A line for every interval and service with demand, percentiles, late queries and utilisation,
// side by side for the schedulers; of many of them, one line for each interval, of the service that
// comes nearest to its target. Then the whole day, what was simulated of it, and how the tails of
// the schedulers compare: how many times lower each one's p95 and p99 are than the first's, as the
// mean over intervals, with the least and the most.
#ifndef RESULTS_REPORT_REPORT_DAY_H
#define RESULTS_REPORT_REPORT_DAY_H

#include "results/file/capacity_result.h"
#include "results/report/report_out.h"

// Lines up to which every service has its own.
#define REPORT_DAY_FULL 96

// The plan's allocation and provisioning under all schedulers. Needs an answer that has plans;
// prints nothing of what was not simulated.
void report_day_print(struct report_out *out, const struct capacity_result *answer, uint32_t plan);

// How many times lower a percentile is under one scheduler than under the first: over intervals.
struct report_day_ratio {
    double mean, least, most; // NaN: no interval has both
    uint32_t n;
};
// Of p95 and p99, under the plan's scheduler, of services [first, end).
void report_day_ratios(const struct capacity_result *answer, uint32_t plan,
                       const uint32_t services[2], struct report_day_ratio *p95,
                       struct report_day_ratio *p99);

#endif
