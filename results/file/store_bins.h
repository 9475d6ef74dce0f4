// SPDX-License-Identifier: Apache-2.0
// store_bins: the group /bins of the results file: the run over time. [H]
//
// One row per time bin, the warm-up's too (`measured` tells them apart): per service what arrived
// in the bin and its latency, per group and component what was busy, at what power, and how much
// was still to do. Quantiles of a bin with too few queries are NaN, as in the summary.
#ifndef RESULTS_FILE_STORE_BINS_H
#define RESULTS_FILE_STORE_BINS_H

#include "results/file/store_piece.h"

// Collective over the file's communicator. Creates the group and everything in it.
void store_bins_write(const struct store_writer *w);

#endif
