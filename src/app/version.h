// SPDX-License-Identifier: Apache-2.0
// version: what `recfleet --version` says: the version and the commit, and of the compiler, MPI and
// HDF5 which the program was built with and which it runs with. A report of a fault needs all of
// it.
//
//     recfleet 0.2.0 0123456789ab
//     compiler  GCC 12.2.0
//     MPI       Open MPI v4.1.4, built with Open MPI 4.1.4
//     HDF5      1.10.8, built with 1.10.8
//
// The first line is that of revision.h; scripts may rely on it.
#ifndef APP_VERSION_H
#define APP_VERSION_H

#include <stdio.h>

// Writes the lines above; MPI need not have been started. Errors show in `out`.
void version_print(FILE *out);

#endif
