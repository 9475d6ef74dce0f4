// SPDX-License-Identifier: Apache-2.0
// live_results: what a server that ran for real has shown, summed up, next to what is computed. [M]
//
// The log becomes a record and a summary as a run's, and a results file that every command reads;
// its study is called "NAME, measured", and it has no digest, as no study gives it again. Then the
// same arrivals are simulated, with each term of the study's times left out in turn, once more with
// all times multiplied by one factor that gives the cores the work that they had, and its own
// service times are replayed (live_replay.h); each of these is a row of errors.
//
// A run that was stopped counts up to there: its bins are the study's number, but shorter.
#ifndef LIVE_LIVE_RESULTS_H
#define LIVE_LIVE_RESULTS_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "live/live_compare.h"
#include "live/live_log.h"
#include "live/live_simulate.h"
#include "results/meta.h"
#include "results/record.h"
#include "results/summary.h"
#include "study/study.h"

// The rows: measured, the terms, the machine as fast as it was on average, the replays.
enum {
    LIVE_ROW_MEASURED,
    LIVE_ROW_TERMS,
    LIVE_ROW_OWN_SPEED = LIVE_ROW_TERMS + N_LIVE_TERMS,
    LIVE_ROW_REPLAY,
    LIVE_ROW_REPLAY_GAPS,
    N_LIVE_ROWS
};
extern const char *const live_results_rows[]; // of N_LIVE_ROWS, NULL behind them
// Not collective. Is the row the one before it with something changed? Then people see it indented.
bool live_results_is_part(int row);

struct live_results {
    struct meta *meta;       // owned
    struct record *measured; // owned
    struct summary *summary; // owned
    struct live_window window;
    bool has_row[N_LIVE_ROWS]; // what the study has not, has no row
    struct live_row rows[N_LIVE_ROWS];
    double gap_mean_s; // from when a request could begin until it did, on average
};

// Not collective. Is anything left to measure after the warm-up, when a run has ended at end_ns?
bool live_results_any(const struct study *study, int64_t end_ns);
// Not collective. end_ns: the study's duration, or when it was stopped. Fails when nothing is left
// to measure.
int live_results_make(const struct study *study, const struct live_log *log, int64_t end_ns,
                      struct live_results *to, struct err *err);
// Collective (comm), of one rank. Fills in the rows.
int live_results_compare(MPI_Comm comm, const struct live_log *log, struct live_results *to,
                         struct err *err);
// Collective (comm), of one rank. The same of the log's arrivals simulated; nothing is measured,
// and there are no rows.
int live_results_simulate(MPI_Comm comm, const struct study *study, const struct live_log *log,
                          struct live_results *to, struct err *err);
// Not collective.
void live_results_release(struct live_results *results);

#endif
