// SPDX-License-Identifier: Apache-2.0
// percentiles: a measured latency distribution, as load generators write it down.
//
// Three kinds of text are read, told apart by what is in them:
//
//   hgrm     the percentile output of HdrHistogram: lines of Value, Percentile, TotalCount and
//            1/(1-Percentile), under a line of these names, or without one
//   LoadGen  MLPerf's log: "99.00 percentile latency (ns) : 51200345" of its summary, or the key
//            "result_99.00_percentile_latency_ns" of its detail
//   CSV      a line of names, of which one begins with quantile or percentile (or is p), and one
//            with latency or value; a unit behind it, as in latency_ms, latency (us)
//
// A percentile of CSV is in percent where its name says so or any is above 1. A value without a
// unit is in `unit_s` seconds; hgrm has none ever and is mostly written in milliseconds.
//
// The input is hostile: nothing is assumed about it. Quantiles and latencies must rise, or an error
// says where they do not: "x.hgrm:12:9: ...".
#ifndef TRACES_PERCENTILES_H
#define TRACES_PERCENTILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define PERCENTILES_UNIT_S 1e-3 // where nobody says

struct percentiles {
    const char *kind; // "hgrm" "LoadGen" "CSV"
    bool has_unit;    // the text says in which unit its values are
    size_t n;
    double *quantile;  // owned, 0 .. 1, rising
    double *latency_s; // owned
    uint64_t n_total;  // of queries; 0: unknown
    double mean_s;     // LoadGen; 0: unknown
    double samples;    // LoadGen: of a query; 0: unknown
};

// `name` is that of the file, for messages. On failure nothing is left to release.
int percentiles_parse(struct percentiles *to, const char *name, const char *data, size_t n,
                      double unit_s, struct err *err);
// The whole file, which may be compressed by gzip.
int percentiles_read(struct percentiles *to, const char *path, double unit_s, struct err *err);
void percentiles_release(struct percentiles *percentiles);

#endif
