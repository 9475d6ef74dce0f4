// SPDX-License-Identifier: Apache-2.0
// chart_svg: a chart as SVG.
//
// The picture is complete by itself: no script, no font, no file beside it; the same chart gives
// the same bytes. Colours come from CSS custom properties (--ink, --quiet, --grid, --paper, --c0 ..
// --c7), so a page decides between light, dark and print; chart_svg_style() is what a page needs of
// them. A picture alone has its colours as numbers, light and dark. Series differ in colour and in
// dashes. Nothing is drawn outside of the picture, no text lies over another: legends wrap, names
// that are too long end in "…" and have the whole name as a title that shows under the pointer.
//
// What a script finds: g.panel with data-x and data-y (kind, from, to, and in pixels left or
// bottom, right or top), in it svg.plot with a g.series for each series, data-name and its class
// cN; text.tick-x.
#ifndef RESULTS_CHART_CHART_SVG_H
#define RESULTS_CHART_CHART_SVG_H

#include <stdbool.h>
#include <stdio.h>

#include "results/chart/chart.h"

#define CHART_SVG_WIDTH 460.0 // of every picture, in its own pixels

// The picture, from <svg> to </svg>. `alone`: with its title, its caption and its style inside, as
// a file. Returns its height.
double chart_svg_write(const struct chart *chart, bool alone, FILE *out);
// The height that it would have.
double chart_svg_height(const struct chart *chart, bool alone);

// CSS for the classes that are drawn, with the colours of light and dark as properties.
void chart_svg_style(FILE *out);

#endif
