// SPDX-License-Identifier: Apache-2.0
// trace_file: a trace from a file, whatever its format: CSV, or HDF5 by its signature.
//
// The same settings (traces/trace_csv.h) mean the same for both: an HDF5 trace and the CSV trace of
// the same records are the same trace. In HDF5 a column is the path of a one-dimensional dataset
// of numbers, "/t"; "auto", or "1" and "2", are the times and sizes of the sampled queries in a
// results file of ours, /sample/arrive_s and /sample/size_items. Times are in `time_unit`; auto:
// what the dataset's attribute `units` says ("ms", also as in "ms since 2024-01-01"), without one
// seconds if it holds floating point; integers without units need to be told. Integers are exact to
// the nanosecond, floating point is rounded to the nearest. Keys that
// only a text can have, such as `header` and `separator`, are errors.
//
// A bad record is one error, "trace.h5: /t: record 17: ...", records counted from 1, with the
// number of bad records if there are more; such a file gives no trace.
#ifndef STUDY_TRACE_FILE_H
#define STUDY_TRACE_FILE_H

#include "base/err.h"
#include "traces/trace.h"
#include "traces/trace_csv.h"

// Reads config->file. *trace is valid (trace_validate) and the caller's to trace_destroy; unchanged
// after a failure.
int trace_file_load(const struct trace_csv_config *config, struct trace **trace, struct err *err);

#endif
