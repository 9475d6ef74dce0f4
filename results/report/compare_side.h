// SPDX-License-Identifier: Apache-2.0
// compare_side: what one result has to be compared by: its numbers, under their names.
//
// A side is a run, a point of a sweep (with its replications folded), what a policy of a tuning
// reached, or one answer of a capacity search. Whatever it came from it is a list of numbers with
// 95 % intervals, each with the direction in which it is better; compare.h looks for the same names
// on two sides. A number may also have its parts: of a run, its value in every time bin; of a
// replicated point, in every replication. Two sides whose parts saw the same queries are compared
// part by part.
//
// What a search bracketed, the rate that is held or a number of servers that is not known to the
// last one, has no interval but two ends that its value lies between.
//
// A plan's parts are the intervals of its day, in what it draws: each is a stratum, and two plans
// of one day differ in every one of them by a difference that has the course of the day taken out.
// The spread of these differences is no narrower than what sampling leaves open. No other answer of
// a search has parts: each is simulated at its own rate or fleet, and the file keeps no more of
// that than intervals.
//
// `labels` say which one it is, as "policy=jsq": of a run its policy, of a point its value on each
// axis but that of replications.
//
//     struct compare_sides sides = {0};
//     compare_side_add_run(&sides, run);
//     compare_side_release(&sides);
//
// Units are udunits'. Where a file does not keep the number of batches behind an interval,
// BATCH_AIM are taken for it. Counts of servers that are sure, and money, are exact.
#ifndef RESULTS_REPORT_COMPARE_SIDE_H
#define RESULTS_REPORT_COMPARE_SIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "results/ci.h"
#include "results/file/capacity_result.h"
#include "results/file/replications.h"
#include "results/file/run_result.h"
#include "results/file/tuning_result.h"

struct compare_number {
    char *what;        // owned: "feed p95"
    const char *units; // "s" "s-1" "W" "J-1" "1" (a fraction) "" (as the name says)
    int better;        // 1: more is better; -1: less is
    bool quiet;        // worth a row only where a side has some
    bool whole;        // of all services: compared only where both sides have the same services
    struct ci value;   //
    double low, high;  // ends of its bracket; NaN: it has none, equal to the value: it is exact
    double *parts;     // owned, [n_parts], NaN: not known; NULL: none
};

// What a part saw: two that agree in all of this saw the same queries.
struct compare_part {
    double from_s, to_s;
    uint64_t seed, traffic; // traffic 0: unknown
    bool counts;            // it is measured
};

struct compare_side {
    char *file;     // owned: path
    char *name;     // owned: the labels, "policy=jsq, load=0.9"; "" where there is but one
    char *about;    // owned: study, policy, seed
    char *services; // owned: their names, a line each
    char **labels;  // owned, [n_labels]
    uint32_t n_labels, n_parts;
    bool in_time;               // the parts are neighbours in time, which correlate
    bool searched;              // it is the answer of a search
    struct compare_part *parts; // owned
    size_t n_numbers;
    struct compare_number *numbers; // owned
};

struct compare_sides {
    size_t n;
    struct compare_side *list; // owned
};

// Appends it. The run was read as DATASET_ALL, or as DATASET_WHOLE for parts of every number.
void compare_side_add_run(struct compare_sides *sides, const struct run_result *run);
// The points, or the cases where there are replications, that are done.
void compare_side_add_sweep(struct compare_sides *sides, const char *path,
                            const struct sweep_result *points);
// The policies' outcomes, point by point.
void compare_side_add_tuning(struct compare_sides *sides, const char *path,
                             const struct tuning_result *tuning);
// Sizes, loads and plans that hold.
void compare_side_add_capacity(struct compare_sides *sides, const char *path,
                               const struct capacity_result *answer);

// Replaces the numbers of a side by those of its own run, which have parts; its name stays.
void compare_side_take_run(struct compare_side *side, const struct run_result *run);

// NULL: it has none of that name.
const struct compare_number *compare_side_find(const struct compare_side *side, const char *what);
// Is that one of its labels?
bool compare_side_has(const struct compare_side *side, const char *label);

void compare_side_release(struct compare_sides *sides); // all of them

#endif
