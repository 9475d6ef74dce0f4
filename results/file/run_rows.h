// SPDX-License-Identifier: Apache-2.0
// run_rows: what a run's file says beyond its summary, made from the record: time bins, histogram,
// servers, the sample of queries.
#ifndef RESULTS_FILE_RUN_ROWS_H
#define RESULTS_FILE_RUN_ROWS_H

#include "results/file/run_layout.h"

// Fills in the frame's rows of bins, buckets, servers and samples, and their lengths, for the run
// whose meta and summary stand in the frame. run_rows_release() frees them.
void run_rows_fill(struct run_frame *frame, const struct record *total);
void run_rows_release(struct run_frame *frame);

#endif
