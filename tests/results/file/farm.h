// SPDX-License-Identifier: Apache-2.0
// farm: a kind of results file that only the tests know, with one of everything a layout can say.
#ifndef TESTS_RESULTS_FILE_FARM_H
#define TESTS_RESULTS_FILE_FARM_H

#include "results/file/dataset.h"

enum { FARM_UP, FARM_DOWN, FARM_NOT_ASKED };
extern const char *const farm_states[];

struct farm_part {
    struct ci power_w;
    double share_frac;
};

struct farm_reading {
    uint64_t n_reads;
    uint32_t n_errors;
    int32_t state, shift;
    bool spinning;
    int64_t busy_ns;
    char *note;
    struct ci wait_s[2];       // by quantile
    struct farm_part parts[2]; // by component
    uint64_t extra[2];         // what `extras` says
    double heat_k;             // of /run
};

struct farm_event {
    uint32_t disk, model; // numbers of disks
    double at_s;
};

struct farm {
    char *name, *program_version, *study;
    uint64_t seed;
    bool automatic;
    int64_t length_ns;
    double day_s;
    uint32_t n_disks, n_days, n_events, n_edges;
    char **disks;
    double *edges_s;               // [n_edges]
    char **makers;                 // [n_disks]
    double *prices;                // [n_disks]
    struct farm_reading *readings; // [n_days][n_disks]
    struct farm_event *events;     // [n_events]; optional
    uint64_t *counts;              // [n_edges]; for others
    struct farm_sample {
        double window_s;
        uint32_t n;
        uint32_t reserved;
    } sample;       // optional
    double *wall_s; // [n_disks], of /run
    struct point_axes trials;
    double *scores;              // [trials.n_points]
    struct point_axes rounds;    // for others, and only where there are some
    struct ci *spread;           // [rounds.n_points][4]: of struct farm_part
    struct data_field extras[3]; // of a reading's `extra`; only written
};

extern const struct dataset_layout farm_layout;

// A farm of two disks over three days, and nothing optional but what is asked for; owned, release
// with dataset_destroy(). Its readings have one extra, "load".
struct farm farm_make(uint32_t n_events);

#endif
