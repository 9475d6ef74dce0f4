// SPDX-License-Identifier: Apache-2.0
// calib_report: docs/calibration.md, from the points and what the catalogue says of them.
//
// The page holds every residual that a bar is set for, the good and the bad, beside the bar, the
// number of parameters beside the number of points, and the places where the fit falls short. It
// depends on nothing but the catalogue and models/calibration/*.csv, so the same tree gives the
// same page, byte for byte; a test holds that. What is held out follows it, see calib_holdout.h.
#ifndef CALIBRATE_CALIB_REPORT_H
#define CALIBRATE_CALIB_REPORT_H

#include <stdio.h>

#include "base/err.h"
#include "calibrate/calib.h"

// Writes the page. `calib` has been evaluated with `library`; `folder` holds fits.csv.
int calib_report(FILE *out, const struct calib *calib, const struct library *library,
                 const char *folder, struct err *err);

// A table of ours / theirs: `header`, then one row per model and machine of the kind.
void calib_report_series(FILE *out, const struct calib *calib, enum calib_kind kind, double unit,
                         const char *title, const char *header);

#endif
