// SPDX-License-Identifier: Apache-2.0
// suite_mpi: runs a list of Check tests on every rank and agrees on the verdict. [M]
//
// For test programs that mpirun starts. Check must not fork after MPI_Init, so a crash ends the
// program and the time limit is CTest's. All ranks exit alike: one failed test on one rank fails
// all. A rank whose test fails in the middle of communication leaves the others waiting in it; when
// they do not come to the verdict within SUITE_MPI_PATIENCE_S, the job is aborted.
//
// Assert only after the communication of a step is complete, so that this stays the exception.
//
//     int main(int argc, char **argv)
//     {
//         const struct suite_test tests[] = {{"core", writes}, {"errors", full_disk}};
//         return suite_mpi_run(&argc, &argv, "store", tests, sizeof tests / sizeof *tests);
//     }
#ifndef SUPPORT_SUITE_MPI_H
#define SUPPORT_SUITE_MPI_H

#include <mpi.h>

#include "support/suite.h"

#define SUITE_MPI_PATIENCE_S 30.0

// Collective (MPI_COMM_WORLD). Calls MPI_Init and MPI_Finalize round the tests; rank 0 prints
// Check's summary, every rank its own failures. Returns the exit status for main().
int suite_mpi_run(int *argc, char ***argv, const char *name, const struct suite_test *tests,
                  size_t n);

// Not collective. This rank's number and how many there are, in a test.
int suite_mpi_rank(void);
int suite_mpi_size(void);

// Collective (MPI_COMM_WORLD). A new, empty folder and the path of a file "x.h5" in it, the same on
// all ranks; rank 0 removes what the test leaves there.
void suite_mpi_path(char folder[64], char path[96]);

#endif
