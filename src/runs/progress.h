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
#ifndef RUNS_PROGRESS_H
#define RUNS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
    FILE *out; // NULL: silent
    bool terminal, json;
    uint32_t n_points, of_points; // of a sweep; else 0
    double done_frac;             // as last said
    double from_frac;             // what was there at the start, of a run that resumes
    uint64_t from_queries;
    double start_s, last_s; // wall clock
    bool drawn;
    char note[48]; // what else there is to say: "3 of 12 points"; "": nothing
};

// `out` NULL: nothing is ever printed.
void progress_start(struct progress *progress, FILE *out);
// The same with JSON lines.
void progress_start_json(struct progress *progress, FILE *out);
// Says that so much was done before the start.
void progress_from(struct progress *progress, double done_frac, uint64_t n_queries);
// What is done so far. Cheap when it is too early to print.
void progress_update(struct progress *progress, double done_frac, uint64_t n_queries);
// The same for a search, which also says what it is at: "": nothing. user: a struct progress.
void progress_stage(void *user, double done_frac, const char *stage, uint64_t n_queries);
// Points done, of how many: the text next to the numbers, and numbers of their own in JSON.
void progress_points(struct progress *progress, uint32_t n_points, uint32_t of_points);
// The text next to the numbers from now on.
void progress_note(struct progress *progress, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
// Removes the bar, or says "end".
void progress_end(struct progress *progress);

// "1:05" or "2:03:10" from seconds, in buf (at least 24 bytes); returns buf.
const char *progress_clock(double s, char *buf, size_t size);

#endif
