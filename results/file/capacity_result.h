// SPDX-License-Identifier: Apache-2.0
// capacity_result: what `recfleet capacity` found, for the file, the tables and their readers.
//
// One struct for all it can be asked; what was not asked for has no rows. Dimensions, in the order
// of the arrays:
//
//   scheduler     how a server splits queries: fixed, deeprecsched, ...
//   allocation    how servers are chosen: blind, greedy, optimal; of a day of a given fleet: given
//   provisioning  when they are on: peak, follow; of a given fleet: given
//   interval      of the day
//   type          of server: a group of the study
//   service       of the study
//
// How something did when it was simulated is a struct measurement (results/measurement.h), with the
// power of the whole fleet. NaN: not known or not applicable. Everything depends on the study
// alone; what differs from run to run is not here (struct run_info).
#ifndef RESULTS_FILE_CAPACITY_RESULT_H
#define RESULTS_FILE_CAPACITY_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "results/file/chosen.h"
#include "results/file/dataset.h"
#include "results/measurement.h"

// Times that people read by the hour, and energies in kWh, are of so many seconds.
#define CAPACITY_S_PER_H 3600.0

// A fleet whose servers serve all services and that takes so many times what pools would, one for
// each service, is looked at closer.
#define CAPACITY_MANY_TIMES 2.0

enum capacity_state { CAPACITY_FOUND, CAPACITY_RANGE, CAPACITY_BEYOND, N_CAPACITY_STATES };
extern const char *const capacity_result_state_names[]; // "found" "range" "beyond" NULL

// What one server of a type holds of a service, as tuned alone: the efficiency tuple of Hercules.
struct capacity_tuple {
    int32_t state; // FOUND; BEYOND: no rate within the target
    uint32_t reserved;
    uint64_t settings[CHOSEN_MOST]; // as the result's `chosen` says; only written
    double qps, missed_qps;         // largest rate shown to be held, smallest shown to be missed
    double idle_w;                  // power with nothing to do
    struct measurement at_qps;      // beyond: latency alone, at vanishing load
};

// find servers, find cores: one row per (scheduler, type, cells down), and one behind it for a
// margin.
struct capacity_size {
    uint32_t scheduler, type, cells_down;
    uint32_t binding;            // service that comes nearest to missing its target, as simulated
    int32_t state;               // enum capacity_state
    uint32_t n, n_least, n_most; // servers (cores) that hold the rate; the range that is sure
    uint32_t n_pools;            // servers that would do if each served one service, by the tuples;
                                 // 0: not known, or there is one service
    uint32_t n_least_work; // that hold it by the balancer least-work; 0: none, or not looked for
    double margin_frac;    // part of the load that is on top of what is asked; 0: none
    double rate_qps;       // the load, all services
    double bound_qps;      // one more than n's work would saturate: n times what one can do; NaN
    double cost_usd_per_h; // of n servers; NaN without a price
    uint64_t n_runs, n_queries;     // spent
    struct measurement at_n, below; // at n and at n - 1
};

// find load: one row per scheduler.
struct capacity_load {
    uint32_t scheduler, binding; // as of a size
    int32_t state;               // FOUND, or BEYOND: shown to be held at no load
    uint32_t reserved;
    double held_qps, missed_qps, asked_qps; // asked: the study's own
    double planned_qps;                     // with the margin on top it is held_qps
    double cost_usd_per_h;
    uint64_t n_runs, n_queries;
    struct measurement at_held; // beyond: at vanishing load
};

// [interval][service]: what comes.
struct capacity_demand {
    double mean_qps, peak_qps;
};

// [scheduler][allocation][provisioning][interval].
struct capacity_step {
    uint32_t n_on, n_started;
    double objective, bound; // of the allocation, in its unit; bound NaN where there is none
    double planned_w;        // of servers in use at their tuple's power, the others on idle
    double simulated_w;      // as simulated, mean over the interval; NaN if it was not
    double cost_usd_per_h, carbon_g_per_h; // NaN without prices, without a curve
    double embodied_g_per_h;               // of the servers that are on; 0 where nothing is known
};

