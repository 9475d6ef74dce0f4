// SPDX-License-Identifier: Apache-2.0
// job: a command carried out by all ranks of an MPI job. [M]
//
// Starts MPI, lets every rank do the command's work, and ends it in an order that loses nothing:
// as soon as one process leaves with a status other than 0, mpirun kills the others, and what
// these have not written yet is lost. So rank 0 prints the error line, and everybody's output is
// flushed, before any rank may leave.
#ifndef APP_JOB_H
#define APP_JOB_H

#include "app/cmd.h"
#include "runs/eval.h"

// A command's work on one rank: 0, or -1 with the same error on every rank. The line->status of
// rank 0 is the job's.
typedef int (*job_fn)(struct cmd_line *line, const struct eval *eval, struct err *err);

// Collective (all processes of the job). Logically collective: line and work must agree. Returns
// what `work` does; after -1 the error has been printed and line->silent is set.
int job_run(struct cmd_line *line, job_fn work, struct err *err);

#endif
