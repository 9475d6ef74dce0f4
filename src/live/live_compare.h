// SPDX-License-Identifier: Apache-2.0
// live_compare: what was measured next to what was computed of the same arrivals.
//
// Both are records of the same shape, so their bins are pairs: the same queries, in the same order,
// at the same times. An error is the computed number over the measured one, less 1; its interval
// comes from the errors of batches of bins, round that of the whole (results/ci.h, sections), so
// what the two have in common is no part of it.
//
//     struct live_window window = {first_bin, n_bins, n_units};
//     live_compare_row(&window, measured, computed, &row);
//     row.number[LIVE_P95].error_frac.value        // 0.03: the computed p95 is 3 % longer
#ifndef LIVE_LIVE_COMPARE_H
#define LIVE_LIVE_COMPARE_H

#include <stdint.h>

#include "results/ci.h"
#include "results/record.h"

enum live_number { LIVE_MEAN, LIVE_P50, LIVE_P95, LIVE_P99, LIVE_BUSY, N_LIVE_NUMBERS };
extern const char *const live_compare_names[]; // "mean" "p50" "p95" "p99" "busy" NULL

struct live_window {
    uint32_t first_bin, n_bins; // that are measured
    uint32_t n_workers;
};

// Of all services together: latencies in seconds, busy as a fraction.
struct live_row {
    struct {
        double value;
        struct ci error_frac; // not known for what was measured itself
    } number[N_LIVE_NUMBERS];
};

// other: NULL, then the row has what was measured alone.
void live_compare_row(const struct live_window *window, const struct record *measured,
                      const struct record *other, struct live_row *row);

#endif
