// SPDX-License-Identifier: Apache-2.0
// eval: one study simulated over all ranks. [M]
//
// Opening it starts MPI, so commands that only look at files do not pay for that; without mpirun it
// is one rank. Errors are the same on every rank, and rank 0 prints them.
#ifndef RUNS_EVAL_H
#define RUNS_EVAL_H

#include <mpi.h>
#include <stdbool.h>

#include "runs/survey.h"
#include "base/err.h"
#include "cluster/run.h"
#include "results/meta.h"
#include "results/summary.h"
#include "study/study.h"

struct eval {
    MPI_Comm comm; // owned
    MPI_Comm self; // this rank alone
    int rank, n_ranks;
    int n_nodes; // that the ranks are on; 0: not counted
};

// Collective (all processes of the job). Starts MPI; its errors are returned from now on.
int eval_open(struct eval *eval, struct err *err);
// Collective (eval->comm). Ends MPI.
void eval_close(struct eval *eval);

// Collective (eval->comm). Logically collective: path. The text of a study file on every rank, read
// by rank 0; caller mem_free()s, NULL on every rank on error.
char *eval_read_text(const struct eval *eval, const char *path, size_t *size, struct err *err);

// Collective (eval->comm). Logically collective: source. survey_create() on every rank, of a text
// that rank 0 reads (the source has none). NULL on every rank on error.
struct survey *eval_read_survey(const struct eval *eval, const struct survey_source *source,
                                struct err *err);

// Collective (eval->comm). The error of the lowest failing rank on all; see par/agree.h.
int eval_agree(const struct eval *eval, int rc, struct err *err);

// What a struct run_info borrows.
struct eval_stamp {
    char date[32], host[64], mpi_version[MPI_MAX_LIBRARY_VERSION_STRING];
};

// Not collective. Date, host, revision, job, nodes and ranks into *info; it borrows `command` and
// *stamp.
void eval_stamp(const struct eval *eval, const char *command, struct eval_stamp *stamp,
                struct run_info *info);

struct eval_options {
    struct run_options run;
    int64_t window_ns;   // at most this; 0: as long as the delays allow
    const char *output;  // results file
    bool force;          // replace an existing one, and begin although there is a checkpoint
    const char *command; // the command line, for the record
    // Checkpoints, see runs/checkpointing.h. The study says how often.
    const char *checkpoint;  // where they go; NULL: where the study says, or beside the results
    bool resume;             // from the last one, if there is one
    const char *resume_from; // resume from this one; NULL: see resume
    bool quiet;              // no line per checkpoint
};

struct eval_result {
    struct meta *meta;       // owned
    struct summary *summary; // owned; NULL on ranks other than 0, and where it stopped too early
    struct run_info info;    // borrows from *eval_options and below
    struct eval_stamp stamp;
    // By a signal, at a checkpoint: there is no results file, and the summary and the meta's
    // duration are those of the part that is done.
    bool stopped;
    int64_t stopped_ns; // simulated time behind it
    char *checkpoint;   // owned; where it is
};

// Collective (eval->comm). Logically collective: study and options. Simulates, sums up, writes the
// file; saves the run on the way, and removes what was saved when the file is there. A run that a
// signal stopped is no failure: look at result->stopped. On success eval_release(result) follows.
int eval_run(const struct eval *eval, const struct study *study, const struct eval_options *options,
             struct eval_result *result, struct err *err);

// Collective (eval->comm). Logically collective: study, server and range. Simulates the server's
// cell anew, as it was in any run of this study, as far as the range asks for: *timeline of rank 0
// is filled. Fails when the fleet has no such server, the range is empty, or it holds too much.
int eval_watch(const struct eval *eval, const struct study *study, struct timeline *timeline,
               struct err *err);

// Not collective. Releases what the result owns.
void eval_release(struct eval_result *result);

#endif
