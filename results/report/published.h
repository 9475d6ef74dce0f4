// SPDX-License-Identifier: Apache-2.0
// published: figures that somebody published, next to what a tuning found.
//
// A row is one published number: of a quantity (queries per second, or per joule) under a policy,
// as the mean over all points of the tuning that have the row's labels; or of its ratio to the same
// quantity under a baseline policy, at the same point but for the labels that the row gives for the
// baseline. Ours is both the arithmetic and the geometric mean, because few publications say which
// theirs is.
//
// A rate is known to lie between the largest that was held and the smallest that was missed, so
// that a ratio of two rates, and a mean of such, has a bracket as well; of queries per joule only
// the value at the rate held is known. An answer whose bracket is wider than PUBLISHED_WIDEST_FRAC
// says little and is left out of the means, with its point.
//
//     struct published *p = published_create("50-paper.csv", tuning->grid.n_axes);
//     struct published_row *row = published_add(p);      // fill it in
//     published_print(out, p, tuning);
//     published_destroy(p);
#ifndef RESULTS_REPORT_PUBLISHED_H
#define RESULTS_REPORT_PUBLISHED_H

#include <stdint.h>

#include "results/file/tuning_result.h"
#include "results/report/report_out.h"

#define PUBLISHED_WIDEST_FRAC 0.5 // of the rate held
#define PUBLISHED_MOST_ROWS 200
#define PUBLISHED_ANY UINT32_MAX

enum published_quantity { PUBLISHED_QPS, PUBLISHED_QUERIES_PER_J, N_PUBLISHED_QUANTITIES };
extern const char *const published_quantity_names[]; // "qps" "queries_per_j" NULL

struct published_row {
    char *figure, *source; // owned; rows of one figure are one picture
    int quantity;          // enum published_quantity
    uint32_t policy;
    int baseline;               // policy; -1: the number itself
    uint32_t *at, *baseline_at; // [n_axes] owned: label; PUBLISHED_ANY: any, and for the baseline
                                // the point's own
    double value;
};

struct published {
    char *path; // of the file, for people
    char *text; // what it says; NULL: not kept
    uint32_t n_axes, n_rows;
    uint32_t n_left_out; // that speak of labels or policies which the tuning does not have
    struct published_row *rows;
};

struct published *published_create(const char *path, uint32_t n_axes);
void published_destroy(struct published *published); // NULL: no effect
// One more row of any label and no baseline, to be filled in; good until the next one.
struct published_row *published_add(struct published *published);
void published_drop(struct published *published); // the last row

// Ours for a row, over n of the n_all points that have its labels; NaN where n is 0. The bracket is
// NaN where it is not known.
struct published_mean {
    uint32_t n, n_all;
    double arithmetic, arithmetic_low, arithmetic_high;
    double geometric, geometric_low, geometric_high;
};
struct published_mean published_mean_of(const struct published_row *row,
                                        const struct tuning_result *tuning);

// A section: a picture for each figure, a table of all rows, and the file, folded.
void published_print(struct report_out *out, const struct published *published,
                     const struct tuning_result *tuning);

#endif
