// SPDX-License-Identifier: Apache-2.0
#include "cluster/rally.h"

#include <assert.h>
#include <string.h>

struct rally rally_start(MPI_Comm comm)
{
    return (struct rally){.comm = comm, .request = MPI_REQUEST_NULL, .mpi_error = MPI_SUCCESS};
}

static void note(struct rally *rally, int rc)
{
    if (rc != MPI_SUCCESS && rally->mpi_error == MPI_SUCCESS)
        rally->mpi_error = rc;
}

void rally_say(struct rally *rally, const int64_t values[RALLY_VALUES])
{
    assert(!rally->open);
    memcpy(rally->mine, values, sizeof rally->mine);
    note(rally, MPI_Iallreduce(rally->mine, rally->all, RALLY_VALUES, MPI_INT64_T, MPI_SUM,
                               rally->comm, &rally->request));
    rally->open = true;
}

bool rally_heard(struct rally *rally, int64_t result[RALLY_VALUES])
{
    int there = 0;
    if (!rally->open)
        return false;
    if (rally->mpi_error == MPI_SUCCESS)
        note(rally, MPI_Test(&rally->request, &there, MPI_STATUS_IGNORE));
    if (rally->mpi_error != MPI_SUCCESS) {
        memset(result, 0, sizeof rally->all);
        return true;
    }
    if (there) {
        memcpy(result, rally->all, sizeof rally->all);
        rally->open = false;
    }
    return there;
}
