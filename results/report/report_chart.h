// SPDX-License-Identifier: Apache-2.0
// report_chart: a picture in a report, in whatever form the report has.
//
// HTML: a figure with its title as a permalink, the picture, its caption and, folded, the table
// behind it. SVG: the picture below the last. Text: in characters where the report draws. Markdown:
// caption and table. JSON and CSV: the table alone, under the chart's name.
//
// The table has a line per point: series, x, y, and the ends of its 95 % interval where any point
// has one; of a heat map the number of each cell. At most REPORT_CHART_ROWS lines are shown to
// people, with a count of the rest; programs get all.
#ifndef RESULTS_REPORT_REPORT_CHART_H
#define RESULTS_REPORT_REPORT_CHART_H

#include "results/chart/chart.h"
#include "results/report/report_out.h"

// Above so many points in all the picture in a page is thinned out: lines keep their shape.
#define REPORT_CHART_ROWS 500

// Prints the chart and destroys it; one without points, or that is not wanted, leaves nothing.
void report_chart(struct report_out *out, struct chart *chart);

#endif
