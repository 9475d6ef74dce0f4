// SPDX-License-Identifier: Apache-2.0
// percentile_table: a run's latency by percentile, compared with a measured one, or as
// HdrHistogram's text.
//
// Both are made from the run's histogram, whose buckets are 0.1 % wide (results/hist.h), so
// that any percentile can be told; where the summary has one, with its interval, that is shown.
//
//     struct percentile_table_measured m = {"prod.hgrm", "hgrm", "ms", n, quantile, latency_s, 0};
//     percentile_table_print(&out, run, service, &m);
//     percentile_table_hgrm(stdout, run, service);
//
// `service`: its index, or n_services for all together. The run was read whole.
#ifndef RESULTS_REPORT_PERCENTILE_TABLE_H
#define RESULTS_REPORT_PERCENTILE_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "results/file/run_result.h"
#include "results/report/report_out.h"

// What was measured; all borrowed. Quantiles, 0 .. 1, rise.
struct percentile_table_measured {
    const char *path, *kind;
    const char *unit; // that values without one were taken for; NULL: the file says its own
    size_t n;
    const double *quantile, *latency_s;
    uint64_t n_total; // queries; 0: unknown
};

// "measured, simulated, simulated / measured" by percentile. People get at most
// PERCENTILE_TABLE_ROWS of them, the usual ones first; programs all.
#define PERCENTILE_TABLE_ROWS 16
void percentile_table_print(struct report_out *out, const struct run_result *run, uint32_t service,
                            const struct percentile_table_measured *measured);

// The percentile nearest to the 99th that both have, and the range of the ratio from the median on.
// Caller mem_free()s.
char *percentile_table_sentence(const struct run_result *run, uint32_t service,
                                const struct percentile_table_measured *measured);
// The summary's own estimate with its interval where it has that quantile, else
// percentile_table_at() without one.
struct ci percentile_table_simulated(const struct run_result *run, uint32_t service, double q);

// The latency that a fraction q of the queries is within: linear inside of a bucket. NaN: there are
// fewer than 1 / (1 - q) queries, or none.
double percentile_table_at(const struct run_result *run, uint32_t service, double q);

// As HdrHistogram's outputPercentileDistribution() writes it with 5 ticks for each half of the
// distance to 100 %, values in milliseconds.
void percentile_table_hgrm(FILE *out, const struct run_result *run, uint32_t service);

#endif
