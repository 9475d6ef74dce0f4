// SPDX-License-Identifier: Apache-2.0
// sweep_result: the runs of a sweep side by side, for one file, one table and their readers.
//
// A sweep has axes and points; a point takes one value of each axis and is one run, or one that is
// still to be done, or has failed. What a run's file says of the run as a whole is copied out of
// it (run_result.h), which can be dropped then: about 2 kB per point with one service and one
// group. Time bins, histograms, servers and samples stay in the runs' own files.
//
// Points may differ in their services and groups, because an axis may change them. Rows are by
// position up to the most that any point has; a row that a point does not have is NaN and 0, and
// its names are "". The order in which points are taken in changes nothing.
//
// One axis may be that of replications: points that differ in nothing but their random draws, which
// replications.h makes intervals of.
//
//     struct sweep_result *p = sweep_result_create(2, 4);
//     point_axes_set(&p->grid, 0, "policy", (const char *[]){"random", "jsq"}, 2);
//     point_axes_set(&p->grid, 1, "replication", (const char *[]){"0", "1"}, 2);
//     p->replication = 1;
//     p->values[3 * p->n_axes + 0] = 1; // point 3 has policy jsq
//     sweep_result_set_seed(p, 3, 77);
//     sweep_result_take(p, 3, run);                      // now it is done; run may be released
//     sweep_result_set_state(p, 2, SWEEP_FAILED, "no servers are left");
//     sweep_result_destroy(p);
#ifndef RESULTS_FILE_SWEEP_RESULT_H
#define RESULTS_FILE_SWEEP_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "results/file/point_axes.h"
#include "results/meta.h"
#include "results/summary.h"

struct run_result;

enum sweep_state {
    SWEEP_MISSING, // not done yet
    SWEEP_DONE,
    SWEEP_FAILED,  // was tried; the note says what came of it
    SWEEP_FOREIGN, // there is a file, but of another study
    N_SWEEP_STATES
};
extern const char *const sweep_result_state_names[]; // "missing" "done" "failed" "foreign" NULL

// One point. All from `policy_name` on is known of done ones only, else 0, NaN, "". Texts are
// owned; those of `info` may be NULL for "".
struct sweep_point {
    int32_t state; // enum sweep_state
    char *note;    // why it is not done; one line
    uint64_t random_seed;
    char *policy_name;
    char *study_digest;           // of the point's own study, 32 hex digits
    uint64_t traffic_fingerprint; // equal for two points that saw the same queries
    double duration_s, warmup_s;  // simulated; given warm-up
    bool warmup_auto;             // it was chosen automatically
    double measured_from_s, measured_to_s;
    uint32_t n_cells, n_servers, n_services, n_groups;
    struct run_info info; // how it went: may differ although the study is the same
};

struct sweep_service { // names of a service; owned, NULL is ""
    char *name, *model;
};

struct sweep_group { // names of a group; owned, NULL is ""
    char *name, *platform;
    uint32_t n_servers;
};

struct sweep_result {
    char *study_name, *program_version; // owned, may be NULL until set: mem_strdup() them
    char *study_text;                   // owned; the study with its sweep, NULL: unknown
    int replication;                    // number of that axis; -1: none
    union {
        struct point_axes grid;
        struct { // the same, for short
            uint32_t n_axes, n_points;
            struct point_axis *axes;
            uint32_t *values; // [n_points][n_axes]: index into the axis's labels
        };
    };
    struct sweep_point *points;
    uint32_t n_services, n_groups;       // the most of any point, at least 1
    struct sweep_service *service_names; // [n_points][n_services]
    struct summary_service *services;    // [n_points][n_services]
    struct summary_service *totals;      // [n_points]: all services together
    struct sweep_group *group_names;     // [n_points][n_groups]
    struct summary_group *groups;        // [n_points][n_groups]
    struct summary_fleet *fleets;        // [n_points]
};
// `grid` and its members by short names are the same bytes.
#define SWEEP_RESULT_SAME(member)                                                                  \
    _Static_assert(offsetof(struct sweep_result, member) ==                                        \
                       offsetof(struct sweep_result, grid.member),                                 \
                   #member " is not that of the grid")
SWEEP_RESULT_SAME(n_axes);
SWEEP_RESULT_SAME(n_points);
SWEEP_RESULT_SAME(axes);
SWEEP_RESULT_SAME(values);
_Static_assert(sizeof(struct point_axes) == 2 * sizeof(uint32_t) + 2 * sizeof(void *),
               "the grid has members that have no short name");
#undef SWEEP_RESULT_SAME

// All points are missing, with value 0 on every axis; axes are to be set. Caller frees with
// sweep_result_destroy().
struct sweep_result *sweep_result_create(uint32_t n_axes, uint32_t n_points);
void sweep_result_destroy(struct sweep_result *points); // NULL: no effect

// What is given is copied. A line's end in a note becomes a blank.
void sweep_result_set_seed(struct sweep_result *points, uint32_t point, uint64_t seed);
// Not SWEEP_DONE, which is what sweep_result_take() makes of it. `note` may be NULL.
void sweep_result_set_state(struct sweep_result *points, uint32_t point, enum sweep_state state,
                            const char *note);
// The point is done, and this is its run. Nothing of `run` is kept; its seed becomes the point's.
void sweep_result_take(struct sweep_result *points, uint32_t point, const struct run_result *run);

// The label of a point on an axis: "jsq".
const char *sweep_result_label(const struct sweep_result *points, uint32_t point, uint32_t axis);
// "policy=jsq,replication=1"; "" without axes. Caller mem_free()s.
char *sweep_result_name(const struct sweep_result *points, uint32_t point);
// How many are in a state.
uint32_t sweep_result_count(const struct sweep_result *points, enum sweep_state state);

// The members of struct sweep_point but for `info` and why it is not done.
// The names leave those free that axes often have, such as policy, seed, model and platform.
extern const struct data_field sweep_result_fields[]; // ends with name NULL

#endif
