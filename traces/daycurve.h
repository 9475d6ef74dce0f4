// SPDX-License-Identifier: Apache-2.0
// daycurve: a quantity that follows the time of day, as points at equal steps over a period.
//
// Point i holds at i / n of the period; between two points it is linear, and from the last one back
// to the first, so a curve has no seam. Values are >= 0 and relative: whoever uses a curve scales
// it. Means and maxima are exact for that piecewise linear function. Positions are counted in
// periods, from 0 on; 1.25 is a quarter into the second.
//
// A curve is given point by point, by the name of a built-in shape, or by a file, which is read as
// monitoring systems export it (timetable.h): rates alone, one a line; times and rates; times and a
// column for every series:
//
//     rate        time,rate        "Time","feed","ads"
//     0.52        0,0.52           2024-03-05 00:00:00,10800,3240
//     0.47        3600,0.47        2024-03-05 01:00:00,9931.7,2979
//
// or a line for every series and time:
//
//     "Series";"Time";"Value"
//     "feed";"2024-03-05T00:00:00Z";10,800.0
//     "ads";"2024-03-05T00:00:00Z";3,240.0
//
// Times have equal steps from the first on. A step that is missing, or a cell that is empty or says
// that there is no value, is a gap: an error, or filled in on a straight line between the points
// round it. A negative rate and one with a unit are errors.
#ifndef TRACES_DAYCURVE_H
#define TRACES_DAYCURVE_H

#include <stdbool.h>
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
// Most points that a file may have: a day by the second, and the first of the next.
#define DAYCURVE_MAX_POINTS 86401

// The shape (not NONE) with its highest point at 1 and its lowest at trough_frac, 0 .. 1. The list
// is the caller's to free with mem_free(out->v).
void daycurve_shape(enum daycurve_shape shape, double trough_frac, struct reals *out);

enum daycurve_gaps { DAYCURVE_GAPS_ERROR, DAYCURVE_GAPS_INTERPOLATE };
extern const char *const daycurve_gaps_names[]; // "error" "interpolate" NULL

// How a file is read. Texts are borrowed, and may be NULL for "".
struct daycurve_config {
    const char *time_column; // name or number; "": the one that is called so, else the first of two
    const char *series;      // name or number; "": the only one, else the one named as the service
    const char *service;
    int time_unit, separator, header; // as in timetable.h
    int gaps;                         // enum daycurve_gaps
};

// A curve as read from a file.
struct daycurve {
    struct reals rates; // the caller's to free with mem_free(rates.v)
    double step_s;      // between two points; 0: the file has no times
};

// The points of a text of n bytes; `name` stands for the file in errors, which begin with
// "name:line:column: ". On error *out is not touched.
int daycurve_parse(const char *name, const char *data, size_t n,
                   const struct daycurve_config *config, struct daycurve *out, struct err *err);
// The same from a file.
int daycurve_read(const char *path, const struct daycurve_config *config, struct daycurve *out,
                  struct err *err);

// Mean of the points, which is that of the whole curve: queries per second, if they are.
double daycurve_rate_qps(const struct reals *curve);
// Do the points look like rates in queries per second, beside a service of rate_qps? Relative ones
// have a peak or a mean of 1, or are in percent; a mean of the same order as the service's, or more
// than percents reach, is a rate.
bool daycurve_is_absolute(const struct reals *curve, double rate_qps);

// Mean and largest value of a curve of at least one point over [from, to], 0 <= from < to.
double daycurve_mean(const struct reals *curve, double from, double to);
double daycurve_max(const struct reals *curve, double from, double to);

#endif
