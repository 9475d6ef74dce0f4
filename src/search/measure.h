// SPDX-License-Identifier: Apache-2.0
// measure: "evaluate this point", the question that every search asks.
//
// A search knows nothing of servers: it hands a point (a choice of batch size and offload
// threshold, an arrival rate, a number of queries, a stream of random draws) to a callback, and
// gets back numbers with their intervals. Searches are pure: same answers, same search.
//
// Common random numbers: two points of one `stream` see the same queries, their arrival times
// scaled by the rate, so a difference between points is theirs and not the draw's.
//
// Units: queries per second, seconds, items, watts; fractions 0..1.
#ifndef SEARCH_MEASURE_H
#define SEARCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

// What a scheduler may choose for a server.
struct choice {
    uint32_t batch_items;   // B >= 1: at most this many items per CPU request
    uint32_t offload_items; // T: queries of at least this many go to the accelerator; 0: none do
};

// Streams of random draws: a search tunes on one and confirms on others.
enum measure_stream { STREAM_TUNE, STREAM_CONFIRM, STREAM_FLOOR, N_MEASURE_STREAMS };

struct measure_point {
    struct choice choice;
    double rate_qps;    // over all services of the fleet, > 0
    uint64_t n_queries; // to simulate, about
    uint32_t stream;    // enum measure_stream, plus N_MEASURE_STREAMS times a replication number
};

// What the intervals say of a target.
enum measure_verdict { VERDICT_MET, VERDICT_UNSURE, VERDICT_MISSED, N_VERDICTS };
extern const char *const measure_verdict_names[]; // "met" "unsure" "missed" NULL

#define MEASURE_Z_95 1.96 // standard errors in the half-width of a 95 % interval

// Half-widths are those of 95 % intervals; NaN: not known. Latencies are NaN when overloaded. With
// several services, latencies are those of the service that is nearest to missing its target.
struct measure_result {
    int32_t stable;      // enum measure_verdict: is every queue stable?
    int32_t sla;         // is the target percentile within its target? MISSED when not stable
    int32_t tail;        // is the p99 within its bound? MET when none was asked for
    double target_s;     // the service's target, for the record
    double tail_bound_s; // of its p99; NaN: none was asked for
    double latency_s, latency_half_s; // at the target's percentile
    double p95_s, p95_half_s, p99_s, p99_half_s;
    double late_frac, late_half_frac; // queries above the target
    double allowed_frac;              // of them, by the target: 0.05 of a p95
    double served_qps, power_w, qps_per_w;
    double cpu_util_frac, accel_util_frac;    // accelerator: NaN without
    double accel_query_frac, accel_item_frac; // sent to the accelerator
    uint64_t n_queries;                       // simulated
};

// Stable, and target and tail met: VERDICT_MET only if all are, VERDICT_MISSED if any is missed.
enum measure_verdict measure_overall(const struct measure_result *result);

// Fills *result, or fails (a study that cannot be run; MPI).
typedef int (*measure_fn)(void *user, const struct measure_point *point,
                          struct measure_result *result, struct err *err);

// A result that says nothing: all NaN, verdicts unsure.
struct measure_result measure_nothing(void);

// Every point a search looked at, in order. Grows; v is owned.
struct trial {
    struct measure_point point;
    struct measure_result result;
};
struct trials {
    struct trial *v;
    size_t n, cap;
};
void trials_add(struct trials *trials, const struct measure_point *point,
                const struct measure_result *result);
void trials_append(struct trials *trials, const struct trials *more);
void trials_release(struct trials *trials); // empties it; may be filled again

#endif
