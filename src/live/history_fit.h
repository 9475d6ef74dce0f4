// SPDX-License-Identifier: Apache-2.0
// history_fit: what a history adds to a request, from times of requests with histories.
//
// A request of n items whose history has h takes, as the simulator has it (models/cost.h),
//
//     time = bare(n) + item_s * h + square_s * h^2 + item_history_s * n * h
//
// with a bare time of its own for every size n. The three coefficients and the bare times are
// fitted to measured times by weighted least squares, each time weighed by its relative error, half
// of which is that of all, and none less than 1 %. A time far below the others of its size (without
// a history, most of all) counts as known no better than if it were a quarter of their mean: it
// keeps the bare time from becoming negative, and does not bend the rest, which is no polynomial,
// to itself. A coefficient that came out below 0 is 0: of all choices of coefficients that may
// differ from 0, the best is taken. A coefficient that the lengths and sizes cannot tell (a square
// needs three lengths, a product two sizes) is 0 too.
//
// What is left over is told, as it is: memory that a longer history no longer fits in, vectors that
// it does not fill and the like are no polynomial.
#ifndef LIVE_HISTORY_FIT_H
#define LIVE_HISTORY_FIT_H

#include <stddef.h>
#include <stdint.h>

#include "models/cost.h"

struct history_fit_point {
    uint32_t items, history_items;
    double time_s;
    double error; // relative, a standard error; 0: not known
};

struct history_fit {
    struct cost_history of;
    // By how much the fit misses the points, in parts of their time, or of a quarter of the mean of
    // their size's where that is more: root mean square, and the worst.
    double residual_frac, worst_frac;
    size_t n_points;
};

// n >= 1.
struct history_fit history_fit(const struct history_fit_point *points, size_t n);

// What a history adds.
double history_fit_part_s(const struct history_fit *fit, double items, double history_items);

// The time of such a request, from that of one of the same size with a history of base_items; above
// 0, whatever the fit says.
double history_fit_s(const struct history_fit *fit, double base_s, double base_items, double items,
                     double history_items);

#endif
