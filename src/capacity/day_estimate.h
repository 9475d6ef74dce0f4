// SPDX-License-Identifier: Apache-2.0
// day_estimate: from the slices of a day to the rows of its answer.
//
// A day's intervals are cut into equal strata, and from each stratum some pieces were simulated
// (sample.h), each a window at a random place of it on some cells. Pieces of one interval are of
// the same length and number of cells, so their queries count alike; over the day an interval with
// more pieces must not count more, so its pieces are weighted. Intervals of 95 % come from how
// pieces of one stratum differ (results/strata.h), so they cover cells and time.
//
// A stratum is overloaded when at least half of its pieces are, and at least two where there are
// two: one false alarm of a test that gives one in a thousand is no overload. It is doubtful when
// all of its pieces are, and so is an interval with more than half of its pieces: a queue that is
// nearly full looks doubtful in some pieces and not in others. Latencies of an overloaded interval,
// and of a day that has one, are not known; a target is not met where it is doubtful.
//
// Pure: same slices, same rows.
#ifndef CAPACITY_DAY_ESTIMATE_H
#define CAPACITY_DAY_ESTIMATE_H

#include <stdint.h>

#include "capacity/sample.h"
#include "results/file/capacity_result.h"

// What is drawn of the day; arrays belong to who made it.
struct day_estimate_design {
    uint32_t n_intervals, n_strata; // strata of each interval
    double interval_s, window_s, warmup_s;
    uint32_t *n_pieces; // [n_intervals] of each stratum
    uint32_t *cells;    // [n_intervals] of each piece
    double *cells_frac; // [n_intervals] those over all of the fleet's; 1 where it has no servers
};

// Rows, each with the power of the whole fleet; arrays are the caller's.
struct day_estimate_rows {
    struct measurement *trials;   // of interval h and service s: trials[h * stride + s]
    uint32_t stride;              // at least the fleet's n_services
    struct measurement *days;     // [n_services] of the whole day
    double n_queries, of_queries; // measured, and of the whole day, about
};

// How many pieces there are.
size_t day_estimate_n_pieces(const struct day_estimate_design *design);

// results: by interval, stratum and piece; all of them were cut from fleets with the services of
// `fleet`.
void day_estimate_fill(const struct day_estimate_design *design, const struct fleet_variant *fleet,
                       const struct slice_result *results, struct day_estimate_rows *rows);

#endif
