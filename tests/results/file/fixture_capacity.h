// SPDX-License-Identifier: Apache-2.0
// fixture_capacity: what a capacity search might have found, invented.
//
// Numbers follow rules that a test can repeat. Four intervals of six hours ask for 1000, 2000, 4000
// and 3000 queries per second of each service. A plan has one server per 100 of these times 4
// (blind), 3 (greedy) or 2 (optimal), times 2 under the first scheduler; peak keeps those of the
// third interval on. So optimal has 2/3 of greedy's servers, and following 5/8 of the peak's. The
// first scheduler's p95 is 1.32 times the second's, its p99 1.28 times.
#ifndef TESTS_RESULTS_FIXTURE_STAFFING_H
#define TESTS_RESULTS_FIXTURE_STAFFING_H

#include "results/file/capacity_result.h"

// find: plan. Two schedulers, three allocations, two provisionings, four intervals, two types
// ("skylake", "cpu + gpu, ti"), two services, all simulated. Caller destroys.
struct capacity_result *fixture_capacity(void);
// find: day. The given fleet under two schedulers; the second service misses its target at noon.
struct capacity_result *fixture_capacity_day(void);
// find: servers. One scheduler, two types, the second not found exactly; 0, 1 and 2 cells down.
struct capacity_result *fixture_capacity_sizes(void);
// find: load. Two schedulers, the second holds nothing.
struct capacity_result *fixture_capacity_loads(void);

#endif
