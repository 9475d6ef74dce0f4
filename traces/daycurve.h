// SPDX-License-Identifier: Apache-2.0
// daycurve: a quantity that follows the time of day, as points at equal steps over a period.
//
// Point i holds at i / n of the period; between two points it is linear, and from the last one back
// to the first, so a curve has no seam. Values are >= 0 and relative: whoever uses a curve scales
// it. Means and maxima are exact for that piecewise linear function. Positions are counted in
// periods, from 0 on; 1.25 is a quarter into the second.
//
// A curve is given point by point, by the name of a built-in shape, or by a file:
//
//     rate                       time,rate
//     0.52                       0,0.52
//     0.47            or         3600,0.47
//     ...                        ...
//
// one line per point, a header being optional. Times are in seconds and have equal steps from the
// first on; a step that is missing or unequal is a gap, which is an error like a negative rate.
#ifndef TRACES_DAYCURVE_H
#define TRACES_DAYCURVE_H

#include <stddef.h>

#include "base/err.h"
#include "base/schema.h"

// Built-in shapes, hour by hour from midnight. They are stylised, drawn by hand after what is known
// of such traffic, and measured nowhere:
//
//   evening    one region: least at 4 h, most at 20 h
//   two-peaks  working hours: most at 11 h, a dip after noon, a second top at 20 h
//   global     one service for the whole world, hours in UTC: most at 17 h, when it is evening in
//              Europe and Asia and the Americas are awake, least at 5 h, the evening of the Pacific
//              coast (peak and trough as told in engineering.fb.com, 2020-09-14, "Throughput
//              autoscaling")
enum daycurve_shape {
    DAYCURVE_NONE,
    DAYCURVE_EVENING,
    DAYCURVE_TWO_PEAKS,
    DAYCURVE_GLOBAL,
    N_DAYCURVE_SHAPES
};
extern const char *const daycurve_shape_names[]; // "none" "evening" "two-peaks" "global" NULL

#define DAYCURVE_SHAPE_POINTS 24
// Most points that a file may have: a day by the second.
#define DAYCURVE_MAX_POINTS 86400

// The shape (not NONE) with its highest point at 1 and its lowest at trough_frac, 0 .. 1. The list
// is the caller's to free with mem_free(out->v).
void daycurve_shape(enum daycurve_shape shape, double trough_frac, struct reals *out);

// The points of a text of n bytes; `name` stands for the file in errors, which begin with
// "name:line:column: ". The list is the caller's, as above; on error it is not touched.
int daycurve_parse(const char *name, const char *data, size_t n, struct reals *out,
                   struct err *err);
// The same from a file.
int daycurve_read(const char *path, struct reals *out, struct err *err);

// Mean and largest value of a curve of at least one point over [from, to], 0 <= from < to.
double daycurve_mean(const struct reals *curve, double from, double to);
double daycurve_max(const struct reals *curve, double from, double to);

#endif
