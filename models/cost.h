// SPDX-License-Identifier: Apache-2.0
// cost: seconds that work takes, for one (model, platform) pair.
//
// Pure functions: no clock, no random numbers, no state. The cluster asks once per (items, busy
// cores) when a run starts, rounds to nanoseconds and looks up afterwards, so a cost model may be
// as slow as it likes. Nothing assumes that a cost grows with the items.
//
// A core that has been idle is slower: others have used the caches and the TLBs. Any kind of cost
// may say so with cold_factor, cooling_time and warming_time. A core is cold to a degree c, 0..1:
//
//     after idling for t:     c <- 1 - (1 - c) exp(-t / cooling_time)
//     a request takes         cost_cpu_s() * (1 + (cold_factor - 1) c),  c as it starts
//     after that request:     c <- c exp(-cost_cpu_s() / warming_time)
//
// so a core that never rests ends at the cost itself, one that always does at cold_factor times it,
// and mean service times FALL with load. Form and the first constants (x1.83, 9.6 ms, 1.3 ms: RMC1
// at 64 items on 2 cores of AMD Zen 5, measured 2026-11-22) are of this project; see
// docs/tables.md. cost_cpu_s() is always the time on a warm core; the state of the cores is the
// cluster's.
//
// Kinds are `const struct cost_type` descriptors in cost_types[]: roofline, table, synthetic.
#ifndef MODELS_COST_H
#define MODELS_COST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/schema.h"
#include "models/catalogue.h"
#include "models/platform.h"

struct cost;
struct cost_table; // models/cost_table.h

// How one draw of a service time is spread round the mean that cost_cpu_s() gives.
enum cost_spread { SPREAD_NONE, SPREAD_EXPONENTIAL, SPREAD_GAMMA, SPREAD_LOGNORMAL, N_SPREADS };
extern const char *const cost_spread_names[]; // "none" "exponential" "gamma" "lognormal" NULL

// Sizes that a table was not measured with. AUTO: extended in a table of the program's, an error
// in one of the user's; whoever knows sizes and origin sees to that.
enum cost_outside {
    COST_OUTSIDE_AUTO,
    COST_OUTSIDE_ERROR,
    COST_OUTSIDE_CLAMP,
    COST_OUTSIDE_EXTEND
};
// What a table has no times of: the CPU, or the accelerator.
enum cost_rest { COST_REST_NONE, COST_REST_ROOFLINE };

struct cost_config {
    int64_t kind; // index into cost_types
    // synthetic: seconds = fixed_s + per_item_s * items on a CPU core
    double fixed_s, per_item_s;
    // An accelerator computes in accel_fixed_s + accel_per_item_s * items after loading for
    // accel_load_fixed_s + accel_load_per_item_s * items; all four 0: it has no accelerator cost.
    double accel_fixed_s, accel_per_item_s, accel_load_fixed_s, accel_load_per_item_s;
    double contention_frac; // synthetic: times (1 + contention_frac * (busy - 1) / (cores - 1))
    // table: name of the measured table, "" for the one of this model and platform. Whoever reads
    // the data files looks it up and sets `measured` (borrowed until cost_destroy()).
    char *table;
    const struct cost_table *measured;
    // table: where it is read from instead, "" not; for whoever reads the data files.
    char *file, *accelerator_file;
    int outside;   // table: enum cost_outside
    int rest;      // table: enum cost_rest
    bool transfer; // table: measured with another model or on another platform, and meant so
    // any kind: the cold core, by the equations above. A factor of 1 (or less: 0 in a struct that
    // nobody filled) is off; above 1 both times must be above 0.
    double cold_factor, cooling_s, warming_s;
    // roofline, table: every CPU time, or every accelerator time, is multiplied by these, to see
    // what a result would be on other hardware. 0 (nobody filled it) counts as 1.
    double cpu_scale, accel_scale;
    // roofline: request and operator fixed times (launches included) multiplied; 0 counts as 1.
    double fixed_scale;
    // roofline: host time, at 3 GHz, to turn one index or length of a table lookup from a Python
    // list into an array, as the reference does inside the times it reports; 0 is off. See
    // cost_roofline.h.
    double input_conversion_s;
    // With it, a CPU request converts a whole stored input of `stored_items` (0 counts as 1024)
    // whatever its own size, as the reference's inference engine does.
    bool convert_whole_input;
    int64_t stored_items;
    // synthetic: seconds per item of a query's history, and per pair of a candidate and one; on the
    // accelerator likewise
    double history_item_s, item_history_s, accel_history_item_s, accel_item_history_s;
    // roofline: part of the row bytes that a cache of rows holds (those wait for no memory), and of
    // the queries whose history is found encoded (its part then costs nothing): means, no draws
    double embedding_hit_frac, history_hit_frac;
};

// The rows of the two scales, for the `fields` of the kinds that take them.
#define COST_SCALE_LEAST 1e-3
#define COST_SCALE_MOST 1e3
#define COST_SCALE_FIELDS                                                                          \
    FIELD(cost_config, "cpu_scale", FIELD_REAL, UNIT_NONE, cpu_scale, COST_SCALE_LEAST,            \
          COST_SCALE_MOST, "1", "CPU times are multiplied by it"),                                 \
        FIELD(cost_config, "accel_scale", FIELD_REAL, UNIT_NONE, accel_scale, COST_SCALE_LEAST,    \
              COST_SCALE_MOST, "1", "accelerator times, loading included, are multiplied by it")

