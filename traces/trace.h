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
#include "base/rng.h"

struct trace {
    size_t n, capacity;
    int64_t *arrive_ns;      // [n], owned
    uint32_t *size_items;    // [n], owned; NULL: sizes unknown
    uint16_t *history_items; // [n], owned; NULL: histories unknown
    uint64_t n_clamped;      // sizes that were brought into 1 .. max when they were read or scaled
    uint64_t n_cut;          // of them, those above the max
    double largest_items;    // before any was cut, 0 without sizes
    int64_t tick_ns;   // of the clock that the times are from, where it is coarse; 0: it is not
    int64_t clock_ns;  // of a coarse clock that most records still follow, as in the file; or 0
    bool is_spread;    // the times were spread inside their ticks
    int64_t length_ns; // n over the rate where the clock is coarse; 0: to the last record
};

struct trace *trace_create(bool with_sizes);
void trace_destroy(struct trace *trace); // NULL: no effect

// Appends a record; size_items is ignored where sizes are unknown.
void trace_append(struct trace *trace, int64_t arrive_ns, uint32_t size_items);

// Gives the record that was appended last its history; those of records without one are 0.
void trace_put_history(struct trace *trace, uint16_t history_items);

bool trace_is_sorted(const struct trace *trace);
// By time; records of the same time keep their order.
void trace_sort(struct trace *trace);
// Whether the trace may be replayed; the text names the record, from 1.
int trace_validate(const struct trace *trace, struct err *err);

// Counts all times from from_ns on.
void trace_start_at(struct trace *trace, int64_t from_ns);
// Multiplies times, measured from 0, by a factor > 0, to the nearest ns. Fails, and changes
// nothing, if the last time would leave the range.
int trace_scale_time(struct trace *trace, double factor, struct err *err);
// Multiplies sizes by a factor > 0, rounds, and brings them into 1 .. max_items. No effect without
// sizes.
void trace_scale_size(struct trace *trace, double factor, uint32_t max_items);

// What follows is for sorted traces of at least one record.

// The clock that the times were read from, in case most records coincide with the one before: the
// greatest step that all gaps are whole multiples of. Else 0.
int64_t trace_find_tick(const struct trace *trace);
// Notes that the times are from a clock of that tick, whose first begins at from_ns: sets tick_ns
// and length_ns. n records of whole ticks take all of the last one too; where that has less than
// half of what the others have, the trace ends inside it, and the rate is that of the others,
// unless `whole` says that it is known to be whole.
void trace_set_tick(struct trace *trace, int64_t tick_ns, int64_t from_ns, bool whole);
// Then spreads the records of every tick uniformly over it, as far as the trace lasts, by blocks of
// the stream at the records' places. Records keep their order.
void trace_spread(struct trace *trace, int64_t from_ns, const struct rng_stream *stream);

// From the first record to the last.
int64_t trace_span_ns(const struct trace *trace);
// How long the trace lasts, when it is repeated: to the end of its last tick, or a mean gap more
// than its span. 0 if its records all arrive at once.
double trace_length_ns(const struct trace *trace);
// Records per second: (n - 1) / span, or n / length where the clock is coarse; 0 if that is 0.
double trace_rate_qps(const struct trace *trace);

// How many items records have, of those n that have any; all 0 where n is.
struct trace_counts {
    uint64_t n;
    double mean_items, sd_items;
    uint32_t min_items, p5_items, p50_items, p75_items, p95_items, p99_items, max_items;
    double top_quarter_frac; // share of all items in the quarter of the records with most
};

struct trace_summary {
    uint64_t n;
    int64_t first_ns, span_ns;
    double rate_qps;           // 0 if all records coincide
    double gap_mean_s, gap_cv; // 0 with fewer than two records
    double simultaneous_frac;  // of the gaps that are 0
    struct trace_counts sizes, histories;
};

// Of a sorted trace of at least one record.
void trace_summarise(const struct trace *trace, struct trace_summary *summary);

#endif
