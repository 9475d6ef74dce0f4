// SPDX-License-Identifier: Apache-2.0
// tuning_result: what a search over scheduler settings found, for the file, the table and their
// readers.
//
// A tuning has cells (the points of a study's grid: model x target x platform, ...; a study without
// a grid has one) and policies; every (cell, policy) has one outcome. The path holds every point
// that was simulated on the way, in order.
//
// NaN: not known or not applicable. Everything here depends on the study alone, but for wall_s.
// How it stands in a file: tuning_file.h.
//
//     struct tuning_result *t = tuning_result_create(1, 2, 1);
//     t->axes[0] = (struct tuning_axis){mem_strdup("model"), 2, labels};  // owned from here on
//     t->labels[1] = 1;                                     // cell 1 is the second model
//     tuning_result_outcome_at(t, 1, 0)->qps = 1000;
//     tuning_result_destroy(t);
#ifndef RESULTS_FILE_TUNING_RESULT_H
#define RESULTS_FILE_TUNING_RESULT_H

#include <stddef.h>
#include <stdint.h>

#include "results/measurement.h"

enum tuning_state { TUNING_FOUND, TUNING_UNREACHABLE, N_TUNING_STATES };
extern const char *const tuning_result_state_names[]; // "found" "unreachable" NULL

struct tuning_axis {
    char *name; // "model"
    uint32_t n_labels;
    char **labels; // owned
};

struct tuning_outcome {
    int32_t state;             // enum tuning_state
    uint32_t batch_items;      // B
    uint32_t offload_items;    // T; 0: nothing goes to the accelerator
    double qps, missed_qps;    // largest rate shown to be held, smallest shown to be missed
    double claimed_qps;        // what the policy itself believes (reference), else qps
    struct measurement at_qps; // not asked where unreachable, but for sla_s; n_queries: 0
    double floor_s;            // unreachable: latency at vanishing load
    int32_t confirmed;         // enum measurement_verdict, on a fresh seed: held at qps?
    int32_t confirmed_over;    // and at qps times 1.05? missed is what a tight answer gives
    double tuned_qps;          // tuned on other sizes: what was reached on those; else qps
    uint64_t n_choices, n_bounded, n_runs, n_queries; // spent
    double wall_s;                                    // spent; differs from run to run
};

struct tuning_step {
    uint32_t cell, policy;
    uint32_t batch_items, offload_items;
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
    uint32_t n_axes;
    struct tuning_axis *axes;
    uint32_t n_cells;
    uint32_t *labels; // [n_cells][n_axes]: index into the axis's labels
    uint32_t n_policies;
    char **policies;
    struct tuning_outcome *outcomes; // [n_cells][n_policies]
    struct tuning_step *steps;       // [n_steps], by cell, then policy, then order
    size_t n_steps, steps_cap;
};

// Nothing known yet: counts zero, reals NaN (but wall_s 0), verdicts VERDICT_NOT_ASKED.
struct tuning_outcome tuning_result_outcome_none(void);

// Zeroed, with room for the outcomes, of which nothing is known; names and axes are filled in by
// the caller (owned strings).
struct tuning_result *tuning_result_create(uint32_t n_axes, uint32_t n_cells, uint32_t n_policies);
void tuning_result_destroy(struct tuning_result *tuning); // NULL: no effect
struct tuning_outcome *tuning_result_outcome_at(const struct tuning_result *tuning, uint32_t cell,
                                                uint32_t policy);
void tuning_result_add_step(struct tuning_result *tuning, const struct tuning_step *step); // copied

// The label of a cell on an axis: "wnd".
const char *tuning_result_label(const struct tuning_result *tuning, uint32_t cell, uint32_t axis);
// "model=wnd, target=low"; "" without axes. Caller mem_free()s.
char *tuning_result_point_name(const struct tuning_result *tuning, uint32_t cell);
// Number of the policy of that name, or -1.
int tuning_result_find_policy(const struct tuning_result *tuning, const char *name);

#endif
