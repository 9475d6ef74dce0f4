// SPDX-License-Identifier: Apache-2.0
// sample_fixture: studies that pieces of a day are cut from.
//
// Small enough that a slice takes some milliseconds. Parsed once per test; callers study_destroy().
#ifndef TESTS_CAPACITY_SAMPLE_FIXTURE_H
#define TESTS_CAPACITY_SAMPLE_FIXTURE_H

#include "capacity/sample.h"
#include "study/study.h"

// Parses a study; fails the test where that fails.
struct study *sample_fixture_parse(const char *text);

// Two services, Poisson and diurnal (period 24 s), on two groups of 12 and 4 servers of 4 cores in
// 4 cells.
struct study *sample_fixture_study(void);

// The whole fleet of a study, as it stands; n_servers [n_groups] is the caller's.
struct fleet_variant sample_fixture_fleet(const struct study *study, uint32_t *n_servers);

// 50 ms of warm-up and 200 ms of ten batches.
struct slice sample_fixture_slice(const struct fleet_variant *fleet, uint64_t number,
                                  uint32_t n_cells);

// Are they the same answers, to the last bit?
bool sample_fixture_same(const struct slice_result *a, const struct slice_result *b);

#endif
