// SPDX-License-Identifier: Apache-2.0
// chart: what a picture shows, apart from how it is drawn.
//
// A chart has one axis along x, which its panels share, and one or more panels, each with its own
// axis along y; and series of points, each in a panel and drawn as a line, a band, bars, ... What
// is not known (NaN) leaves a gap; a line to a y of INFINITY, which no axis holds, leaves the
// picture at the top. chart_svg.h draws it for browsers, chart_term.h in characters; the numbers
// behind it go into a table (results/report/report_chart.h).
//
//     struct chart *c = chart_create("knee", "Latency against load");
//     chart_caption(c, "p95 over 60 s of traffic, with 95 %% intervals.");
//     chart_axis_x(c, SCALE_LINEAR, "load", "qps");
//     chart_axis_y(c, 0, SCALE_LOG, "p95", "ms");
//     uint32_t s = chart_series(c, 0, CHART_LINE, "random");
//     chart_point(c, s, (struct chart_point){.x = 1000, .y = 7.1, .low = 7.0, .high = 7.2});
//     chart_destroy(c);
//
// Texts are copied. Their bytes may be anything: those who draw escape them.
#ifndef RESULTS_CHART_CHART_H
#define RESULTS_CHART_CHART_H

#include <stdbool.h>
#include <stdint.h>

#include "results/chart/scale.h"

enum chart_mark {
    CHART_LINE,   // y against x; intervals (low .. high) as a band behind it
    CHART_STEP,   // the same, each y up to the next x
    CHART_POINTS, // dots; intervals as whiskers
    CHART_BARS,   // from 0 to y, or along x where the axis of y has names; intervals as whiskers
    CHART_REST,   // many lines with gaps (NaN) between them, thin and grey behind all others
    CHART_CELLS,  // a heat map: the colour of the cell round (x, y) says z
    CHART_RULE_X, // a line across at x, named
    CHART_RULE_Y, // a line across at y, named
    N_CHART_MARKS
};

struct chart_point {
    double x, y;
    double low, high; // of y (of bars along x: of x); equal or NaN: no interval
    double z;         // of a cell
};

struct chart_axis {
    int kind; // enum scale_kind
    char *label, *unit;
    double from, to; // NaN: as the points want it
    char **names;    // [n_names] of SCALE_NAMES
    uint32_t n_names;
};

struct chart_panel {
    char *title; // NULL: none
    struct chart_axis y;
};

struct chart_series {
    char *name;
    int mark; // enum chart_mark
    uint32_t panel;
    uint32_t colour; // series of one colour belong together
    uint32_t n, cap;
    struct chart_point *points;
};

struct chart {
    char *id, *title, *caption; // caption: what, in which unit, over which interval
    struct chart_axis x;
    char *z_label; // of cells
    int z_kind;    // of their colours: SCALE_LINEAR, or SCALE_LOG where all are above 0
    uint32_t n_panels, n_series, series_cap;
    struct chart_panel *panels;
    struct chart_series *series;
};

// With one panel; caller frees with chart_destroy(). `id` is unique on a page, of [a-z0-9-].
struct chart *chart_create(const char *id, const char *title);
void chart_destroy(struct chart *chart); // NULL: no effect

void chart_caption(struct chart *chart, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// One more panel below; its number. The first (0) is there from the start and has no title until
// chart_panel_title().
uint32_t chart_panel(struct chart *chart, const char *title);
void chart_panel_title(struct chart *chart, uint32_t panel, const char *title);

void chart_axis_x(struct chart *chart, int kind, const char *label, const char *unit);
void chart_axis_y(struct chart *chart, uint32_t panel, int kind, const char *label,
                  const char *unit);
// The axis goes from .. to whatever the points are; NaN: of that end they decide.
void chart_axis_range(struct chart_axis *axis, double from, double to);
// The axis has names, n of them: name i is at i.
void chart_axis_names(struct chart_axis *axis, const char *const *names, uint32_t n);
// "ms" -> "latency, ms"; caller mem_free()s.
char *chart_axis_title(const struct chart_axis *axis);

// One more series; its number. It has the colour of the first series of that name.
uint32_t chart_series(struct chart *chart, uint32_t panel, int mark, const char *name);
void chart_point(struct chart *chart, uint32_t series, struct chart_point point);
// Without an interval; with one, of a value and its half-width; a named line across.
void chart_add(struct chart *chart, uint32_t series, double x, double y);
void chart_add_ci(struct chart *chart, uint32_t series, double x, double y, double half);
void chart_rule(struct chart *chart, uint32_t panel, int mark, const char *name, double at);

// Is it a line across? Has the point an interval that can be seen?
bool chart_is_rule(const struct chart_series *series);
bool chart_has_interval(const struct chart_point *point);

// Is there anything to draw? Not where no point is known.
bool chart_has_points(const struct chart *chart);
// Do the bars of the panel lie along x?
bool chart_is_flat(const struct chart *chart, uint32_t panel);
// The scales of an axis over all points that it has to hold: of x, and of a panel's y.
struct scale chart_scale_x(const struct chart *chart, int n_ticks);
struct scale chart_scale_y(const struct chart *chart, uint32_t panel, int n_ticks);

// The scale of the colours of all cells, from the least z to the most; NaN: none is known. Of a
// logarithm that cannot be it is linear.
struct scale chart_scale_z(const struct chart *chart);
// How dark a cell is: 0 .. 1; in the middle where all are alike, to 0.2 %.
double chart_shade(const struct scale *z, double value);
// Cells over more than two decades: linear colours would tell apart the largest alone. Its
// chart's z_kind is to be SCALE_LOG.
bool chart_is_wide(const struct chart *chart);

#endif