// [scheduler][allocation][provisioning].
struct capacity_total {
    int32_t state; // FOUND, or BEYOND: this method found no plan
    uint32_t peak_servers;
    double server_h, starting_h; // on, and starting before that
    double planned_kwh, simulated_kwh;
    double cost_usd, carbon_kg, objective; // over the day; objective in its unit times hours
    double embodied_kg;                    // likewise
    uint32_t n_met, n_unsure, n_missed;    // services times intervals
    uint32_t margin_servers; // most on at a time, planned for the margin on top; 0: no plan
    double margin_cost_usd;  // of the day, likewise
};

// For the file and for tables; ends with name NULL.
extern const struct data_field capacity_result_total_fields[];

// What was simulated of a day.
struct capacity_sample {
    uint32_t n_cells, of_cells; // per window; of a planned fleet the mean, rounded
    uint32_t n_windows;         // of each interval
    uint32_t reserved;
    double window_s, window_most_s; // shortest and longest: fleets of one service differ
    double warmup_s, warmup_most_s; // likewise
    double interval_s;
    double n_queries, of_queries; // of one (scheduler, allocation, provisioning)
};

struct capacity_result {
    char *name, *program_version, *study; // owned
    uint64_t seed;
    char *find, *objective, *objective_unit; // owned: "plan", "power", "W"
    // sla_quantile: of every target; NaN where they differ.
    double headroom_frac, margin_frac, sla_quantile, day_s, interval_s, startup_s, min_on_s;
    uint32_t n_schedulers, n_allocations, n_provisionings, n_intervals, n_types, n_services;
    uint32_t n_sizes, n_loads;
    char **schedulers, **allocations, **provisionings, **types, **services; // owned, each owned
    uint32_t *available;                                                    // [type]
    double *price_usd_per_h;                                                // [type]
    double *sla_s;                                                          // [service] target
    struct chosen chosen;              // what the tuples' settings are
    struct measurement *unloaded;      // [scheduler][type][service] of idle servers: sla MISSED:
                                       // no number of such servers meets the target; UNSURE: none
                                       // can be shown to
    struct capacity_tuple *tuples;     // [scheduler][type][service]
    struct capacity_size *sizes;       // [n_sizes]
    struct capacity_load *loads;       // [n_loads]
    struct measurement *size_services; // [n_sizes][service] at n
    struct measurement *load_services; // [n_loads][service] at held_qps
    struct capacity_demand *demand;    // [interval][service]
    uint32_t *n_assigned;          // [scheduler][allocation][provisioning][interval][type][service]
    uint32_t *n_on;                // [scheduler][allocation][provisioning][interval][type]
    struct capacity_step *steps;   // [scheduler][allocation][provisioning][interval]
    struct measurement *trials;    // [scheduler][allocation][provisioning][interval][service]
    struct measurement *days;      // [scheduler][allocation][provisioning][service]: whole day
    struct capacity_total *totals; // [scheduler][allocation][provisioning]
    struct capacity_sample sample;
};

// How many of each there will be; 0 where not asked for. Names are filled in by the caller.
struct capacity_shape {
    uint32_t n_schedulers, n_allocations, n_provisionings, n_intervals, n_types, n_services;
    uint32_t n_sizes, n_loads;
};

// Counts zero, reals NaN, verdicts not asked.
struct capacity_result *capacity_result_create(const struct capacity_shape *shape);
void capacity_result_destroy(struct capacity_result *answer); // NULL: no effect

// Index of (scheduler, allocation, provisioning) in totals; times n_intervals plus the interval, in
// steps; and so on.
size_t capacity_result_plan_at(const struct capacity_result *answer, uint32_t scheduler,
                               uint32_t allocation, uint32_t provisioning);

// Is there a service whose target an idle server of the type (of every type: n_types) misses, or
// cannot be shown to meet, by that scheduler? *service: the first such; else n_services. May be
// NULL.
bool capacity_result_unreachable(const struct capacity_result *answer, uint32_t scheduler,
                                 uint32_t type, uint32_t *service);
// Is it so of every scheduler, and of every type where types are asked of alone? Then the question
// has no answer.
bool capacity_result_out_of_reach(const struct capacity_result *answer);

// Counts the verdict on one service in one interval; one that was not asked for counts nowhere.
void capacity_result_count(struct capacity_total *total, int32_t sla);

// The results file of a search (dataset_write.h), and what "not asked for" means in it: an array
// that says nothing is left out.
extern const struct dataset_layout capacity_result_layout;
// The file read back, trusting nothing in it (dataset_read.h). NULL on failure.
struct capacity_result *capacity_result_read(const char *path, struct err *err);

#endif
