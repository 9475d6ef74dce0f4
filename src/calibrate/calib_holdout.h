// SPDX-License-Identifier: Apache-2.0
// calib_holdout: what the calibration says of what it has not seen.
//
// A fit that meets its bars may have learned them by heart. Two checks do not let it:
//
//   by model     every model is left out in turn, all of its points at once, and the rest is fitted
//                again; what that fit says of the model is held against the model's points
//   by machine   the measured tables of another machine, which nothing is fitted to, up to one
//                factor, since the machine is another one
//
//     struct calib *calib = calib_read("models/calibration", &err);
//     calib_hold_out_models(&calib_fits[0], calib, &err);       // ours: without the point's model
//     struct calib_error error = calib_error(calib, CALIB_COMPUTE, "c5n");
#ifndef CALIBRATE_CALIB_HOLDOUT_H
#define CALIBRATE_CALIB_HOLDOUT_H

#include <stdio.h>

#include "base/err.h"
#include "calibrate/calib.h"
#include "calibrate/calib_fit.h"
#include "study/library.h"

// The bars of what is held out, over the computing times of c5n, and of din-repo against its table.
#define CALIB_HELD_MEDIAN 0.12
#define CALIB_HELD_WORST 0.45
#define CALIB_DIN_SPREAD 1.6

// The machine of the tables.
#define CALIB_OTHER_MACHINE "zen5-2core"

// Fills `ours` of every point with the prediction of a fit that has not seen the point's model.
int calib_hold_out_models(const struct calib_fit *fit, struct calib *calib, struct err *err);

// One computing time for each knot of one busy core of the other machine's tables, said of `on`.
// Owned by the caller, evaluated; NULL with *err when a model or the platform is missing.
struct calib *calib_hold_out_machine(const struct library *library, const char *on,
                                     struct err *err);

// The factor that halves the points, and how far off they are once it is taken out (largest of a
// ratio and its inverse). `model` NULL: all.
struct calib_factor {
    size_t n;
    double factor, median, worst;
};
struct calib_factor calib_factor_of(const struct calib *calib, const char *model);

// The best factor of one model leaves its points within this factor of their table.
double calib_spread_of(const struct calib *calib, const char *model);

// One line of CSV for each fit: its name and errors, from points that it has evaluated.
void calib_fits_header(FILE *out);
int calib_fits_row(FILE *out, const struct calib_fit *fit, const struct calib *calib,
                   const struct library *library, struct err *err);

// The section of docs/calibration.md: both checks.
int calib_holdout_report(FILE *out, struct calib *calib, const struct library *library,
                         struct err *err);

#endif
