// SPDX-License-Identifier: Apache-2.0
// fixture: records and descriptions for the tests of results/.
//
// Queues are simulated here by the plain recursion on the earliest free core, without anything from
// cluster/, so that what results/ makes of a record is held against known theory.
#ifndef TESTS_RESULTS_FIXTURE_H
#define TESTS_RESULTS_FIXTURE_H

#include <stdint.h>

#include "results/meta.h"
#include "results/record.h"
#include "results/summary.h"

// Two services, two groups of two servers (one core, no accelerator), one cell; caller destroys.
struct meta *fixture_meta(void);
// One service, one group, `servers` servers of `cores` cores.
struct meta *fixture_meta_one(uint32_t servers, uint32_t cores);

// The shape that fits: `duration_ns` without a given warm-up.
struct record_shape fixture_shape(const struct meta *meta, uint32_t n_bins, int64_t duration_ns);

struct fixture_queue {
    uint64_t seed, entity; // of the stream of random numbers
    uint32_t service, group, server;
    uint32_t cores;
    double rho;        // offered load
    double service_ns; // mean, exponential
};

// One M/M/k queue over the whole record, added to what is there. Energy: 1 W per busy core.
void fixture_run_queue(struct record *record, const struct fixture_queue *queue);

// A record with something in every member: two services over both paths, samples, four servers.
// Only queries and servers with number % n_parts == part are in it.
struct record *fixture_part(const struct meta *meta, uint32_t part, uint32_t n_parts);

// Asserts that the two are equal in every bit, samples in their order.
void fixture_same_records(const struct record *a, const struct record *b);

// What a run's own summary and file need beside it.
struct run_info fixture_run(void);

#endif
