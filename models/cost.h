// SPDX-License-Identifier: Apache-2.0
// cost: seconds that work takes, for one (model, platform) pair.
//
// Pure functions: no clock, no random numbers, no state. The cluster asks once per (items, busy
// cores) when a run starts, rounds to nanoseconds and looks up afterwards, so a cost model may be
// as slow as it likes. Nothing assumes that a cost grows with the items.
//
// Kinds are `const struct cost_type` descriptors in cost_types[]: roofline, table, synthetic.
#ifndef MODELS_COST_H
#define MODELS_COST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/schema.h"
#include "models/catalogue.h"
#include "models/platform.h"

struct cost;
struct cost_config; // defined below

// How one draw of a service time is spread round the mean that cost_cpu_s() gives.
enum cost_spread { SPREAD_NONE, SPREAD_EXPONENTIAL, SPREAD_GAMMA, SPREAD_LOGNORMAL, N_SPREADS };
extern const char *const cost_spread_names[]; // "none" "exponential" "gamma" "lognormal" NULL

struct cost_config {
    int64_t kind; // index into cost_types
    // synthetic: seconds = fixed_s + per_item_s * items, the same on the accelerator when its own
    // are not given (0)
    double fixed_s, per_item_s;
    double accel_fixed_s, accel_per_item_s, accel_load_fixed_s, accel_load_per_item_s;
    double contention_frac; // synthetic: times (1 + contention_frac * (busy - 1) / (cores - 1))
    // table: measured platform table to use (name), "" for the platform's own
    char *table;
};

struct cost_type {
    const char *name, *help;
    const struct field *fields; // keys of struct cost_config this kind takes
    // Milliseconds-to-seconds is not this interface's business: every function returns seconds.
    double (*cpu_s)(const struct cost *cost, uint32_t items, uint32_t busy_cores);
    double (*accel_load_s)(const struct cost *cost, uint32_t items);
    double (*accel_compute_s)(const struct cost *cost, uint32_t items);
    bool (*depends_on_busy)(const struct cost *cost);
    int (*check)(const struct cost *cost, struct err *err); // e.g. the table lacks the model
};

extern const struct cost_type *const cost_types[]; // NULL-terminated
int cost_type_find(const char *name);              // index, -1 when unknown

// `config`, `model` and `platform` are borrowed until cost_destroy(); model may be NULL for
// synthetic. Fails when the kind lacks what it needs.
struct cost *cost_create(const struct cost_config *config, const struct model *model,
                         const struct platform *platform, struct err *err);
void cost_destroy(struct cost *cost); // NULL: no effect

// Seconds one core needs for a request of `items` >= 1 when `busy_cores` (itself included,
// 1..cores) are busy.
double cost_cpu_s(const struct cost *cost, uint32_t items, uint32_t busy_cores);
// Seconds to move a query's inputs to the accelerator, and to compute it there.
double cost_accel_load_s(const struct cost *cost, uint32_t items);
double cost_accel_compute_s(const struct cost *cost, uint32_t items);
// False when cost_cpu_s ignores busy_cores.
bool cost_depends_on_busy(const struct cost *cost);

// What the kinds (cost_*.c) may look at.
const struct cost_config *cost_config_of(const struct cost *cost);
const struct model *cost_model_of(const struct cost *cost);
const struct platform *cost_platform_of(const struct cost *cost);

#endif
