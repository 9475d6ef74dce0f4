// SPDX-License-Identifier: Apache-2.0
// job: a command carried out by all ranks of an MPI job. [M]
//
// Starts MPI and ends it in an order that loses nothing: as soon as one process leaves with a
// status other than 0, mpirun kills the others, and what these have not written yet is lost. So
// rank 0 prints the error line, and everybody's output is flushed, before any rank may leave.
//
//     struct eval eval;
//     if (job_open(&eval, err) < 0)
//         return -1;
//     int rc = ...;                              // 0, or -1 with the same error on every rank
//     return job_close(line, &eval, rc, err);
//
// And what the commands that search (tune, capacity) have in common: progress, and the cost.
#ifndef APP_JOB_H
#define APP_JOB_H

#include "app/cmd.h"
#include "runs/eval.h"
#include "runs/memo.h"
#include "runs/progress.h"
#include "study/mistakes.h"

// Collective (all processes of the job).
int job_open(struct eval *eval, struct err *err);
// Collective (all processes of the job). Returns rc; after -1 the error has been printed and
// line->silent is set. The line->status of rank 0 becomes that of all, so that whatever a launcher
// takes of them is the job's.
int job_close(struct cmd_line *line, struct eval *eval, int rc, struct err *err);

// Collective (all processes of the job). Before a command that one process carries out alone: where
// a launcher has started several, they fail in one line, as in job_close(). Where none did, MPI is
// not started.
int job_alone(struct cmd_line *line, struct err *err);

// Not collective. The command's study with its points: its first argument, --set and --output. It
// borrows from the line.
struct survey_source job_source(const struct cmd_line *line);

// Not collective. As cmd_fail(); of a study that is wrong, its first mistakes
// (MISTAKES_SHOWN), a line each.
int job_fail(const struct cmd_line *line, struct err *err);
// Not collective. Tells what is to be known about the study's inputs (study_notes.h), on rank 0,
// but for what was `told` of others before it (NULL: nothing); `searched` as there.
void job_tell_notes(const struct study *study, bool searched, struct mistakes *told);

// Not collective: rank 0. Claims the command's output until job_close(), see results/file/claim.h.
int job_claim(struct cmd_line *line, const char *output, struct err *err);

// Collective (eval->comm). May the command's results go to `output`? Then they are claimed. *there,
// of rank 0: they are there already, and nothing is in the way; afterwards the same on every rank.
int job_check_output(struct cmd_line *line, const struct eval *eval, const char *output,
                     bool *there, struct err *err);

// Not collective. Begins the progress as --quiet and --json ask for; rank 0 alone says it.
void job_progress_start(struct progress *progress, const struct cmd_line *line,
                        const struct eval *eval);

// A search that is under way.
struct job_search {
    struct progress progress;
    struct eval_stamp stamp;
    double begin_s;
    struct run_info info; // n_queries and n_restarts are the command's to fill in
};

// Not collective. Begins.
void job_search_begin(struct job_search *search, const struct cmd_line *line,
                      const struct eval *eval);
// Not collective. Ends the progress, is_whole as in progress_end(), and the time that info->wall_s
// says.
void job_search_end(struct job_search *search, bool is_whole);
// Not collective. Says, also with --quiet because there is nothing else to see, that a signal ended
// it and how to resume it: with the answers in OUTPUT.memo.
void job_search_stopped(struct cmd_line *line, const struct eval *eval, const struct memo *memo,
                        const char *output);
// Not collective. Is what this program found for this study at its output: by `recfleet tune`, or
// by `recfleet capacity`?
bool job_has_answer(const struct survey *survey, bool tuned);
// Not collective. Prints what it has cost, and where the results are.
void job_search_print(const struct job_search *search, const char *output, struct report_out *out);

#endif
