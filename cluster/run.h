// SPDX-License-Identifier: Apache-2.0
// run: simulate a fleet over the ranks of a communicator. [M]
#ifndef CLUSTER_RUN_H
#define CLUSTER_RUN_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cluster/config.h"
#include "cluster/layout.h"
#include "cluster/svctab.h"
#include "results/record.h"

// Called now and then on rank 0 with the simulated time that its actors have reached.
typedef void (*run_progress_fn)(void *user, int64_t reached_ns, uint64_t n_queries);

struct run_options {
    enum layout_mode layout;
    run_progress_fn progress; // NULL: none
    void *progress_user;
    struct svctab_cache *times; // kept by the caller from run to run of the same costs; NULL: none
};

// What a run cost; differs from run to run, goes to /run only.
struct run_cost {
    double wall_s;       // this rank's event loop
    uint64_t n_queries;  // simulated by this rank's servers
    uint64_t n_windows;  // windows of this rank's balancers
    uint64_t bytes_sent; // to other ranks
};

// Collective (comm). Logically collective: config and options must agree. Simulates the whole
// fleet and adds this rank's share to *record (whose shape fits the config). The sum of all ranks'
// records does not depend on the number of ranks, the layout or the window. Fails alike on all
// ranks.
int run_fleet(MPI_Comm comm, const struct fleet_config *config, const struct run_options *options,
              struct record *record, struct run_cost *cost, struct err *err);

#endif
