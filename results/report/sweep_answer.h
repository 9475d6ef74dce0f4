// SPDX-License-Identifier: Apache-2.0
// sweep_answer: what a sweep says, in a sentence or two.
//
// Where load is an axis: which of the others holds its target, or stays out of overload, up to the
// highest load, with no load below that it does not hold. Where it is not: of the points that meet
// their target the one that serves the most queries per joule if these differ by more than
// SWEEP_ANSWER_SAME_FRAC, else the one of the lowest tail.
//
// Two numbers whose 95 % intervals overlap are said to be not distinguishable, and so are those of
// which one has no interval. That is cautious: runs that saw the same traffic may differ by less
// (`recfleet compare` pairs them).
//
//     struct sweep_rows *rows = sweep_rows_create(points);
//     sweep_answer_print(&out, rows);      // "3 of 4 points meet their target; of these ..."
#ifndef RESULTS_REPORT_SWEEP_ANSWER_H
#define RESULTS_REPORT_SWEEP_ANSWER_H

#include "results/report/report_out.h"
#include "results/report/sweep_rows.h"

#define SWEEP_ANSWER_SAME_FRAC 0.02

void sweep_answer_print(struct report_out *out, const struct sweep_rows *rows);

// Numbers of the row that can be recommended for its tail, and for its queries per joule; -1: none.
int sweep_answer_lowest_tail(const struct sweep_rows *rows);
int sweep_answer_most_per_joule(const struct sweep_rows *rows);

// The row of the highest load that a series holds, -1: none; *next, unless NULL, is the first that
// it does not hold, -1: it holds all that is done.
int sweep_answer_held(const struct sweep_rows *rows, uint32_t series, int *next);
// Rows at the highest load that any series holds, one of each series that holds it; *n_none: series
// that hold no load. Caller mem_free()s.
uint32_t *sweep_answer_highest(const struct sweep_rows *rows, uint32_t *n, uint32_t *n_none);

#endif
