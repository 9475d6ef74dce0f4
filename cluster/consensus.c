// SPDX-License-Identifier: Apache-2.0
#include "cluster/consensus.h"

#include <assert.h>
#include <string.h>

struct consensus consensus_start(MPI_Comm comm)
{
    return (struct consensus){.comm = comm, .request = MPI_REQUEST_NULL, .mpi_error = MPI_SUCCESS};
}

static void note(struct consensus *consensus, int rc)
{
    if (rc != MPI_SUCCESS && consensus->mpi_error == MPI_SUCCESS)
        consensus->mpi_error = rc;
}

void consensus_say(struct consensus *consensus, const int64_t *values, size_t n)
{
    assert(!consensus->open && n <= CONSENSUS_VALUES);
    consensus->n = n;
    memcpy(consensus->mine, values, n * sizeof *values);
    note(consensus, MPI_Iallreduce(consensus->mine, consensus->all, (int)n, MPI_INT64_T, MPI_SUM,
                                   consensus->comm, &consensus->request));
    consensus->open = true;
}

bool consensus_heard(struct consensus *consensus, int64_t *result)
{
    int there = 0;
    if (!consensus->open)
        return false;
    if (consensus->mpi_error == MPI_SUCCESS)
        note(consensus, MPI_Test(&consensus->request, &there, MPI_STATUS_IGNORE));
    if (consensus->mpi_error != MPI_SUCCESS) {
        memset(result, 0, consensus->n * sizeof *result);
        return true;
    }
    if (there) {
        memcpy(result, consensus->all, consensus->n * sizeof *result);
        consensus->open = false;
    }
    return there;
}
