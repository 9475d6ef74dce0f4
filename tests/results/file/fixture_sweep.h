// SPDX-License-Identifier: Apache-2.0
// fixture_sweep: what the runs of a sweep might have measured, invented.
//
// Every estimate of a run of level x is x times the number of its row in its table of fields, so
// that means over runs are known. Some numbers are as a run's would be: the target's percentile
// (p95) has a latency of x ms, the target is 25 ms, x thousand queries per second are served, the
// CPUs of group g are busy 5 x - g percent, the fleet takes 300 W. Nothing is lost.
#ifndef TESTS_RESULTS_FIXTURE_POINTS_H
#define TESTS_RESULTS_FIXTURE_POINTS_H

#include <stdint.h>

#include "results/file/run_result.h"
#include "results/file/sweep_result.h"

// Half-widths of every estimate, as a part of it.
#define FIXTURE_HALF_95 0.01

// As run_result_read() would return it, without bins; caller run_result_destroy()s.
struct run_result *fixture_load(double level, uint32_t n_services, uint32_t n_groups);
// The same of a run that was overloaded: no latency, and the target is missed.
struct run_result *fixture_load_overloaded(double level, uint32_t n_services, uint32_t n_groups);

// policy ("random", "power of 2") x servers ("100", "2.5e3") x replication ("0", "1", "2"), that
// is four cases of three points; point i has level 10 + i. Points up to 5 have two services, the
// others one; points with 2.5e3 servers have two groups, the others one. Point 4 has failed, 8 is
// missing, 11 is foreign; 6 was overloaded. Caller destroys.
struct sweep_result *fixture_sweep(void);
// No axes, one point, which is missing.
struct sweep_result *fixture_points_least(void);

// Asserts that all that a file keeps of them is equal.
void fixture_sweep_same(const struct sweep_result *a, const struct sweep_result *b);

#endif
