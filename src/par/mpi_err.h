// SPDX-License-Identifier: Apache-2.0
// mpi_err: a failure of MPI becomes a line that says MPI's own reason. [M]
//
// Communicators return their errors here (MPI_ERRORS_RETURN), so that a job can end with one line
// and an exit status. The line says what the program was about, for the user, and what MPI said,
// for whoever looks after the machine:
//
//     int rc = mpi_err_check(MPI_Bcast(&n, 1, MPI_INT, 0, comm), "share the study", err);
//     // "MPI could not share the study: MPI_ERR_TRUNCATE: message truncated"
#ifndef PAR_MPI_ERR_H
#define PAR_MPI_ERR_H

#include <mpi.h>

#include "base/err.h"

// Not collective. 0 when `code`, which a function of MPI returned, is MPI_SUCCESS; else -1 with
// *err. `what`: what MPI was to do, behind "MPI could not".
int mpi_err_check(int code, const char *what, struct err *err);

#endif
