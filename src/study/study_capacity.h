// SPDX-License-Identifier: Apache-2.0
// study_capacity: the section `capacity`, what `recfleet capacity` looks for and how hard.
//
//     capacity:
//       find: plan                       # or servers, cores, load, day
//       schedulers: [fixed, deeprecsched]
//       headroom: 10%
//       objective: power
//
//   servers  the smallest number of servers of each group, alone, that holds the traffic (at its
//            peak); with cells_down also when that many of the fleet's cells are gone
//   cores    the same, of the cores of the one group's servers
//   load     the largest part of the traffic that the fleet as it stands holds
//   day      the fleet as it stands, over a day
//   plan     which servers of which group serve which service, interval by interval: every group
//            is a type of server, and its `servers` are those that there are
//
// The traffic of a day follows from each service's arrivals (traces/forecast.h). A study without
// the section has its defaults.
#ifndef STUDY_STUDY_CAPACITY_H
#define STUDY_STUDY_CAPACITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/schema.h"
#include "study/doc.h"

struct study;

enum study_find { FIND_SERVERS, FIND_CORES, FIND_LOAD, FIND_DAY, FIND_PLAN, N_FINDS };
enum study_objective { OBJECTIVE_SERVERS, OBJECTIVE_POWER, OBJECTIVE_COST, OBJECTIVE_CARBON };

struct study_capacity {
    int find;                  // enum study_find
    char *schedulers;          // names of tuner policies, "fixed, deeprecsched"; YAML list of names
    double headroom_frac;      // planned for more than the demand
    double margin_frac;        // beside the answer stands the one that holds so much more
    struct reals cells_down;   // whole, >= 0: find servers; default [0]
    double accuracy_frac;      // half-width of p95 per interval over p95: day; of the rate: load
    int64_t queries;           // of the first run at a point
    int64_t max_queries;       // of the longest
    int64_t max_servers;       // find servers, cores: no more than these
    double day_s, interval_s;  // a whole number of intervals
    int64_t windows;           // simulated of each interval
    double window_s, warmup_s; // length of a window and of what comes before it; 0: chosen
    int64_t cells;             // of the fleet that each window simulates; 0: chosen
    int objective;             // enum study_objective
    char *allocations;         // "blind, greedy, optimal"
    char *provisioning;        // "peak, follow"
    double startup_s, min_on_s;
    struct reals carbon_g_per_kwh; // at equal steps over the day, like a diurnal curve
};

// As study_tune_read() and its like.
int study_capacity_read(struct study *study, const struct node *root, struct err *err);
void study_capacity_release(struct study *study);

// Does the section make sense for this study? What its `find` needs, in one line with the key:
//
//   all but day   a latency target of every service, and max_queries that can decide it
//   servers       max_servers not below what there is
//   cores         one group, and max_servers (here of cores) not below what there is
//   plan          prices, powers or a curve of carbon, as the objective asks
//   all           what the tuner needs, if a scheduler is tuned for; a day without gaps
//
// What contradicts itself whatever is asked for (a day of broken intervals, more cells down than
// there are) is refused when the study is read. The files must have been opened.
int study_capacity_check(const struct study *study, struct err *err);

// How many intervals the day has.
uint32_t study_capacity_intervals(const struct study_capacity *capacity);

// The i-th name of a list ("fixed, deeprecsched") in buf; false when there are no more.
bool study_capacity_name(const char *names, size_t i, char *buf, size_t size);

extern const struct field study_capacity_fields[];
extern const char *const study_find_names[], *const study_objective_names[];

#endif
