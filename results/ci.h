// SPDX-License-Identifier: Apache-2.0
// ci: confidence intervals from batches, by Student's t.
//
// A run is cut into n consecutive batches; a statistic of each is one observation. Intervals are
// symmetric: value +- half-width. With fewer than two batches there is no spread to see, and the
// half-width is NaN, shown as "n/a": never 0.
//
// Two forms. ci_means(): the estimate is the mean of the batch values. ci_sections(): the estimate
// comes from the whole run (a quantile of the merged histogram), and the batch values are spread
// round that (sectioning: Asmussen & Glynn, Stochastic Simulation, 2007, section III.5a): the bias
// of a short batch's quantile does not move the estimate, and it widens the interval.
#ifndef RESULTS_CI_H
#define RESULTS_CI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// In the unit of the value. All NaN: not known.
struct ci {
    double value;
    double half_95;     // half-width at 95 %
    uint32_t n_batches; // that the half-width comes from
};

// What is not known.
struct ci ci_none(void);

// Quantile p of Student's t with dof > 0 degrees of freedom; NaN for dof <= 0.
double ci_t(double p, double dof);

// Batches that are NaN (nothing happened in them) are left out of both.
struct ci ci_means(const double *batches, size_t n);
struct ci ci_sections(double value, const double *batches, size_t n);

// a - b of two independent estimates (Welch: dof by Satterthwaite from n_batches - 1 each).
struct ci ci_welch(struct ci a, struct ci b);

// True when the interval at 95 % is known and does not hold `x`.
bool ci_excludes(struct ci ci, double x);

#endif
