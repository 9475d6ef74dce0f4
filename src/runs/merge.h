// SPDX-License-Identifier: Apache-2.0
// merge: the points of a sweep, each in its own file, made one file. [M]
//
// What is read are the files of the points that are done; the others are named with the reason and
// left empty. The file depends on the points alone: not on when, in which order or on how many
// ranks they were made, and not on how often it is merged on the way.
//
// The one file may be made anew whenever nothing is lost by it: when every point that the old one
// holds is there again, with the same results. So a merge after each task of an array just works,
// and one that would drop results, or replace another study's, is refused without `force`.
//
// One process works alone.
#ifndef RUNS_MERGE_H
#define RUNS_MERGE_H

#include <stdbool.h>

#include "runs/survey.h"
#include "base/err.h"
#include "results/file/sweep_result.h"

// Not collective. Before a sweep: can the one file be made, and may what is there be replaced, as
// far as the facts of the points tell? ERR_STUDY with the reason.
int merge_check(struct survey *survey, bool force, struct err *err);

// Not collective. All points, those that are done with their results; facts of points whose file
// turns out to be unreadable are changed. Caller sweep_result_destroy()s.
struct sweep_result *merge_read(struct survey *survey);

// Not collective. Writes the one file.
int merge_write(const struct survey *survey, const struct sweep_result *points, bool force,
                struct err *err);

#endif
