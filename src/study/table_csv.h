// SPDX-License-Identifier: Apache-2.0
// table_csv: service times that somebody measured, as a text table.
//
// The long form has a line per batch (and count of busy cores), its columns known by their names:
//
//     batch             items of the request; also batch_size, items
//     busy_cores        requests at work at the same time; also concurrency, instances; else 1
//     time_ms           mean time; also latency, mean, mean_latency, service_time, or just ms
//     load_ms           } the two parts of it, where they are apart: moving the inputs, computing
//     compute_ms        }
//     p50_ms, p99_ms    percentiles of the time; also p99, "p99 latency"
//     cv                standard deviation over mean
//     device            cpu or accelerator (also gpu); else the CPU
//     model, platform   what was measured; also as lines "# model: wnd" above the table
//
// What a history adds to a request on a core stands in lines above the table, one time for each
// count of busy cores in rising order, or one for all (models/cost_table.h):
//
//     # per_history: 18.3us 19.1us
//     # per_history_square: 2.2ns
//     # per_item_history: 4.4ns 4.5ns
//
// A time has its unit (s, ms, us, ns) at the end of its column's name or behind its number. Other
// columns are left alone. Triton's perf_analyzer writes microseconds without saying so; of its
// files the time is compute input + infer + output, without these columns its latency.
//
// How a batch's times spread is one coefficient of variation for the whole table: the root of the
// mean square of those of its lines. A line has it from `cv`, or from percentiles as the lognormal
// that fits them: s is the mean over them of ln(1 + (p_q - p50) / time) / z_q, and the coefficient
// sqrt(exp(s^2) - 1), where without p50 the time stands for it.
//
// The input is hostile: nothing is assumed about it. Every error is one line, "perf.csv:7:12: ...".
#ifndef STUDY_TABLE_CSV_H
#define STUDY_TABLE_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "models/cost_table.h"

// Where something stands in the file; line 0: nowhere.
struct table_place {
    uint64_t line;
    size_t column;
};

// What a file of the user's says. table.name is the file's, without folders.
struct table_csv {
    struct cost_table table;
    struct table_place model_at, platform_at;
    const char *note; // how it was read, where that is not plain from the file; constant, or NULL
};

// `for_accelerator`: lines that name no device are the accelerator's. On failure nothing is left to
// release.
int table_csv_parse(struct table_csv *to, const char *name, const char *data, size_t n,
                    bool for_accelerator, struct err *err);
void table_csv_release(struct table_csv *csv); // NULL: no effect

// The spread of a batch whose times have mean time_s and these percentiles, which rise: as above.
// median_s 0: not known.
double table_csv_cv(double time_s, double median_s, const double *quantile, const double *time_at_s,
                    size_t n);

#endif
