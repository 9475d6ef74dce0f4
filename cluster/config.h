// SPDX-License-Identifier: Apache-2.0
// config: the fleet, as the cluster layer wants it.
//
// Filled by src/study from a study file, or by hand in tests. Everything pointed to is borrowed and
// must outlive the run. All numbers are validated by whoever fills it: the cluster asserts.
//
// Times are int64_t nanoseconds, rates queries per second over the whole fleet, sizes candidate
// items. Services and groups are known by their place in the arrays.
#ifndef CLUSTER_CONFIG_H
#define CLUSTER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/schema.h"
#include "base/settings.h"
#include "models/cost.h"
#include "models/platform.h"
#include "traces/traffic.h"

// One service: who asks, for what, within which time.
struct service_config {
    char *name;
    char *model; // name in the catalogue; "" when every cost is synthetic
    struct service_traffic traffic;
    double sla_quantile; // 0.95
    int64_t sla_ns;      // 0: no target
};

// Which service times a scheduler needs for one service.
struct dispatch_config {
    int64_t batch_items;   // B: at most this many items per CPU request
    int64_t offload_items; // T: queries of at least this many items go to the accelerator; 0: none
    // Where several queries share a request or a batch: items of the largest. 0: they do not.
    int64_t merged_items, accel_merged_items;
};

// Does any query run on the accelerator?
static inline bool dispatch_offloads(const struct dispatch_config *dispatch)
{
    return dispatch->offload_items > 0 || dispatch->accel_merged_items > 0;
}

// How service times spread round the cost: each is multiplied by a factor of mean 1. Where there is
// a correlation time, a part of them has the factor that its server is at (noise.h).
struct noise_config {
    int64_t spread;         // enum cost_spread
    double cv;              // gamma and lognormal: coefficient of variation, > 0
    int64_t correlation_ns; // after which the factors of a server are alike by 1/e; 0: none are
    double correlated_frac; // 0..1: correlation of two factors of a server at one time
};

// A part of a group's servers takes longer for everything (slow.h).
struct slow_config {
    double frac;    // 0..1: of the group's servers; 0: none
    double factor;  // >= 1
    uint32_t first; // servers of the group before these, in a larger fleet of which this is a part
};

// Following the load: how many of a group's servers are on, step by step, over and over. A server
// that comes on is powered startup_ns before its step begins; one that goes off takes no new query
// from the end of its step on and is powered shutdown_ns longer: what still runs then is lost.
struct on_schedule {
    const uint32_t *n_on; // [n_steps], each 1 .. n_servers
    size_t n_steps;       // 0: all, always
    int64_t step_ns, startup_ns, shutdown_ns;
};

// What can happen by a given list: a server or a whole cell is out of service in [at, at + for).
enum outage_kind {
    OUTAGE_CRASH, // down at once: what it has is lost
    OUTAGE_DRAIN, // takes no new queries and finishes what it has
    N_OUTAGE_KINDS
};
extern const char *const outage_kind_names[]; // "crash" "drain" NULL

struct outage_event {
    int64_t at_ns, for_ns;
    int kind;               // enum outage_kind
    bool whole_cell;        // all servers of `cell`; else one server
    uint32_t cell;          // where whole_cell
    uint32_t group, server; // else: number of the server in its group, over the whole fleet
};

// Why servers are out of service, and what becomes of their queries. All zero: never.
struct outage_config {
    double mtbf_s, mttr_s; // each server: mean time up, mean time down, exponential; 0: no crashes
    int64_t detect_delay_ns; // from a crash or recovery until the balancer acts on it
    int64_t retries;         // of a lost query, 0..QUERY_MAX_RETRIES
    int64_t retry_delay_ns;  // from the news that it is lost to its next attempt
    bool failover;           // a cell's traffic goes to the others while the whole cell is out
    const struct outage_event *events;
    size_t n_events;
};

// One group of equal servers. `n_servers` counts the whole fleet's; cells share them evenly.
struct group_config {
    char *name;
    const struct platform *platform;
    uint32_t n_servers;
    double weight;                   // for the weighted policy and capacity-aware loads
    const struct cost *const *costs; // [n_services]
    int64_t scheduler;               // index into sched_types (sched.h)
    const struct settings *settings; // [n_services] the scheduler's own, resolved
    struct noise_config noise;       // of every service time of the group
    struct slow_config slow;
    struct on_schedule on;
};

// What a balancer counts per server: queries, CPU requests, items, or nanoseconds of work.
enum load_unit { LOAD_QUERIES, LOAD_REQUESTS, LOAD_ITEMS, LOAD_WORK, N_LOAD_UNITS };
extern const char *const load_unit_names[]; // "queries" "requests" "items" "work" NULL

// Every cell's balancer: its policy, and how long information and queries travel.
struct balancer_config {
    int64_t policy;            // index into policy_types
    struct settings settings;  // the policy's own (policy.h); another's or none: its defaults
    int load;                  // enum load_unit: what "less loaded" means
    int64_t dispatch_delay_ns; // balancer to server
    int64_t return_delay_ns;   // server to client: added to the latency
    int64_t status_delay_ns;   // completion to balancer's view
    int64_t report_period_ns;  // 0: a report per completion; else reports leave at multiples of it
};
extern const struct field balancer_fields[]; // what all policies share

// All that a run is made of.
struct fleet_config {
    const struct service_config *services;
    uint32_t n_services;
    const struct group_config *groups;
    uint32_t n_groups;
    uint32_t n_cells;
    struct balancer_config balancer;
    struct outage_config outages;
    // [n_services] what sizes are drawn from, borrowed; NULL, or NULL for a service: a table that
    // the run makes of its traffic.
    const struct qsize *const *sizes;
    uint64_t seed;       // of every random draw
    int64_t duration_ns; // queries arrive in [0, duration_ns)
    int64_t window_ns;   // 0: as long as the delays allow; else at most this (a test varies it)
    double sample_frac;  // of queries kept in the uniform sample
    bool all_queries;    // the sample is every query: sample_frac is 1
    uint32_t n_slowest;  // queries kept as the slowest ones (results/slowest.h); 0: none
};

// Can any server ever be out of service?
bool fleet_has_outages(const struct fleet_config *config);
// Are balancers told of completions, because their policy looks at its servers?
bool fleet_has_feedback(const struct fleet_config *config);
// Is every parcel of queries answered: with completions, or with what servers have lost?
bool fleet_wants_answers(const struct fleet_config *config);

#endif
