// SPDX-License-Identifier: Apache-2.0
// points: the runs of a sweep side by side, for one file, one table and their readers.
//
// A sweep has axes and points; a point takes one value of each axis and is one run, or one that is
// still to be done, or has failed. What a run's file says of the run as a whole is copied out of
// it (load.h), which can be dropped then: about 2 kB per point with one service and one group.
// Time bins, histograms, servers and samples stay in the runs' own files.
//
// Points may differ in their services and groups, because an axis may change them. Rows are by
// position up to the most that any point has; a row that a point does not have is NaN and 0, and
// its names are "". The order in which points are taken in changes nothing.
//
// One axis may be that of replications: points that differ in nothing but their random draws, which
// fold.h makes intervals of.
//
//     struct points *p = points_create(2, 4);
//     points_set_axis(p, 0, "policy", (const char *[]){"random", "jsq"}, 2);
//     points_set_axis(p, 1, "replication", (const char *[]){"0", "1"}, 2);
//     p->replication = 1;
//     points_set_value(p, 3, 0, 1);                 // point 3 has policy jsq
//     points_set_seed(p, 3, 77);
//     points_take(p, 3, load);                      // now it is done; load may be closed
//     points_set_state(p, 2, POINTS_FAILED, "no servers are left");
//     points_destroy(p);
#ifndef RESULTS_POINTS_H
#define RESULTS_POINTS_H

#include <stddef.h>
#include <stdint.h>

#include "results/summary.h"

struct load;

enum points_state {
    POINTS_MISSING, // not done yet
    POINTS_DONE,
    POINTS_FAILED,  // was tried; the note says what came of it
    POINTS_FOREIGN, // there is a file, but of another study
    N_POINTS_STATES
};
extern const char *const points_state_names[]; // "missing" "done" "failed" "foreign" NULL

struct points_axis {
    char *name; // "policy"
    uint32_t n_labels;
    char **labels;
};

// One point. All from `policy_name` on is known of done ones only, else 0, NaN, "". Texts are owned
// and never NULL.
struct points_point {
    int32_t state; // enum points_state
    char *note;    // why it is not done; one line
    uint64_t random_seed;
    char *policy_name;
    char *study_digest;           // of the point's own study, 32 hex digits
    uint64_t traffic_fingerprint; // equal for two points that saw the same queries
    double duration_s, warmup_s;  // simulated; given warm-up
    int32_t warmup_auto;          // 1: it was detected
    double measured_from_s, measured_to_s;
    uint32_t n_cells, n_servers, n_services, n_groups;
    // How it went: may differ although the study is the same.
    char *date, *host, *git_revision, *job_id, *nodes;
    int32_t n_ranks, n_nodes; // nodes: 0 unknown
    uint64_t n_restarts;
    double wall_s;
    uint64_t n_queries_simulated;
};

struct points_service { // names of a service; owned, NULL is ""
    char *name, *model;
};

struct points_group { // names of a group; owned, NULL is ""
    char *name, *platform;
    uint32_t n_servers;
};

struct points {
    char *study_name, *program_version; // owned, may be NULL until set: mem_strdup() them
    char *study_text;                   // owned; the study with its sweep, NULL: unknown
    uint32_t n_axes, n_points;
    int replication; // number of that axis; -1: none
    struct points_axis *axes;
    uint32_t *values; // [n_points][n_axes]: index into the axis's labels
    struct points_point *points;
    uint32_t n_services, n_groups;        // the most of any point, at least 1
    struct points_service *service_names; // [n_points][n_services]
    struct summary_service *services;     // [n_points][n_services]
    struct summary_service *totals;       // [n_points]: all services together
    struct points_group *group_names;     // [n_points][n_groups]
    struct summary_group *groups;         // [n_points][n_groups]
    struct summary_fleet *fleets;         // [n_points]
};

// All points are missing, with value 0 on every axis; axes are to be set. Caller frees with
// points_destroy().
struct points *points_create(uint32_t n_axes, uint32_t n_points);
void points_destroy(struct points *points); // NULL: no effect

// What is given is copied. A line's end in a name, label or note becomes a blank.
void points_set_axis(struct points *points, uint32_t axis, const char *name,
                     const char *const *labels, uint32_t n_labels);
void points_set_value(struct points *points, uint32_t point, uint32_t axis, uint32_t value);
void points_set_seed(struct points *points, uint32_t point, uint64_t seed);
// Not POINTS_DONE, which is what points_take() makes of it. `note` may be NULL.
void points_set_state(struct points *points, uint32_t point, enum points_state state,
                      const char *note);
// The point is done, and this is its run. Nothing of `load` is kept; its seed becomes the point's.
void points_take(struct points *points, uint32_t point, const struct load *load);

// Room for so many services and groups per point; what is there is kept. For readers of a file;
// points_take() makes room by itself.
void points_reserve(struct points *points, uint32_t n_services, uint32_t n_groups);

// The label of a point on an axis: "jsq".
const char *points_label(const struct points *points, uint32_t point, uint32_t axis);
// "policy=jsq,replication=1"; "" without axes. Caller mem_free()s.
char *points_name(const struct points *points, uint32_t point);
// How many are in a state.
uint32_t points_count(const struct points *points, enum points_state state);

// One number of struct points_point by name: those that depend on the study alone, and the others.
// The names leave those free that axes often have, such as policy, seed, model and platform.
extern const struct summary_field points_fields[], points_run_fields[]; // end with name NULL

// The same for its texts.
struct points_text {
    const char *name, *long_name;
    size_t offset; // of the char * in struct points_point
};
extern const struct points_text points_texts[], points_run_texts[]; // end with name NULL

#endif
