// SPDX-License-Identifier: Apache-2.0
// progress: how far a run is and how long it may still take.
//
// On a terminal a bar that is redrawn in place, otherwise a line now and then, on stderr. It knows
// wall time and simulated time only; a run of a few seconds in a log says nothing.
#ifndef RUNS_PROGRESS_H
#define RUNS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
    FILE *out; // NULL: silent
    bool terminal;
    int64_t end_ns;  // simulated time at which the run is done
    int64_t from_ns; // what was there at the start, of a run that resumes
    uint64_t from_queries;
    double start_s, last_s; // wall clock
    bool drawn;
    char note[48]; // what else there is to say: "3 of 12 points"; "": nothing
};

// `out` NULL: nothing is ever printed.
void progress_start(struct progress *progress, FILE *out, int64_t end_ns);
// Says that so much was done before the start.
void progress_from(struct progress *progress, int64_t reached_ns, uint64_t n_queries);
// The simulated time reached and the queries done so far. Cheap when it is too early to print.
void progress_update(struct progress *progress, int64_t reached_ns, uint64_t n_queries);
// The text next to the numbers from now on.
void progress_note(struct progress *progress, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
// Removes the bar.
void progress_end(struct progress *progress);

// "1:05" or "2:03:10" from seconds, in buf (at least 24 bytes); returns buf.
const char *progress_clock(double s, char *buf, size_t size);

#endif
