// SPDX-License-Identifier: Apache-2.0
// point_axes: the axes of a study's grid, and where on them each of its points is.
//
// A point takes one value of each axis. A value is known by its label, which is what the study
// says: "jsq", "25ms". Sweeps and tunings keep their points so; in a file the dimension of the
// points has them as coordinates (DATASET_GRID of dataset.h).
//
//     struct point_axes grid = point_axes_create(2, 4);
//     point_axes_set(&grid, 0, "policy", (const char *const[]){"random", "jsq"}, 2);
//     point_axes_set(&grid, 1, "rate", (const char *const[]){"1kqps", "2kqps"}, 2);
//     grid.values[3 * grid.n_axes + 1] = 1;         // point 3 has the second rate
//     point_axes_label(&grid, 3, 1);                // "2kqps"
//     point_axes_release(&grid);
#ifndef RESULTS_FILE_POINT_AXES_H
#define RESULTS_FILE_POINT_AXES_H

#include <stddef.h>
#include <stdint.h>

struct point_axis {
    char *name; // "policy"
    uint32_t n_labels;
    char **labels;
};

// All of it is owned: point_axes_release().
struct point_axes {
    uint32_t n_axes, n_points;
    struct point_axis *axes;
    uint32_t *values; // [n_points][n_axes]: index into the axis's labels
};

// Every point has value 0 on every axis; the axes are to be set.
struct point_axes point_axes_create(uint32_t n_axes, uint32_t n_points);
void point_axes_release(struct point_axes *axes); // leaves it zero; zero: no effect

// What is given is copied. A line's end in a name or a label becomes a blank.
void point_axes_set(struct point_axes *axes, uint32_t axis, const char *name,
                    const char *const *labels, uint32_t n_labels);
// An axis of these labels, one for each point: its values are in the order in which the points have
// them first.
void point_axes_take(struct point_axes *axes, uint32_t axis, const char *name,
                     const char *const *labels);

// The label of a point on an axis: "jsq".
const char *point_axes_label(const struct point_axes *axes, uint32_t point, uint32_t axis);
// "policy=jsq,rate=2kqps" with `between` between two axes; "" without axes. Caller mem_free()s.
char *point_axes_name(const struct point_axes *axes, uint32_t point, const char *between);

// "jsq, servers=4" with `between` ", ": the same for people, without the axes of one label and the
// n_but axes of those numbers; a label that is a number has the name of its axis. Caller
// mem_free()s.
char *point_axes_short(const struct point_axes *axes, uint32_t point, const char *between,
                       const int *but, size_t n_but);

// The numbers of an axis's labels, where all are plain decimal numbers or quantities of one unit,
// in SI; *units: theirs, as udunits writes them. Caller mem_free()s. NULL: they are none.
double *point_axes_numbers(const struct point_axis *axis, const char **units);

// An owned copy of a text in one line; NULL is "".
char *point_axes_line(const char *text);

#endif
