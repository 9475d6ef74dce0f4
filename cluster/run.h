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
#include "cluster/snapshot.h"
#include "cluster/svctab.h"
#include "results/ci.h"
#include "results/record.h"
#include "results/timeline.h"

// Called now and then on rank 0 with the simulated time that its actors have reached.
typedef void (*run_progress_fn)(void *user, int64_t reached_ns, uint64_t n_queries);

// What a rank wants of a run under way. The ranks' wishes are joined: the greatest one counts.
enum run_wish { RUN_GO_ON, RUN_SAVE, RUN_SAVE_AND_STOP };

// How a run is saved and resumed. Between two windows, when no message is under way, all ranks
// stand still together and `save` is called on each of them.
struct run_control {
    // Not collective: what this rank wants now; asked about every millisecond, on every rank. A
    // wish is told once: after it the function says RUN_GO_ON until there is another reason.
    enum run_wish (*wish)(void *user);
    // Collective. Keeps the frames of snapshot_make() somewhere, such as with checkpoint_write().
    // reached_ns: simulated time that is behind all ranks. -1 ends the run with that error.
    int (*save)(void *user, struct snapshot *state, int64_t reached_ns, struct err *err);
    // Collective. Hands all frames that were kept to snapshot_take(), such as with
    // checkpoint_read(), before anything is simulated. NULL: begin at the beginning.
    int (*load)(void *user, struct snapshot *state, struct err *err);
    void *user;
};

struct run_options {
    enum layout_mode layout;
    run_progress_fn progress; // NULL: none
    void *progress_user;
    // With control: where p95 of what is done so far (results/interim.h) is kept up to date on rank
    // 0, for `progress`; NULL on all ranks: nobody asks. At first it is ci_none().
    struct ci *p95_s;
    struct svctab_cache *times; // kept by the caller from run to run of the same costs; NULL: none
    const struct run_control *control; // NULL: neither saved nor resumed
    // Watches a server of the fleet: filled on the rank that simulates it. Only its cell is
    // simulated, as in a run of them all; the record is that of the cell. NULL: none.
    struct timeline *timeline;
};

// What a run cost; differs from run to run, goes to /run only.
struct run_cost {
    double wall_s;       // this rank's event loop
    uint64_t n_queries;  // simulated by this rank's servers
    uint64_t n_windows;  // windows of this rank's balancers
    uint64_t bytes_sent; // to other ranks
    bool stopped; // at RUN_SAVE_AND_STOP: the record is not that of the whole run, and holds the
                  // time bins before the stop
};

// Collective (comm). Logically collective: config and options must agree. Simulates the whole
// fleet and adds this rank's share to *record (whose shape fits the config). The sum of all ranks'
// records does not depend on the number of ranks, the layout or the window. Fails alike on all
// ranks.
int run_fleet(MPI_Comm comm, const struct fleet_config *config, const struct run_options *options,
              struct record *record, struct run_cost *cost, struct err *err);

#endif
