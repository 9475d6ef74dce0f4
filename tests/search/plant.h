// SPDX-License-Identifier: Apache-2.0
// plant: a server by formula, whose capacity is known, for searches to be tried on.
//
// Query sizes are uniform in 1 .. max_items. A query of T items and more takes the accelerator
// fixed + items x slope; the others are cut into requests of at most B items, each of which takes a
// core overhead + items x work. Each side's tail latency at load rho of its capacity is
// base x (1 + rho / (1 - rho)), like that of a queue; the server's is the worse of the two. So the
// rate at which it meets the target has a closed form: plant_capacity_qps().
//
// A measurement adds relative noise of noise / sqrt(n_queries), half of it common to all points of
// a stream and length, as common random numbers would have it; its interval says so truthfully.
#ifndef SEARCH_PLANT_H
#define SEARCH_PLANT_H

#include <stdbool.h>

#include "search/tuner.h"

struct plant {
    uint32_t n_cores, max_items;
    double overhead_s, work_s;       // per request, per item, on a core
    double accel_fixed_s, accel_s;   // per query, per item; accel_s 0: no accelerator
    double target_s;                 // of the tail latency
    double tail_bound_s, tail_times; // of the p99, which is the latency times so much; 0: none
    double noise;                    // relative, of one query
    uint64_t seed;
    double hole_from_qps, hole_to_qps; // within, the target is missed for no reason
    double fog_from_qps, fog_to_qps;   // within, nothing is ever decided
    uint32_t dent_from, dent_to;       // batch sizes that are much slower than they should be
    uint64_t fail_after;               // this many measurements it fails; 0: never
    bool backwards;                    // the tasks of a round are done last first
    uint32_t known_from, known_to;     // batch sizes whose times are known; 0: all are
    bool no_bound;                     // bound_qps says that it does not know
    struct max_load_config capacity;
    uint64_t n_runs, n_queries; // measured so far
    uint64_t n_choices;         // capacities asked for by rounds
};

// 40 cores, 1000 items, 25 ms; no accelerator, no noise.
struct plant plant_default(void);
// The same with an accelerator that takes a good part of the large queries.
struct plant plant_with_accelerator(void);

// A choice of B and T.
struct settings plant_choice(int64_t batch_items, int64_t offload_items);
int64_t plant_batch(struct settings choice);
int64_t plant_offload(struct settings choice);

// 0: the target is out of reach.
double plant_capacity_qps(const struct plant *plant, struct settings choice);
double plant_bound_qps(const struct plant *plant, struct settings choice);

// A measure_fn; user is a struct plant.
int plant_measure(void *user, const struct measure_point *point, struct measurement *result,
                  struct err *err);

struct tuner_backend plant_backend(struct plant *plant);
struct tuner_config plant_config(const struct plant *plant);

// The largest capacity over the default grid.
double plant_best_qps(const struct plant *plant);

#endif
