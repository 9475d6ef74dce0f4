// SPDX-License-Identifier: Apache-2.0
// verdict: what a run says to a search (search/measure.h).
//
// A queue is stable when its component is (results/overload.h). A target is met when the 95 %
// interval of the fraction of late queries ends below what the target's percentile allows, missed
// when it begins above; likewise p99 against its bound. With several services the worst verdict
// counts, and the service nearest to missing its target lends its numbers. Services without a
// target have no say. Percentiles that the run is too short for have no interval (summary.h).
#ifndef RUNS_VERDICT_H
#define RUNS_VERDICT_H

#include <stdint.h>

#include "results/meta.h"
#include "results/record.h"
#include "search/measure.h"

struct verdict_scope {
    uint32_t group;   // whose utilisation is told
    double p99_bound; // times the target; 0: none
    // [services of the record], filled in: each by itself, n_queries those that were measured.
    // NULL: not asked for.
    struct measurement *services;
};

// `total`: the record over all ranks. `meta` fits it, and gets its times. All but n_queries, which
// is left 0: a record does not hold what was simulated before it was measured.
struct measurement verdict_of(const struct record *total, struct meta *meta,
                              const struct verdict_scope *scope);

#endif
