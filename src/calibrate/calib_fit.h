// SPDX-License-Identifier: Apache-2.0
// calib_fit: parameters of the roofline cost from single-request measurements.
//
// A stage fits a set of keys together by least squares (Levenberg-Marquardt, GSL) to all points
// that have a bar. Residuals are errors over what their bar allows, so a share 8 points off counts
// as much as a latency 25 % off. Keys are fitted as logarithms, so they stay above 0, each with a
// prior that keeps it in its place where no point knows it.
//
// Hardware that few points know is derived from another's values, see calib_derive(), but for the
// keys that a stage names.
#ifndef CALIBRATE_CALIB_FIT_H
#define CALIBRATE_CALIB_FIT_H

#include <stddef.h>

#include "base/err.h"
#include "calibrate/calib.h"
#include "study/library.h"

#define CALIB_KEYS_MAX 48

struct calib_key {
    const char *hardware, *key;
    double prior, spread; // what was expected, SI, and by what factor it may differ, as a logarithm
};

struct calib_stage {
    const char *name;
    const char *points;                    // in words, what they are fitted to
    struct calib_key keys[CALIB_KEYS_MAX]; // ends with a NULL key
};
extern const struct calib_stage calib_stages[]; // ends with a NULL name

// The member behind a key of a platform or an accelerator of the library; NULL: there is none.
double *calib_value(const struct library *library, const char *hardware, const char *key);

// Whether a point is fitted to: those with a bar, but no slow-down.
bool calib_fits(const struct calib_point *point);

// With r = error over the largest that its bar allows: r (1 + 4 r^2). Points near a bar weigh more.
double calib_residual(const struct calib_point *point);

// Sets what one piece of hardware takes over from another: `skylake` and `broadwell` from `c5n`
// by clock and vector width, `gtx1080ti` from `t4` by data sheet.
void calib_derive(const struct library *library);

// Refits the keys of a stage in place, from the values that are there.
int calib_fit(const struct calib_stage *stage, struct calib *calib, const struct library *library,
              struct err *err);

#endif
