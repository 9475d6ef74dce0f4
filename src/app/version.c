// SPDX-License-Identifier: Apache-2.0
#include "app/version.h"

#include <hdf5.h>
#include <mpi.h>
#include <string.h>

#include "base/revision.h"

#ifdef __clang__
#define COMPILER __VERSION__ // begins with its name
#elif defined __GNUC__
#define COMPILER "GCC " __VERSION__
#else
#define COMPILER "unknown"
#endif

// The standard has no name for what the headers are of, only the version of the standard.
static void print_mpi_built(FILE *out)
{
#ifdef OMPI_MAJOR_VERSION
    fprintf(out, "Open MPI %d.%d.%d", OMPI_MAJOR_VERSION, OMPI_MINOR_VERSION, OMPI_RELEASE_VERSION);
#elif defined MPICH_VERSION
    fprintf(out, "MPICH %s", MPICH_VERSION);
#else
    fprintf(out, "an MPI %d.%d", MPI_VERSION, MPI_SUBVERSION);
#endif
}

void version_print(FILE *out)
{
    char mpi[MPI_MAX_LIBRARY_VERSION_STRING] = "unknown";
    unsigned major = 0, minor = 0, patch = 0;
    int length;
    fprintf(out, "recfleet %s\ncompiler  %s\n", revision_program, COMPILER);
    // One of the few calls that are allowed before MPI_Init(). What follows the name and the number
    // differs: who packaged it, the date, or lines of build options.
    MPI_Get_library_version(mpi, &length);
    mpi[strcspn(mpi, ",\n")] = '\0';
    for (char *p = mpi; *p; p++)
        *p = *p == '\t' ? ' ' : *p;
    fprintf(out, "MPI       %s, built with ", mpi);
    print_mpi_built(out);
    H5get_libversion(&major, &minor, &patch);
    fprintf(out, "\nHDF5      %u.%u.%u, built with %d.%d.%d\n", major, minor, patch, H5_VERS_MAJOR,
            H5_VERS_MINOR, H5_VERS_RELEASE);
}
