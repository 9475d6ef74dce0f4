// SPDX-License-Identifier: Apache-2.0
// tuning_rows: a tuning as its tables show it (report_tuning.h).
//
// Which columns are worth showing, whether points are called by their labels or by number, and the
// rows of the tables: an outcome with the ratios that compare policies. Gains are over the first
// policy, gaps are to the policy named "exhaustive", when there is one. A policy has an answer at a
// point when it was shown to hold some rate there; ratios are NaN where one of the two has none,
// and where there is no answer no settings were chosen and no verdict was asked for.
//
//     struct tuning_rows v = tuning_rows_of(tuning);
//     struct tuning_row row = tuning_rows_row(&v, point, policy);
//     const struct report_columns c = {columns, v.fields, .context = &v};
//     report_columns_row(&c, table, &row);
#ifndef RESULTS_REPORT_TUNING_ROWS_H
#define RESULTS_REPORT_TUNING_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "results/file/tuning_result.h"
#include "results/report/table.h"

// More than the tables of fields have that a row is made of.
#define TUNING_ROWS_FIELDS 64

struct tuning_rows {
    const struct tuning_result *t; // borrowed
    int exhaustive;                // number of that policy, or -1
    bool numbered;                 // points are called by number: their labels are too wide
    bool claims, tuned_elsewhere;  // some outcome's claimed_qps, tuned_qps differ from its qps
    int label_width;               // of all label columns together, in characters
    // Of a struct tuning_row, by the names of the file, and gain, efficiency_gain, gap_frac.
    struct data_field fields[TUNING_ROWS_FIELDS];
};

struct tuning_row {
    struct tuning_outcome outcome;
    double settings[CHOSEN_MOST]; // of the choice, times in ms; NaN: not used
    bool found;                   // is there an answer?
    double gain, efficiency_gain; // rate, and rate per watt, over those of the first policy
    double gap_frac;              // rate below that of exhaustive; negative: above
};

// Is there an outcome? Not where a tuning was stopped before.
bool tuning_rows_is_done(const struct tuning_outcome *outcome);

// `tuning` is borrowed for as long as the view is used; there is nothing to release.
struct tuning_rows tuning_rows_of(const struct tuning_result *tuning);
struct tuning_row tuning_rows_row(const struct tuning_rows *v, uint32_t point, uint32_t policy);

// The label columns come first in every table: how many, their heads, and what a point has there.
int tuning_rows_n_labels(const struct tuning_rows *v);
void tuning_rows_add_heads(const struct tuning_rows *v, struct table *table);
void tuning_rows_add_labels(const struct tuning_rows *v, struct table *table, uint32_t point);

#endif
