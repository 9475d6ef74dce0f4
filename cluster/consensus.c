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

void consensus_say(struct consensus *consensus, const int64_t values[CONSENSUS_VALUES])
{
    assert(!consensus->open);
    memcpy(consensus->mine, values, sizeof consensus->mine);
    note(consensus, MPI_Iallreduce(consensus->mine, consensus->all, CONSENSUS_VALUES, MPI_INT64_T,
                                   MPI_SUM, consensus->comm, &consensus->request));
    consensus->open = true;
}

bool consensus_heard(struct consensus *consensus, int64_t result[CONSENSUS_VALUES])
{
    int there = 0;
    if (!consensus->open)
        return false;
    if (consensus->mpi_error == MPI_SUCCESS)
        note(consensus, MPI_Test(&consensus->request, &there, MPI_STATUS_IGNORE));
    if (consensus->mpi_error != MPI_SUCCESS) {
        memset(result, 0, sizeof consensus->all);
        return true;
    }
    if (there) {
        memcpy(result, consensus->all, sizeof consensus->all);
        consensus->open = false;
    }
    return there;
}
