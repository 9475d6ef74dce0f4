// SPDX-License-Identifier: Apache-2.0
// tuning_rows: a tuning as its tables show it (report_tuning.h).
//
// Which columns are worth showing, whether cells are called by their labels or by number, and the
// ratios that compare policies: gains are over the first policy, gaps are to the policy named
// "exhaustive", when there is one. A policy has an answer in a cell when it was shown to hold some
// rate there; ratios are NaN where one of the two has none.
//
//     struct tuning_rows v = tuning_rows_of(tuning);
//     struct table *table = table_create(tuning_rows_n_labels(&v) + 1);
//     tuning_rows_add_heads(&v, table);
//     table_cell(table, mem_strdup("gain x"));
#ifndef RESULTS_REPORT_TUNING_ROWS_H
#define RESULTS_REPORT_TUNING_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "results/report/table.h"
#include "results/file/tuning_result.h"

struct tuning_rows {
    const struct tuning_result *t; // borrowed
    int exhaustive;                // number of that policy, or -1
    bool numbered;                 // cells are called by number: their labels are too wide
    bool claims, tuned_elsewhere;  // some outcome's claimed_qps, tuned_qps differ from its qps
    int label_width;               // of all label columns together, in characters
};

// `tuning` is borrowed for as long as the view is used; there is nothing to release.
struct tuning_rows tuning_rows_of(const struct tuning_result *tuning);

const struct tuning_outcome *tuning_rows_outcome(const struct tuning_rows *v, uint32_t cell,
                                                 uint32_t policy);
// Is there an answer?
bool tuning_rows_found(const struct tuning_outcome *outcome);

// Rate, and rate per watt, over those of the first policy in the same cell.
double tuning_rows_gain(const struct tuning_rows *v, uint32_t cell, uint32_t policy);
double tuning_rows_efficiency_gain(const struct tuning_rows *v, uint32_t cell, uint32_t policy);
// How far the rate is below that of exhaustive, as a fraction of it; negative: above.
double tuning_rows_gap(const struct tuning_rows *v, uint32_t cell, uint32_t policy);

// The label columns come first in every table: how many, their heads, and what a cell has there.
int tuning_rows_n_labels(const struct tuning_rows *v);
void tuning_rows_add_heads(const struct tuning_rows *v, struct table *table);
void tuning_rows_add_labels(const struct tuning_rows *v, struct table *table, uint32_t cell);

#endif
