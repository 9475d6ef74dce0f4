// SPDX-License-Identifier: Apache-2.0
// agree: an error on one rank becomes the same error on all. [M]
//
// Collective code that can fail on some ranks only (one disk is full, one file is missing) calls
// err_agree() before the next collective step, so that all ranks go on or all leave together:
//
//     int rc = rank == 0 ? open_it(path, err) : 0;
//     if (err_agree(comm, rc, err) != 0)
//         return -1;
#ifndef PAR_AGREE_H
#define PAR_AGREE_H

#include <mpi.h>

#include "base/err.h"

// Collective (comm). rc: this rank's outcome, 0 or not. Returns 0 when it is 0 everywhere and
// leaves *err alone; else -1 on every rank, with *err (NULL: not wanted) set to what the lowest
// failing rank has in its *err.
int err_agree(MPI_Comm comm, int rc, struct err *err);

#endif
