// SPDX-License-Identifier: Apache-2.0
// page_compare: the report of a comparison (page.h).
//
// How many numbers are better and worse, in a sentence; of runs, latency by percentile in one
// picture; differences with their intervals round 0; the numbers of each side; and the table of
// compare.h.
#ifndef RESULTS_REPORT_PAGE_COMPARE_H
#define RESULTS_REPORT_PAGE_COMPARE_H

#include <stddef.h>

#include "results/file/run_result.h"
#include "results/report/compare.h"
#include "results/report/report_out.h"

// Pictures tell so many sides apart, and have so many rows.
#define PAGE_COMPARE_SIDES 7
#define PAGE_COMPARE_ROWS 24

// `runs`, read whole, are those of the sides that are runs, in their order; n_runs may be 0.
void page_compare_print(struct report_out *out, const struct compare *compare,
                        const struct run_result *const *runs, size_t n_runs);

#endif
