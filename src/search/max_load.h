// SPDX-License-Identifier: Apache-2.0
// max_load: the largest arrival rate that a choice holds within its targets.
//
// A rate is held when every queue is stable and every asked-for percentile is within its bound, and
// the intervals say so; it is missed when an interval lies beyond. In between the run is made
// longer (four times, up to most_queries); what stays unsure counts as not held, but not as missed.
// So the answer is a bracket: [held_qps, missed_qps], the largest rate shown to be held and the
// smallest shown to be missed. The search brackets the crossing to a few percent, bisecting on the
// logarithm of the rate with the measured latency as a guide, and estimates it. Then it shows one
// rate on either side by the longest runs, as near as their intervals allow: within `accuracy_frac`
// where they can decide that, wider where they cannot. The lower must keep MAX_LOAD_CLEAR
// half-widths off the target, and off the p99's bound: a rate that was drawn to look good would not
// be confirmed on other draws.
//
// A `rough` search ends with the estimate, runs at most a quarter as long and lets the point decide
// where the interval does not: enough to say which of many choices, all seen with the same draws,
// is best, before the best is searched in full.
//
// A rate at or above `bound_qps` is known to overload some queue (offered work above capacity) and
// is never measured. `floor_qps` says that a smaller answer is of no use: it is measured first, and
// when it is not held the search ends at once with MAX_LOAD_BELOW.
#ifndef SEARCH_MAX_LOAD_H
#define SEARCH_MAX_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "search/measure.h"

// Queries that tell the latency of an idle server well enough: usual for floor_queries.
#define MAX_LOAD_FLOOR_QUERIES 30000

struct max_load_config {
    double accuracy_frac;                 // width of the bracket over its lower end; 0.01
    uint64_t first_queries, most_queries; // of one run: how short it starts, how long it gets
    uint64_t floor_queries;               // of the run that finds the latency floor
};

struct max_load_task {
    struct settings choice;
    double bound_qps; // above it some queue grows for ever; INFINITY: not known
    double floor_qps; // answers below are of no use; 0: any is
    double guess_qps; // where to look first; 0: none
    uint32_t stream;  // of struct measure_point
    bool rough;       // only to be compared with other choices
};

// Half-widths between the latency at held_qps and the target. A half-width is two standard errors,
// two measurements differ by 1.4, so other draws will be held by their own interval nine times in
// ten, and by their point in all but one of three hundred.
#define MAX_LOAD_CLEAR 2.0

enum max_load_state {
    MAX_LOAD_FOUND,       // held_qps > 0
    MAX_LOAD_BELOW,       // not above floor_qps; held_qps is NaN
    MAX_LOAD_UNREACHABLE, // the target is missed at any rate: floor_s says by how much
    N_MAX_LOAD_STATES
};
extern const char *const max_load_state_names[]; // "found" "below" "unreachable" NULL

struct max_load {
    int32_t state;               // enum max_load_state
    double held_qps, missed_qps; // missed_qps: at most bound_qps
    double estimate_qps;         // where the target is crossed, without an interval
    double floor_s; // latency at the target's percentile at vanishing load; NaN: not asked
    // Measured at held_qps. Below: at floor_qps, when that was run. Unreachable: at vanishing load.
    struct measurement at_held;
    uint64_t n_runs, n_queries; // spent
};

// Searches. held_qps, estimate_qps and floor_s are NaN where they do not apply, missed_qps is
// INFINITY when no rate was shown to be missed. Vanishing load is a thousandth of the bound; when
// that is missed on its own draws too, the target is unreachable. Appends every point looked at to
// *trials (may be NULL). Fails only when `measure` does.
int max_load_search(const struct max_load_config *config, const struct max_load_task *task,
                    measure_fn measure, void *user, struct max_load *capacity,
                    struct trials *trials, struct err *err);

// On a fresh stream: is rate_qps held, and is rate_qps times (1 + over_frac) not? Runs of
// most_queries. *held and *over are enum measurement_verdict (overall).
struct max_load_check {
    int32_t held, over; // over: VERDICT_MISSED is what a tight answer gives
    struct measurement at_held, at_over;
};
int max_load_confirm(const struct max_load_config *config, const struct settings *choice,
                     double rate_qps, double over_frac, uint32_t stream, measure_fn measure,
                     void *user, struct max_load_check *check, struct trials *trials,
                     struct err *err);

#endif
