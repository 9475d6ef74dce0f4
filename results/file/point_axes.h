// SPDX-License-Identifier: Apache-2.0
// point_axes: how the axes of a sweep stand in its file.
//
// An axis is a variable of labels named like the axis, and, where all of its labels are plain
// decimal numbers or quantities of one unit, a second one, AXIS_value, of those numbers. Both stand
// in every group of the file, so a name must be free in all of them: characters other than letters,
// digits and '_' become '_', and a name that is taken, or begins with no letter, gets "axis_" in
// front.
//
//     axis "rate qps" of labels "1kqps", "2kqps"  ->  rate_qps, rate_qps_value {1000, 2000} s-1
//     axis "policy" of labels "random", "jsq" ->  policy
//     axis "n_cells"                          ->  axis_n_cells: the file has a variable n_cells
#ifndef RESULTS_FILE_POINT_AXES_H
#define RESULTS_FILE_POINT_AXES_H

#include "results/file/dataset.h"
#include "results/file/sweep_result.h"

// Owned but for the units and the long name, which is the axis's own.
struct point_axis {
    char *variable;       // of its labels
    char *value_variable; // of its numbers; NULL: not all of its labels are numbers
    double *numbers;      // of the labels; NULL likewise
    const char *units;    // of these, as udunits writes them
    const char *long_name;
};

// [points->n_axes], by axis; depends on the names and labels alone. `taken` is the layout whose
// names are no axis's. Caller frees with point_axes_destroy().
struct point_axis *point_axes_create(const struct sweep_result *points,
                                     const struct dataset_layout *taken);
void point_axes_destroy(struct point_axis *axes, uint32_t n); // NULL with n 0: no effect

#endif
