// SPDX-License-Identifier: Apache-2.0
#include "par/agree.h"

#include "par/mpi_err.h"

int err_agree(MPI_Comm comm, int rc, struct err *err)
{
    const char *what = "agree on an outcome";
    int rank, n_ranks, first;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &n_ranks);
    int mine = rc != 0 ? rank : n_ranks;
    if (mpi_err_check(MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, comm), what, err) < 0)
        return -1;
    if (first == n_ranks)
        return 0;
    struct err shared = {ERR_FAIL, "failed"}; // what a rank without an *err can say
    if (rank == first && err && err->code != ERR_NONE)
        shared = *err;
    if (mpi_err_check(MPI_Bcast(&shared, (int)sizeof shared, MPI_BYTE, first, comm), what, err) < 0)
        return -1;
    if (err)
        *err = shared;
    return -1;
}