// The rows of the cold core, for the `fields` of every kind.
#define COST_COLDEST 100.0
#define COST_COLD_FIELDS                                                                           \
    FIELD(                                                                                         \
        cost_config, "cold_factor", FIELD_REAL, UNIT_NONE, cold_factor, 1, COST_COLDEST, "1",      \
        "how many times longer a request takes on a core that has long been idle; 1: no longer"),  \
        FIELD(cost_config, "cooling_time", FIELD_REAL, UNIT_TIME, cooling_s, 0, 3600, "0",         \
              "idle time after which a core has lost 63 % of its warmth"),                         \
        FIELD(cost_config, "warming_time", FIELD_REAL, UNIT_TIME, warming_s, 0, 3600, "0",         \
              "work after which a core has lost 63 % of its cold")

// Where seconds are spent: on a core, on the way to the accelerator, on it.
enum cost_place { COST_CPU, COST_LOAD, COST_ACCEL };

// What a history of h items adds to a request of n items, beside what cost_bare_s() says:
//
//     item_s * h + square_s * h^2 + item_history_s * n * h     seconds
//
// The first two are the history's own, paid by every request that a query is split into.
struct cost_history {
    double item_s, square_s, item_history_s;
};

struct cost_type {
    const char *name, *help;
    const struct field *fields; // keys of struct cost_config this kind takes
    // As the functions of the same names below; items and busy cores are in range.
    double (*cpu_s)(const struct cost *cost, uint32_t items, uint32_t busy_cores);
    double (*accel_load_s)(const struct cost *cost, uint32_t items);
    double (*accel_compute_s)(const struct cost *cost, uint32_t items);
    bool (*depends_on_busy)(const struct cost *cost);
    bool (*has_cpu)(const struct cost *cost); // NULL: always
    bool (*has_accel)(const struct cost *cost);
    // Fills *history, zeroed before; NULL: the kind knows of no histories.
    void (*history)(const struct cost *cost, enum cost_place place, uint32_t busy_cores,
                    struct cost_history *history);
    int (*check)(const struct cost *cost, struct err *err); // e.g. no table was found
    // What depends on nothing but model, platform and configuration, computed once: `state` has
    // state_size zeroed bytes and is what cost_state_of() returns. Both may be missing.
    size_t state_size;
    void (*prepare)(const struct cost *cost, void *state);
};

extern const struct cost_type *const cost_types[]; // NULL-terminated
int cost_type_find(const char *name);              // index, -1 when unknown

// `config`, `model` and `platform` are borrowed until cost_destroy(); model may be NULL for
// synthetic. Fails when the kind lacks what it needs; the text names the key.
struct cost *cost_create(const struct cost_config *config, const struct model *model,
                         const struct platform *platform, struct err *err);
void cost_destroy(struct cost *cost); // NULL: no effect

// Does the time of a query depend on its history?
bool cost_has_history(const struct cost *cost);
// The histories of the queries that are meant below, on average: mean length and mean square. 0
// until then.
void cost_set_history(struct cost *cost, double mean_items, double mean_square);
// What a history adds to cost_bare_s() of the same place.
struct cost_history cost_history(const struct cost *cost, enum cost_place place,
                                 uint32_t busy_cores);
// As the three functions below, without the history's part.
double cost_bare_s(const struct cost *cost, enum cost_place place, uint32_t items,
                   uint32_t busy_cores);

// The following are means over the histories that were set.
// Seconds one core needs for a request of `items` >= 1 when `busy_cores` (itself included,
// 1..cores) are busy.
double cost_cpu_s(const struct cost *cost, uint32_t items, uint32_t busy_cores);
// Bytes of the model's tables and weights, wherever it is served; 0 without a model.
double cost_memory_bytes(const struct cost *cost);
// True when the two functions below may be asked: a study with an offload threshold needs it. The
// platform must have an accelerator whose memory holds the model, and the cost the times of one.
bool cost_has_accel(const struct cost *cost);
// 0 then; else -1, and the text says which of the three is missing.
int cost_check_accel(const struct cost *cost, struct err *err);
// Seconds to move a query's inputs to the accelerator, and to compute it there. items >= 1.
double cost_accel_load_s(const struct cost *cost, uint32_t items);
double cost_accel_compute_s(const struct cost *cost, uint32_t items);
// False when cost_cpu_s ignores busy_cores.
bool cost_depends_on_busy(const struct cost *cost);
// True when idle cores are slower, by the equations at the top.
bool cost_has_cold(const struct cost *cost);
const struct cost_type *cost_type_of(const struct cost *cost);

// What the kinds (cost_*.c) may look at.
const struct cost_config *cost_config_of(const struct cost *cost);
const struct model *cost_model_of(const struct cost *cost);
const struct platform *cost_platform_of(const struct cost *cost);
const struct model_work *cost_work_of(const struct cost *cost); // all zero without a model
const void *cost_state_of(const struct cost *cost);             // NULL: the kind prepares nothing

#endif
