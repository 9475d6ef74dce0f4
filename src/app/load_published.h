// SPDX-License-Identifier: Apache-2.0
// load_published: a table of published figures, as `recfleet report --published` takes it.
//
// CSV (traces/csv.h) with a header; a line is one figure (results/report/published.h). Columns, in
// any order:
//
//   figure             the picture that the row is in
//   quantity           qps or queries_per_j, as in a tuning's file
//   policy             whose answer it is of
//   baseline           policy that it is relative to; none or empty: the number itself
//   value              what was published
//   source             where it is from, in words; may be left out
//   AXIS               of the tuning, as "target": the label of the points; empty: all
//   baseline.AXIS      where the baseline has another label than the point
//
// Rows of one figure have the same quantity, policy and baseline. A row whose label or policy the
// tuning does not have is left out and counted, because shorter tunings of a study are common; if
// that leaves none, it is an error. Errors are name:line:column and what was expected.
#ifndef APP_LOAD_PUBLISHED_H
#define APP_LOAD_PUBLISHED_H

#include <stddef.h>

#include "base/err.h"
#include "results/report/published.h"

// NULL on failure; caller published_destroy()s.
struct published *load_published(const char *path, const struct tuning_result *tuning,
                                 struct err *err);
// The same from n bytes of that name.
struct published *load_published_parse(const char *name, const char *bytes, size_t n,
                                       const struct tuning_result *tuning, struct err *err);

#endif
