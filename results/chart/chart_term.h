// SPDX-License-Identifier: Apache-2.0
// chart_term: a chart in plain characters, for terminals.
//
// 72 columns wide, each series drawn with a letter of its own, which the line above explains; bars
// along x as rows of '#'. Nothing but ASCII apart from the names; no colours, no control sequences.
#ifndef RESULTS_CHART_CHART_TERM_H
#define RESULTS_CHART_CHART_TERM_H

#include <stdio.h>

#include "results/chart/chart.h"

#define CHART_TERM_COLUMNS 72

// With its title and, below, the axis along x.
void chart_term_write(const struct chart *chart, FILE *out);

#endif
