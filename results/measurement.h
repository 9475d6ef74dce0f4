// SPDX-License-Identifier: Apache-2.0
// measurement: what a simulation said, and whether that is good enough.
//
// Runs, searches, capacity plans and their files all speak of a simulation in these numbers: they
// make one of these structs where the simulation ended, and hand it on whole. Of several services
// it has the numbers of the one that is nearest to missing its target, and the worst verdict of
// all.
//
// There is one way to judge: an interval that ends at or below its bound has met it, one that
// begins above has missed it, and whatever else there is decides nothing.
//
//     struct measurement m = measurement_none(VERDICT_UNSURE);
//     m.late_frac = late;
//     m.sla = measurement_judge(m.late_frac, 1 - 0.95, 1);
//     if (measurement_overall(&m) == VERDICT_MET) ...
//
// Units: queries per second, seconds, watts; fractions 0..1. NaN: not known, or not applicable.
// Latencies are not known when overloaded.
#ifndef RESULTS_MEASUREMENT_H
#define RESULTS_MEASUREMENT_H

#include <stdint.h>

#include "results/ci.h"
#include "results/data_field.h"

// From good to bad, so that the worst is the largest of those that were asked for.
enum measurement_verdict {
    VERDICT_MET,
    VERDICT_UNSURE, // the interval holds the bound, or nothing is known
    VERDICT_MISSED,
    VERDICT_NOT_ASKED, // there is no such target; has no say
    N_VERDICTS
};
extern const char *const measurement_verdict_names[]; // "met" "unsure" "missed" "not_asked" NULL

#define MEASUREMENT_Z_95 1.96 // standard errors in the half-width of a 95 % interval

struct measurement {
    int32_t stable;          // enum measurement_verdict: is every queue stable?
    int32_t sla;             // is the target percentile within its target? MISSED when not stable
    int32_t tail;            // is the p99 within its bound? In a search MET where there is none
    double sla_s;            // the service's target, for the record
    double tail_bound_s;     // of its p99
    double allowed_frac;     // of queries that may be late, by the target: 0.05 of a p95
    struct ci sla_latency_s; // at the target's percentile
    struct ci p95_s, p99_s;
    struct ci late_frac; // queries above the target, lost ones among them
    double lost_frac;    // queries lost to servers that went down
    double served_qps, power_w, queries_per_j;
    double cpu_util_frac, accel_util_frac;    // accelerator: NaN without
    double accel_query_frac, accel_item_frac; // sent to the accelerator
    uint64_t n_queries;                       // simulated
};

// Nothing is known: all NaN, no queries, the three verdicts as given.
struct measurement measurement_none(int32_t verdict);

// Is the value, with `clear` 95 % half-widths on either side, at or below the bound? A search that
// looks often and stops at the first good answer asks for more than one; reports ask for one.
int32_t measurement_judge(struct ci ci, double bound, double clear);

// The worse of two; what was not asked for has no say beside what was.
int32_t measurement_worse(int32_t a, int32_t b);
// Stable, and target and tail met: MET only if all that was asked for is, MISSED if any is missed.
int32_t measurement_overall(const struct measurement *m);

// A fraction of few late queries shows too little spread: none late in any batch is an interval of
// no width, which would call a target met by luck alone. So the interval is at least as wide as
// that of independent queries. How many queries that is about differs in truth between those who
// ask, hence the arguments:
//
//   expected  What the target allows, of n_queries: the right null hypothesis where the question is
//             "above or below the allowance?". A run (src/runs/verdict.h) has it where fewer than
//             `few` are expected, because with more its batches are the better witness; a search
//             for sizes (src/search/sizing.h), whose shortest runs have hardly any, always: `few`
//             is then INFINITY. A spread that is not known stays so.
//   counted   `n_late` of them were counted, and the fraction is an estimate over the pieces of a
//             day (src/capacity/day_estimate.h) that are weighted, few and far between: below `few`
//             it is the count, and one more, that is known, even where no spread is.
struct measurement_floor {
    double n_queries;
    double allowed_frac; // expected
    double n_late;       // counted; NaN: expected
    double few;
};
// The half-width, or the least one where that is wider.
double measurement_late_half(double half_95, const struct measurement_floor *floor);

// The fraction of n_queries that are late, as a run judges it by: with an interval at least as wide
// as that of independent queries where fewer than MEASUREMENT_FEW_LATE are expected. Where none is
// late the bound is exact, whatever the batches show: with 97.5 % it is below 1 - 0.025^(1/n)
// (Clopper & Pearson, Biometrika 26, 1934).
#define MEASUREMENT_FEW_LATE 250
struct ci measurement_late(struct ci late_frac, double n_queries, double allowed_frac);

// Names in files; the queries apart, because who searches has a number of queries of its own.
extern const struct data_field measurement_fields[];       // ends with name NULL
extern const struct data_field measurement_count_fields[]; // n_queries

#endif
