// SPDX-License-Identifier: Apache-2.0
// tuning_result: what a search over scheduler settings found, for the table, and as a results file.
//
// A tuning has points (of a study's grid: model x target x platform, ...; a study without a grid
// has one) and policies; every (point, policy) has one outcome. The path holds everything that was
// simulated on the way, in order. The settings that were searched are the scheduler's own
// (chosen.h).
//
// NaN: not known or not applicable. Everything here depends on the study alone, but for wall_s. In
// the file the outcomes are the root's variables, so that a reader has them at once; the path is in
// /path, wall times are in /run, outside the digest (docs/results.md).
//
//     struct tuning_result *t = tuning_result_create(1, 2, 1);
//     point_axes_set(&t->grid, 0, "model", (const char *const[]){"wnd", "rmc1"}, 2);
//     t->grid.values[1] = 1;                                // point 1 is the second model
//     tuning_result_outcome_at(t, 1, 0)->qps = 1000;
//     rc = dataset_write(&tuning_result_layout, t, &run, "x.h5", false, err);
//     tuning_result_destroy(t);
#ifndef RESULTS_FILE_TUNING_RESULT_H
#define RESULTS_FILE_TUNING_RESULT_H

#include <stddef.h>
#include <stdint.h>

#include "results/file/chosen.h"
#include "results/file/dataset.h"
#include "results/file/point_axes.h"
#include "results/measurement.h"

enum tuning_state { TUNING_FOUND, TUNING_UNREACHABLE, N_TUNING_STATES };
extern const char *const tuning_result_state_names[]; // "found" "unreachable" NULL

struct tuning_outcome {
    int32_t state;                  // enum tuning_state
    int32_t confirmed;              // enum measurement_verdict, on a fresh seed: held at qps?
    int32_t confirmed_over;         // and at qps times 1.05? missed is what a tight answer gives
    uint32_t reserved;              //
    uint64_t settings[CHOSEN_MOST]; // the choice: as the tuning's `chosen` says
    double qps, missed_qps;         // largest rate shown to be held, smallest shown to be missed
    double claimed_qps;             // what the policy itself believes (reference), else qps
    struct measurement at_qps;      // not asked where unreachable, but for sla_s; n_queries: 0
    double floor_s;                 // unreachable: latency at vanishing load
    double tuned_qps;               // tuned on other sizes: what was reached on those; else qps
    uint64_t n_choices, n_bounded, n_runs, n_queries; // spent
    double wall_s;                                    // spent; differs from run to run
};

struct tuning_step {
    uint32_t point, policy;
    uint64_t settings[CHOSEN_MOST];
    uint32_t stream; // of random draws: 0 tuning, 1 confirmation, 2 latency floor
    uint32_t reserved;
    double rate_qps;
    struct measurement result;
};

// All strings are owned: mem_strdup() them.
struct tuning_result {
    char *name;            // of the study
    char *program_version; // of recfleet, "0.3.0"
    uint64_t seed;
    char *study;         // the study as read, YAML
    double sla_quantile; // of the target, 0.95
    double p99_bound;    // times the target; 0: none asked for
    struct point_axes grid;
    uint32_t n_policies, n_steps, steps_cap;
    char **policies;
    struct chosen chosen;            // what the rows' settings are
    struct tuning_outcome *outcomes; // [point][policy]
    struct tuning_step *steps;       // [n_steps], by point, then policy, then order
};

extern const struct dataset_layout tuning_result_layout;
// The members of struct tuning_outcome but for the settings and the measurement, and wall_s; end
// with name NULL.
extern const struct data_field tuning_result_fields[], tuning_result_wall_fields[];

// Nothing known yet: counts and wall_s zero, reals NaN, verdicts VERDICT_NOT_ASKED.
struct tuning_outcome tuning_result_outcome_none(void);

// Zeroed, with room for the outcomes, of which nothing is known; names and axes are filled in by
// the caller.
struct tuning_result *tuning_result_create(uint32_t n_axes, uint32_t n_points, uint32_t n_policies);
// From its file, with the settings of `chosen` as columns; NULL on failure.
struct tuning_result *tuning_result_read(const char *path, const struct chosen *chosen,
                                         struct err *err);
void tuning_result_destroy(struct tuning_result *tuning); // NULL: no effect
struct tuning_outcome *tuning_result_outcome_at(const struct tuning_result *tuning, uint32_t point,
                                                uint32_t policy);
void tuning_result_add_step(struct tuning_result *tuning, const struct tuning_step *step); // copied

// Number of the policy of that name, or -1.
int tuning_result_find_policy(const struct tuning_result *tuning, const char *name);

#endif
