// SPDX-License-Identifier: Apache-2.0
// summary: from the counts of a whole run to what a person or a search asks about.
//
// Input is the record summed over all ranks. The bins after the warm-up are measured; bins that
// count are cut into batches (batch.h) and every estimate carries an interval from them (ci.h).
//
// What is never reported: a percentile of an overloaded run (overload.h), and a quantile q of fewer
// than 1 / (1 - q) or 1 / q queries; both are NaN. A quantile's interval needs twenty queries
// on either side of it. Of a run that is short beside the memory of its queues (relaxation.h), or
// that was still moving, no interval of latency is given.
//
// Latency statistics are those of all queries that arrived in a measured bin, also of those whose
// answer comes after the end of the run (the simulation knows it already), so the end of a run does
// not favour short queries; n_in_flight counts them.
//
// What is served is counted by completion instead: queries whose response was back inside the
// measured bins, whenever they arrived. In a backlog the two have hardly a query in common, and
// what is served stays at what the servers can do. Goodput counts the queries within their target,
// where there is one; for all services together, those without a target count whole. What arrives
// and is neither completed nor lost makes the queues grow: by about zero where they are stable.
//
// Where servers go down, a query may have no end: it is lost, or it is still on its way at the end
// of the run and its end is not known (pending). Latency and its quantiles are of those with an
// end. The lost ones are late, too: late_frac is (later than the target + lost) over (with an end +
// lost), and it decides the target: met when its whole 95 % interval (measurement_late) is at or
// below what the quantile q allows, 1 - q; missed when all of it is above, or when more than 1 - q
// are lost. It knows more than the quantile does, which has no interval where no query is near it.
// Every query of the run, warm-up included, is accounted for: n_run_generated is the sum of the
// three behind it.
//
// The tables at the end name each number once, with its unit, for the file and for its reader.
#ifndef RESULTS_SUMMARY_H
#define RESULTS_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "results/ci.h"
#include "results/data_field.h"
#include "results/measurement.h"
#include "results/meta.h"
#include "results/overload.h"
#include "results/record.h"

enum summary_quantile {
    SUMMARY_P50,
    SUMMARY_P90,
    SUMMARY_P95,
    SUMMARY_P99,
    SUMMARY_P999,
    SUMMARY_N_QUANTILES
};
extern const double summary_quantiles[SUMMARY_N_QUANTILES]; // 0.5 0.9 0.95 0.99 0.999

// What is a sum over the measured tallies, or a ratio of two such sums, is written down here once:
// from these lists come the members of struct summary_service, their fields in the file and what
// they are computed from. A new number is a line.
//
// X(member, in words): SUM(member) as it is.
#define SUMMARY_COUNTS(X)                                                                          \
    X(n_queries, "queries that arrived in the measured bins and have an end")                      \
    X(n_in_flight, "of these, not finished at the end of the run")                                 \
    X(n_requests, "requests that the queries were split into")                                     \
    X(n_items, "candidate items of the queries")                                                   \
    X(n_lost, "queries that arrived in the measured bins and were lost to failures")               \
    X(n_pending, "queries that arrived in the measured bins and have no known end")                \
    X(n_retries, "attempts beyond the first")                                                      \
    X(n_completed, "queries completed in the measured bins, whenever they arrived")

// X(member, unit, in words, does it mean nothing when overloaded?, a, b, scale): a / b * scale,
// where SUM(m) is the sum of a tally's member m, ACCEL(m) that over queries on an accelerator, and
// TIME_S the measured time.
#define SUMMARY_ESTIMATES(X)                                                                       \
    X(offered_qps, "s-1", "queries offered per second", false,                                     \
      SUM(n_queries) + SUM(n_lost) + SUM(n_pending), TIME_S, 1)                                    \
    X(served_qps, "s-1", "throughput: queries completed per second", false, SUM(n_completed),      \
      TIME_S, 1)                                                                                   \
    X(goodput_qps, "s-1", "goodput: queries completed within their target per second", false,      \
      SUM(n_completed) - SUM(n_completed_late), TIME_S, 1)                                         \
    X(items_per_s, "s-1", "candidate items of the queries completed per second", false,            \
      SUM(n_completed_items), TIME_S, 1)                                                           \
    X(queue_growth_qps, "s-1", "queries by which the queues grew per second", false,               \
      (double)(SUM(n_queries) + SUM(n_pending)) - (double)SUM(n_completed), TIME_S, 1)             \
    X(latency_mean_s, "s", "mean latency", true, SUM(latency_sum_ns), SUM(n_queries), 1e-9)        \
    X(wait_mean_s, "s", "mean queue wait", true, SUM(wait_sum_ns), SUM(n_queries), 1e-9)           \
    X(service_mean_s, "s", "mean service time", false, SUM(service_sum_ns), SUM(n_queries), 1e-9)  \
    X(waited_frac, "1", "fraction of queries that waited in a queue", true, SUM(n_waited),         \
      SUM(n_queries), 1)                                                                           \
    X(wait_share_frac, "1", "queue wait as a fraction of all latency", true, SUM(wait_sum_ns),     \
      SUM(latency_sum_ns), 1)                                                                      \
    X(late_frac, "1", "fraction of queries later than the target, or lost", true,                  \
      SUM(n_late) + SUM(n_lost), SUM(n_queries) + SUM(n_lost), 1)                                  \
    X(accel_query_frac, "1", "fraction of queries on an accelerator", false, ACCEL(n_queries),     \
      SUM(n_queries), 1)                                                                           \
    X(accel_item_frac, "1", "fraction of items on an accelerator", false, ACCEL(n_items),          \
      SUM(n_items), 1)                                                                             \
    X(lost_frac, "1", "fraction of queries that were lost", false, SUM(n_lost),                    \
      SUM(n_queries) + SUM(n_lost) + SUM(n_pending), 1)

