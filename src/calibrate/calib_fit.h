// SPDX-License-Identifier: Apache-2.0
// calib_fit: parameters of the roofline cost from single-request measurements.
//
// A fit moves a set of keys together by least squares (Levenberg-Marquardt, GSL) to all points
// that have a bar. Residuals are errors over what is allowed, so a share 8 points off counts as
// much as a latency 25 % off. Keys are fitted as logarithms, so they stay above 0, each with a
// prior that keeps it in its place where no point knows it.
//
// Hardware that few points know is derived from another's values, see calib_derive(), but for the
// keys that a fit has of its own.
//
// calib_fits[] names every fit of these data that was tried, the one taken first. They differ in
// what is derived and in which points count; none of them sees a result of scheduling, and
// docs/calibration.md shows the gain that each of them leads to.
#ifndef CALIBRATE_CALIB_FIT_H
#define CALIBRATE_CALIB_FIT_H

#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "calibrate/calib.h"
#include "study/library.h"

struct calib_key {
    const char *hardware, *key;
    // What was expected, SI, or as a multiple of the key `like` of the same hardware; by what
    // factor it may differ, as a logarithm.
    double prior, spread;
    const char *like;   // NULL: none
    const char *source; // of the prior, in words
};

#define CALIB_OWN_MAX 3

struct calib_fit {
    const char *name;
    const char *words;              // how it differs from the one taken
    const char *own[CALIB_OWN_MAX]; // "hardware.key" fitted beside those of every fit, or NULL
    double rows_clock_frac;         // part of the time of a gathered row that follows the clock
    bool no_lone_shares;            // shares at one item do not count
    bool no_decisions;              // decision ratios do not count
};
extern const struct calib_fit calib_fits[]; // ends with a NULL name; the first is the one taken

const struct calib_fit *calib_fit_find(const char *name); // NULL: there is none

// The i-th key that a fit moves; NULL: no more.
const struct calib_key *calib_fit_key(const struct calib_fit *fit, size_t i);

// The member behind a key of a platform or an accelerator of the library; NULL: there is none.
double *calib_value(const struct library *library, const char *hardware, const char *key);

// Whether a point is fitted to: those with a bar, but no slow-down, and what the fit leaves out.
bool calib_fit_counts(const struct calib_fit *fit, const struct calib_point *point);

// With r = error over what is allowed: r (1 + 4 r^2). Points near a bar weigh more.
double calib_residual(const struct calib_point *point);

// Sets what one piece of hardware takes over from another: `skylake` and `broadwell` from `c5n`
// by clock and vector width, `gtx1080ti` from `t4` by data sheet.
void calib_derive(const struct calib_fit *fit, const struct library *library);

// Fits again in place, from the values that are there, and evaluates. Points of the model `without`
// (NULL: none) do not count.
int calib_fit_run(const struct calib_fit *fit, struct calib *calib, const struct library *library,
                  const char *without, struct err *err);

// "hardware.key value", SI, one a line: the keys of a fit and what is derived from them.
void calib_fit_print(FILE *out, const struct calib_fit *fit, const struct library *library);

#endif
