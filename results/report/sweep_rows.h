// SPDX-License-Identifier: Apache-2.0
// sweep_rows: a sweep as its tables and pictures show it (report_sweep.h, page_sweep.h).
//
// A row is a case of the replications, with intervals from these; where the sweep has none every
// point is a row, with the intervals of its run's own batches. Where a point has several services,
// its latency is that of the one closest to missing its target, or the farthest beyond it, and its
// verdict the worst.
//
// One axis may lie along x in pictures: load, if some axis is that (a rate by its unit, or an axis
// whose name says so), else the first with numbers as labels. Where the labels of the load are
// words ("half", "peak"), x is the rate that arrived. Rows that differ on no other axis are one
// series.
//
//     struct sweep_rows *v = sweep_rows_create(points);
//     for (uint32_t s = 0; s < v->n_series; s++)
//         for (uint32_t i = v->first[s]; i < v->first[s + 1]; i++)
//             draw(s, sweep_rows_x(v, v->order[i]), v->rows[v->order[i]].latency_s);
//     sweep_rows_destroy(v);
//
// Seconds, queries per second, watts; fractions 0..1; NaN: not known, as latencies of what is
// overloaded and all of what is not done.
#ifndef RESULTS_REPORT_SWEEP_ROWS_H
#define RESULTS_REPORT_SWEEP_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "results/file/replications.h"

struct sweep_row {
    const struct replications_case *at_case;
    bool done, overloaded; // overloaded: at least one of its replications was
    int32_t sla;           // enum measurement_verdict
    const char *service;   // whose latency is shown; "(all)" without a target
    double quantile;       // of latency_s: the target's, p95 without one
    double sla_s;          // the target; 0: none
    struct ci latency_s;
    struct ci p50_s, p95_s, p99_s; // of all queries
    struct ci offered_qps, served_qps, goodput_qps, items_per_s, queue_growth_qps, busiest_frac,
        power_w, queries_per_j, lost_frac;
};

struct sweep_rows {
    const struct sweep_result *p; // borrowed
    struct replications *fold;
    bool folded; // there are replications: they give the intervals
    uint32_t n;
    struct sweep_row *rows; // [n]
    bool many_services;     // some point has more than one
    bool many_quantiles;    // latencies are at different percentiles
    double quantile;        // of the first that is done
    int x_axis;             // number of the axis along x; -1: none
    bool x_is_load;
    double *x;           // [labels of x_axis]; NULL: the rate that arrived
    const char *x_units; // as udunits writes them
    uint32_t n_series;
    uint32_t *order; // [n]: row numbers, series by series, along x
    uint32_t *first; // [n_series + 1]: where each begins there
};

// `points` is borrowed until sweep_rows_destroy(); all axes must be set.
struct sweep_rows *sweep_rows_create(const struct sweep_result *points);
void sweep_rows_destroy(struct sweep_rows *rows); // NULL: no effect

// Do rows differ on that axis? Not on one of one label, nor on that of the replications.
bool sweep_rows_shows(const struct sweep_rows *rows, uint32_t axis);
uint32_t sweep_rows_n_shown(const struct sweep_rows *rows); // such axes
// The row's label on an axis: "jsq".
const char *sweep_rows_label(const struct sweep_rows *rows, uint32_t row, uint32_t axis);
// "jsq, servers=4" with `between` ", ": its labels on the axes shown but for those two (-1: none),
// numbers with the name of their axis. "" where no axis is left. Caller mem_free()s.
char *sweep_rows_name(const struct sweep_rows *rows, uint32_t row, const char *between,
                      int but_axis, int but_other);
// Its place along x; NaN without one.
double sweep_rows_x(const struct sweep_rows *rows, uint32_t row);

// Done, not overloaded, and its target met where there is one: what can be recommended.
bool sweep_rows_holds(const struct sweep_rows *rows, uint32_t row);
// "p95"; "latency" where rows are at different percentiles. Caller mem_free()s.
char *sweep_rows_tail_name(const struct sweep_rows *rows);

// The estimates of a row by name; ends with name NULL.
extern const struct data_field sweep_rows_fields[];

#endif
