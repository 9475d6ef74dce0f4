// SPDX-License-Identifier: Apache-2.0
// grid: the points of a study that is a family of studies.
//
// `sweep` lists axes; a point takes one value of each, in the order of a counter whose last axis
// turns fastest. A value is a list of settings ("traffic[0].model=wnd") that are applied to the
// study before it is read, so any key can be swept and a point is an ordinary study.
//
//     sweep:
//       - {axis: model, key: "traffic[0].model", values: [ncf, wnd]}
//       - axis: platform
//         points:
//           - {label: skylake, set: {"fleet.groups[0].platform": skylake}}
//           - {label: skylake+gpu, set: {"fleet.groups[0].platform": skylake,
//                                        "fleet.groups[0].accelerator": gtx1080ti}}
//
// `values` are their own labels unless `labels` names them, which lists and maps need. Point ids
// and labels depend on the study alone. A study without `sweep` has one point and no axes.
//
// `replications: 5` beside `sweep` repeats every point with other random draws: a last axis named
// "replication" with the labels 0 to 4, which yet turns slowest, so that more replications leave
// the ids of the points as they are. Replication 0 has the seed that the point has without it; the
// others' are drawn from that seed and their number, so two points whose seeds differ share none,
// and points that differ in something else see the same queries in each replication.
//
// To read a point, apply the settings of the command line first, then the point's own:
//
//     struct grid *grid = grid_parse(path, data, size, settings, n_settings, &err);
//     const char **all = grid_point_settings(grid, point, settings, n_settings, &n_all);
//     struct study *study = study_parse(path, data, size, all, n_all, &library, true, &err);
//     mem_free(all);
//     grid_destroy(grid);
#ifndef STUDY_GRID_H
#define STUDY_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/schema.h"

#define GRID_MAX_AXES 16
#define GRID_MAX_POINTS 1000000
#define GRID_MAX_REPLICATIONS 10000
// Settings of all points together: a pointer each is kept.
#define GRID_MAX_SETTINGS 8000000

// The axis of replications, which no axis of a user may be called.
#define GRID_REPLICATION "replication"

struct grid;
struct mistakes;

// What stands beside `sweep` at the top of a study.
struct grid_settings {
    int64_t replications;
};

// Reads the `sweep` of a study's text after `settings` were applied; `path` names it in errors.
// NULL on error: one line with file:line:column. Whether the settings make sense is found out when
// a point is read as a study.
struct grid *grid_parse(const char *path, const char *data, size_t size,
                        const char *const *settings, size_t n_settings, struct err *err);
// All mistakes in the sweep into the list (mistakes.h), as many as it has room for.
void grid_mistakes(const char *path, const char *data, size_t size, const char *const *settings,
                   size_t n_settings, struct mistakes *mistakes);
void grid_destroy(struct grid *grid); // NULL: no effect

// The study's name and where its results go, which no point changes; borrowed.
const char *grid_study_name(const struct grid *grid);
const char *grid_output(const struct grid *grid);
// How often every point is repeated, >= 1; above 1 the last axis is GRID_REPLICATION.
uint32_t grid_n_replications(const struct grid *grid);
// An error at the key `replications`, for a study that cannot have them; returns -1.
int grid_fail_replications(const struct grid *grid, struct err *err, const char *why);

uint32_t grid_n_axes(const struct grid *grid);
uint32_t grid_n_points(const struct grid *grid); // >= 1
const char *grid_axis_name(const struct grid *grid, uint32_t axis);
uint32_t grid_n_labels(const struct grid *grid, uint32_t axis);
const char *grid_label(const struct grid *grid, uint32_t axis, uint32_t value);
// Which value of the axis the point takes.
uint32_t grid_value(const struct grid *grid, uint32_t point, uint32_t axis);
// The point's settings, in order; *n of them. Borrowed until grid_destroy().
const char *const *grid_settings(const struct grid *grid, uint32_t point, size_t *n);
// `settings` and behind them the point's own; *n of them. Caller mem_free()s the array, not the
// texts.
const char **grid_point_settings(const struct grid *grid, uint32_t point,
                                 const char *const *settings, size_t n_settings, size_t *n);
// Where in the file the value of one of the point's settings is written; false when it is none of
// the file's.
bool grid_locate(const struct grid *grid, uint32_t point, const char *setting, int *line,
                 int *column);
// "model=wnd,target=low"; caller mem_free()s. "" without axes.
char *grid_name(const struct grid *grid, uint32_t point);

// Of struct grid_settings; and, for the listing of all keys, what stands in sweep[] and in
// sweep[].points[].
extern const struct field grid_fields[], grid_axis_fields[], grid_point_fields[];

#endif
