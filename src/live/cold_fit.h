// SPDX-License-Identifier: Apache-2.0
// cold_fit: the cold core of models/cost.h from measured times after a rest. [G]
//
// What was measured: a core rests for t, runs a few requests without a pause, rests again, and so
// on. Such a cycle returns to where it began, so by the equations of models/cost.h the core is cold
// to the degree
//
//     c = (1 - u) / (1 - u q),   u = exp(-t / cooling), q = exp(-work of a cycle / warming)
//
// at the end of the rest, and a request that follows `work` of the others takes, in parts of its
// time on a warm core,
//
//     1 + (factor - 1) c exp(-work / warming).
//
// factor is linear in that, so least squares are over the two times alone: from the best of a grid
// by the simplex of Nelder and Mead (GSL), weighted by the points' own standard errors.
//
// A fit that says nothing is "none": too small a factor, too little of the points' deviation from 1
// explained, or a time so long that the longest rest, or the work of a cycle, shows only the
// beginning of it. Times that are too short to be told from 0 are no harm: the core is as cold
// after the shortest rest as it gets, or as warm after one request.
#ifndef LIVE_COLD_FIT_H
#define LIVE_COLD_FIT_H

#include <stdbool.h>
#include <stddef.h>

// Requests at one place of one cycle.
struct cold_fit_point {
    double idle_s;       // rest before the cycle
    double work_s;       // of the cycle's requests before this one, at times on a warm core
    double cycle_work_s; // of all requests of the cycle
    double ratio;        // mean time over that on a warm core
    double error;        // standard error of ratio
};

struct cold_fit {
    bool found;                  // else none, and what follows is what was refused
    const char *why;             // none: why
    double factor;               // 1 ..
    double cooling_s, warming_s; // 63 % in either
    double residual_frac;        // root mean square of measured - fitted, in parts of a warm time
    double explained_frac;       // of the squares of ratio - 1, weighted or not, whichever is less
};

// Of the points whose ratio is known (not NaN: a place of which all requests were interrupted); at
// least three.
struct cold_fit cold_fit(const struct cold_fit_point *points, size_t n);

// What a fit says of a point, as a ratio.
double cold_fit_ratio(const struct cold_fit *fit, const struct cold_fit_point *point);

#endif
