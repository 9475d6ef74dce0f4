// SPDX-License-Identifier: Apache-2.0
// table_fit: a closed form or a platform from a user's measured times. [G]
//
// Two forms, both linear in what is fitted, by least squares of the relative errors (GSL):
//
//     affine    (fixed + per_item * batch) * (1 + contention * (busy - 1) / (most busy - 1))
//     roofline  f * (fixed times of the base platform's cost) + r * (the rest of it)
//
// For the second a base platform and the model must be known: f scales its fixed times and r its
// times per byte and operation, so that its rates are divided by r. A number that would be negative
// is 0. Contention is fitted in turn with the other two, which it multiplies.
//
// What a form is worth shows where it was not fitted: every point has its error once more from a
// fit to all the others.
#ifndef STUDY_TABLE_FIT_H
#define STUDY_TABLE_FIT_H

#include <stddef.h>

#include "base/err.h"
#include "models/catalogue.h"
#include "models/cost_table.h"
#include "models/platform.h"

struct table_fit_point {
    double batch_items, busy_cores, measured_s;
    double fitted_s, left_out_s; // by all points; by all others, NaN: too few
};

struct table_fit {
    double first, second;   // fixed_s and per_item_s, or f and r
    double contention_frac; // affine
    size_t n;
    struct table_fit_point *points;                   // [n], owned
    double median_frac, worst_frac;                   // relative errors of fitted_s, absolute
    double left_out_median_frac, left_out_worst_frac; // of left_out_s
};

// The table has CPU times of at least two batches.
int table_fit_affine(struct table_fit *fit, const struct cost_table *table, struct err *err);
int table_fit_roofline(struct table_fit *fit, const struct cost_table *table,
                       const struct model *model, const struct platform *base, struct err *err);
void table_fit_release(struct table_fit *fit); // NULL: no effect

// The keys of `base` that a roofline fit changes, as YAML lines "    fc_peak: ...\n"; and the
// affine form as a table of two batches, which is the same between and, extended, beyond them.
// Caller mem_free()s.
char *table_fit_platform_yaml(const struct table_fit *fit, const struct platform *base,
                              const char *name);
char *table_fit_table_yaml(const struct table_fit *fit, const struct cost_table *table,
                           const char *name);

#endif
