// SPDX-License-Identifier: Apache-2.0
// gather: the ranks' records summed onto rank 0, and what one of them has seen of a server. [M]
//
// Integers only, so the sum is exact and does not depend on the number of ranks or their order.
// Records travel as record_save() writes them, which is only as long as what was counted, and are
// added pair by pair: each rank sends one record, and none receives more than log2(ranks) of them.
#ifndef RESULTS_GATHER_H
#define RESULTS_GATHER_H

#include <mpi.h>

#include "base/err.h"
#include "results/record.h"
#include "results/timeline.h"

// Collective (comm). Logically collective: the shapes of all `local` records must agree. On rank 0
// *total is a new record (caller frees with record_destroy) with everything added up and the
// samples of all ranks in their order (record_sort_samples); on the others it is NULL. `local` is
// not changed. Fails, alike on all ranks and with *total NULL, when a bucket of a histogram does
// not fit, or MPI fails.
int gather_record(MPI_Comm comm, const struct record *local, struct record **total,
                  struct err *err);

// Collective (comm). What the one rank that simulated the server has in its timeline is afterwards
// in that of rank 0. Fails alike on all ranks, when MPI does.
int gather_timeline(MPI_Comm comm, struct timeline *timeline, struct err *err);

#endif
