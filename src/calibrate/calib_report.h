// SPDX-License-Identifier: Apache-2.0
// calib_report: docs/calibration.md, from the points and what the catalogue says of them.
//
// The page holds every residual that a bar is set for, the good and the bad, beside the bar, the
// number of parameters beside the number of points, and the places where the fit falls short. It
// depends on nothing but the catalogue and models/calibration/*.csv, so the same tree gives the
// same page, byte for byte; a test holds that.
#ifndef CALIBRATE_CALIB_REPORT_H
#define CALIBRATE_CALIB_REPORT_H

#include <stdio.h>

#include "calibrate/calib.h"

// Writes the page. `calib` has been evaluated with `library`.
void calib_report(FILE *out, const struct calib *calib, const struct library *library);

#endif
