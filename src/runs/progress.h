// SPDX-License-Identifier: Apache-2.0
// progress: how far a run is and how long it may still take.
//
// On a terminal a bar that is redrawn in place, otherwise a line now and then, on stderr. It knows
// wall time and the part of the work that is done, 0..1; a run of a few seconds in a log says
// nothing. For scripts it prints JSON instead, one object a line: "start", "progress" once a
// second, "end", with wall time and the same numbers:
//
//     {"event": "progress", "t_s": 12.1, "done_frac": 0.4, "n_queries": 5000000, "eta_s": 18.2,
//      "n_points": 3, "of_points": 12, "stage": "3 of 12 points"}
//
// A run says p95 of what is done so far, with its interval (results/interim.h): n/a, and left out
// of JSON, while that is not known. A search says what it tries and what it has shown so far.
#ifndef RUNS_PROGRESS_H
#define RUNS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "results/ci.h"

enum { PROGRESS_STAGE = 120 }; // bytes of a stage's name

// What a search is at.
struct progress_at {
    double done_frac;
    // Where the work of this kind began: the time left is by the pace since then, and not known
    // while nothing of it is done.
    double from_frac;
    char stage[PROGRESS_STAGE];  // "size 3 of 8 (xeon)"; "": nothing
    double trying, held, missed; // what is tried, and the bracket so far; NaN: not known
    const char *unit;            // of these: "servers"
    uint64_t n_queries;
};

struct progress {
    FILE *out; // NULL: silent
    bool terminal, json;
    uint32_t n_points, of_points; // of a sweep; else 0
    double done_frac;             // as last said
    double from_frac;             // what was there at the start, of a run that resumes
    uint64_t from_queries;
    double start_s, last_s; // wall clock
    double pace_s;          // since when the time left is estimated
    bool drawn;
    char note[2 * PROGRESS_STAGE]; // what else there is to say: "3 of 12 points"; "": nothing
    struct progress_at at;         // of a search; unit NULL: of none
    bool says_p95;
    struct ci p95_s;
    int64_t p95_point; // of a sweep, that it is of; -1: of the run
};

// `out` NULL: nothing is ever printed.
void progress_start(struct progress *progress, FILE *out);
// The same with JSON lines.
void progress_start_json(struct progress *progress, FILE *out);
// Says that so much was done before the start.
void progress_from(struct progress *progress, double done_frac, uint64_t n_queries);
// Says that all is ready and the work begins now: what went before says nothing of its pace.
void progress_ready(struct progress *progress);
// What is done so far. Cheap when it is too early to print.
void progress_update(struct progress *progress, double done_frac, uint64_t n_queries);
// p95 so far of the run, or of that point of a sweep; told with the next update.
void progress_p95(struct progress *progress, int64_t point, struct ci p95_s);
// Says no more of p95, as where several points run.
void progress_no_p95(struct progress *progress);
// The same for a search. user: a struct progress.
typedef void (*progress_search_fn)(void *user, const struct progress_at *at);
void progress_search(void *user, const struct progress_at *at);
// "size 3 of 8 (xeon): trying 96 servers (held 104, missed 88)", in buf; returns buf.
const char *progress_at_text(const struct progress_at *at, char *buf, size_t size);
// How many bytes of the text, at most so many, are whole characters of UTF-8: for "%.*s".
int progress_cut(const char *text, int most);
// Of nothing.
struct progress_at progress_at_none(void);
// Points done, of how many: the text next to the numbers, and numbers of their own in JSON.
void progress_points(struct progress *progress, uint32_t n_points, uint32_t of_points);
// The text next to the numbers from now on.
void progress_note(struct progress *progress, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
// Removes the bar, or says "end". is_whole: nothing was left undone, so all of it is done, whatever
// the last update knew of.
void progress_end(struct progress *progress, bool is_whole);

// "1:05" or "2:03:10" from seconds, in buf (at least 24 bytes); returns buf.
const char *progress_clock(double s, char *buf, size_t size);

#endif
