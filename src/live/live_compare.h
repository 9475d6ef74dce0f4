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
//     row.number[FIDELITY_P95].error_frac.value        // 0.03: the computed p95 is 3 % longer
#ifndef LIVE_LIVE_COMPARE_H
#define LIVE_LIVE_COMPARE_H

#include <stdint.h>

#include "results/fidelity.h"
#include "results/record.h"

struct live_window {
    uint32_t first_bin, n_bins; // that are measured
    uint32_t n_workers;
};

// other: NULL, then the row has what was measured alone.
void live_compare_row(const struct live_window *window, const struct record *measured,
                      const struct record *other, struct fidelity_row *row);

#endif
