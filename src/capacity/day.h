// SPDX-License-Identifier: Apache-2.0
// day: a fleet over a day, estimated from a sample of its cells and of its time. [M]
//
// Every interval of the day is cut into equal strata, its windows. From each stratum a few pieces
// are simulated, independent of each other: a window of time at a random place in it, on cells that
// are drawn anew (sample.h), after a warm-up of its own. So no piece knows of another, the sample
// follows the course of the day, and how far the answer may be off is seen from the differences
// between pieces of one stratum (results/strata.h).
//
// How much is needed is found by a pilot sample. The answer comes from a second sample alone, drawn
// afresh and of a size that was fixed before it, so it was not stopped when it looked good. It is
// aimed at half-widths of p95 of at most accuracy_frac in every interval, for every service that
// has queries enough; whether they are reached, the rows say.
//
// The warm-up is at least 20 times the longest target (10 times the longest service time), and ten
// times as long as a full pool of cores remembers its queue at the load that the pilot saw, but no
// more than 20 times the former.
//
// A sample that is as large as the day has little use, but it is right: a fleet of one small cell
// is simulated over and over. Numbers of slices (struct slice) from 2^48 on are the day's.
//
//     struct day_result result = {.rows = {trials, n_services, days}};
//     if (sample_check(study, &err) < 0) ...
//     if (day_run(bench, &plan, &result, &err) < 0) ...
#ifndef CAPACITY_DAY_H
#define CAPACITY_DAY_H

#include <stdint.h>

#include "capacity/day_estimate.h"
#include "base/err.h"
#include "results/file/capacity_result.h"

// Interval, windows, cells, warm-up: as the study's capacity section says, where it says so.
struct day_plan {
    const struct fleet_variant *fleets; // [interval]; of one study, with the same services
    const double *rates_qps; // [interval][service], steady; NULL: the services' own processes
    double accuracy_frac;    // half-width of p95 over p95; <= 0: no pilot, as little as will do
    uint64_t number;         // below 2^15: days of one number see the same traffic
};

struct day_result {
    struct day_estimate_rows rows; // its arrays and stride are the caller's
    struct capacity_sample sample; // of the second sample
    uint64_t n_simulated;          // queries, warm-ups and pilot included
};

// Collective (comm of the bench). Logically collective: plan. The study has passed sample_check().
// Fills *result, whose rows the caller has given room. An interval whose fleet has no servers, or
// no traffic, has rows without numbers. Fails as sample_run() does.
int day_run(struct sample_bench *bench, const struct day_plan *plan, struct day_result *result,
            struct err *err);

#endif
