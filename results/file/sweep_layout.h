// SPDX-License-Identifier: Apache-2.0
// sweep_layout: how the points of a sweep stand in its file.
//
// It is the layout of a run's file with a dimension `point` in front: what the root's attributes
// say of a run are the root's variables, then /total, /summary, /groups. How each run went is in
// /run, outside the digest. Where the sweep has replications, /folded holds the same once more with
// the dimension `case`; it is never read, because replications.h makes it again.
//
// The axes differ from study to study, so a layout is made for each file. An axis is a coordinate
// of strings in every group over `point` (`case`), and a second one of numbers (point_axes.h).
#ifndef RESULTS_FILE_SWEEP_LAYOUT_H
#define RESULTS_FILE_SWEEP_LAYOUT_H

#include <stdint.h>

#include "results/file/dataset.h"
#include "results/file/point_axes.h"
#include "results/file/replications.h"
#include "results/file/sweep_result.h"

// One axis over the points, or over the cases.
struct sweep_slot {
    char **labels;
    double *numbers; // NULL: it has none
};

// The result's rows are borrowed when it is written, and its own when it was read; its axes are not
// in the layout but here. `runs` are the points once more, for the members that go to /run. What is
// over cases, from `cases` on, is only written.
struct sweep_frame {
    struct sweep_result result;
    char *axes, *axis_variables; // names as in the study, one a line; as in the file, by blanks
    char *replication_variable;  // "": none
    uint32_t n_cases;
    struct sweep_point *runs;
    struct replications_case *cases;
    struct sweep_service *case_services;    // names, [case][service]
    struct sweep_group *case_groups;        // names, [case][group]
    int32_t *case_sla;                      // [case][service]
    struct ci *folded[N_REPLICATED_TABLES]; // rows as in struct replications_table
    struct sweep_slot slots[];              // [n_axes] over points, then [n_axes] over cases
};

struct sweep_layout;

// `axes` is borrowed. `fold`: NULL without replications, else /folded is there, without the axis of
// that number. Caller frees with sweep_layout_destroy().
struct sweep_layout *sweep_layout_create(const struct point_axis *axes, uint32_t n_axes,
                                         const struct replications *fold);
void sweep_layout_destroy(struct sweep_layout *layout); // NULL: no effect
// Its size is that of a frame with its slots.
const struct dataset_layout *sweep_layout_of(const struct sweep_layout *layout);

// What every sweep has: the head alone, for who must know the axes first; and all names but those
// of axes. Their frames have no slots.
extern const struct dataset_layout sweep_layout_head, sweep_layout_names;

#endif