struct summary_service {
#define X(member, ...) uint64_t member;
    SUMMARY_COUNTS(X)
#undef X
#define X(member, ...) struct ci member;
    SUMMARY_ESTIMATES(X)
#undef X
    double latency_sd_s, latency_max_s;
    struct ci latency_s[SUMMARY_N_QUANTILES]; // by enum summary_quantile
    double sla_quantile, sla_s;               // the target; sla_s 0: none
    struct ci sla_latency_s;                  // the sla_quantile of latency
    int32_t sla; // enum measurement_verdict, of the fraction that is late
    // Of the whole run, warm-up included.
    uint64_t n_run_generated, n_run_answered, n_run_lost, n_run_in_flight;
};

extern const char *const summary_part_names[]; // of enum record_part: "cpu" "accel" NULL

struct summary_component {
    uint32_t n_units; // cores or streams of the group; 0: there is none
    struct ci util_frac;
    struct ci load_frac; // offered work over capacity; above 1: more than it can do
    struct ci power_w;
    double energy_j;
    double drain_max_s; // worst server at the end: time until it takes new work
    double drain_growth_frac;
    int32_t verdict; // enum overload_verdict
};

struct summary_group {
    struct summary_component parts[N_PARTS];
    struct ci power_w; // both parts
    double energy_j;
    double queries_per_j; // = QPS/W: completed by the group's own servers
};

struct summary {
    uint32_t n_services, n_groups;
    struct summary_service *services; // [n_services + 1]; the last is all services together
    struct summary_group *groups;     // [n_groups]
    struct summary_fleet {
        uint32_t first_bin, n_bins; // measured: [first_bin, first_bin + n_bins)
        int64_t from_ns, to_ns;     // their time
        int32_t settled;            // 0: warm-up auto, and no steady state was seen
        int32_t verdict;            // the worst component's
        uint32_t n_batches;         // of the fleet's own estimates
        // How long the measured time is (relaxation.h): of all servers as one queue, of each queue.
        double relaxations, queue_relaxations;
        struct ci power_w;
        struct ci queries_per_j; // served QPS over W
        double energy_j;
    } fleet;
};

// `total`: the record over all ranks. Caller frees with summary_destroy. Cannot fail.
// Intervals of latency that the run is too short for are withheld (half_95 NaN, the value stays),
// and a target is then met or missed only where the fraction of late queries is far off.
struct summary *summary_create(const struct record *total, const struct meta *meta);
// The same with every interval that its batches show and targets judged by it, for a search that
// goes on to longer runs where it must.
struct summary *summary_create_for_search(const struct record *total, const struct meta *meta);
// Is the interval of quantile q of latency given? That of a mean is as that of the median.
bool summary_gives(const struct summary_fleet *fleet, double q);
// All NaN and zero, for a reader to fill.
struct summary *summary_create_empty(uint32_t n_services, uint32_t n_groups);
void summary_destroy(struct summary *summary); // NULL: no effect

// Does the summary know of failures: of lost queries, retries, queries without a known end?
bool summary_has_losses(const struct summary *summary);
// Are more lost than the service's quantile allows? Then its target is missed, whatever the
// latency.
bool summary_lost_target(const struct summary_service *service);

// All services together.
const struct summary_service *summary_total(const struct summary *summary);

// The numbers of the structs above, for files and tables. latency_s, an array that a file keeps as
// one, has fields of its own for tables: "latency_p50_s" and so on.
extern const struct data_field summary_service_fields[]; // ends with name NULL
extern const struct data_field summary_latency_fields[];
extern const struct data_field summary_component_fields[];
extern const struct data_field summary_group_fields[];
extern const struct data_field summary_fleet_fields[];

#endif
