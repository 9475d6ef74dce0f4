// SPDX-License-Identifier: Apache-2.0
// trace: recorded queries in memory: when each arrived and, if known, how many items it carried.
//
// The meeting point of everything that reads or writes traces: trace_csv, the results file (which
// hands over its queries as a trace), replay, and the trace command. A trace that may be replayed
// is valid (trace_validate): at least one record, times >= 0 and never decreasing, sizes 1 ..
// QUERY_MAX_ITEMS.
#ifndef TRACES_TRACE_H
#define TRACES_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct trace {
    size_t n, capacity;
    int64_t *arrive_ns;   // [n], owned
    uint32_t *size_items; // [n], owned; NULL: sizes unknown
    uint64_t n_clamped;   // sizes that were brought into 1 .. max when they were read or scaled
};

struct trace *trace_create(bool with_sizes);
void trace_destroy(struct trace *trace); // NULL: no effect

// Appends a record; size_items is ignored where sizes are unknown.
void trace_append(struct trace *trace, int64_t arrive_ns, uint32_t size_items);

bool trace_is_sorted(const struct trace *trace);
// By time; records of the same time keep their order.
void trace_sort(struct trace *trace);
// Whether the trace may be replayed; the text names the record, from 1.
int trace_validate(const struct trace *trace, struct err *err);

// Moves all times so that the first record arrives at 0.
void trace_from_zero(struct trace *trace);
// Multiplies times, measured from 0, by a factor > 0, to the nearest ns. Fails, and changes
// nothing, if the last time would leave the range.
int trace_scale_time(struct trace *trace, double factor, struct err *err);
// Multiplies sizes by a factor > 0, rounds, and brings them into 1 .. max_items. No effect without
// sizes.
void trace_scale_size(struct trace *trace, double factor, uint32_t max_items);

// From the first record to the last.
int64_t trace_span_ns(const struct trace *trace);
// Records per second: (n - 1) / span; 0 if the span is 0.
double trace_rate_qps(const struct trace *trace);

struct trace_summary {
    uint64_t n;
    int64_t first_ns, span_ns;
    double rate_qps;           // 0 if all records coincide
    double gap_mean_s, gap_cv; // 0 with fewer than two records
    double simultaneous_frac;  // of the gaps that are 0
    bool with_sizes;           // the rest is 0 without
    double size_mean_items, size_sd_items;
    uint32_t size_min_items, size_p5_items, size_p50_items, size_p75_items, size_p95_items,
        size_p99_items, size_max_items;
    double top_quarter_work_frac; // share of all items in the largest quarter of the queries
};

// Of a sorted trace of at least one record.
void trace_summarise(const struct trace *trace, struct trace_summary *summary);

#endif
