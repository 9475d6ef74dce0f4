// SPDX-License-Identifier: Apache-2.0
// fleet_serve: a study's servers and their balancer, run for real by the ranks of a job. [M]
//
// Rank 0 balances (fleet_balancer.h), every other rank is a server (fleet_server.h). All ranks are
// on one machine: its clock is everybody's, so times need no more than a common start; and its
// cores are divided among them, first to the workers, in the order of the ranks, then to the
// balancer, then to the servers' main threads. Afterwards rank 0 has the log of all, in which a
// worker's number is that in its server.
//
//     struct serve_result result;
//     if (fleet_serve_run(comm, plan, &config, &result, &err) == 0) {
//         ... on rank 0: result.log ...
//         serve_release(&result);
//     }
#ifndef LIVE_FLEET_SERVE_H
#define LIVE_FLEET_SERVE_H

#include <mpi.h>

#include "base/err.h"
#include "live/serve.h"

// Collective (comm), of as many ranks as the plan has servers, and one, all on one machine.
// Logically collective: plan and config, of which rank 0 alone uses progress; `sender` is ignored.
// *result is rank 0's; the others' has no log. On every rank serve_release() follows a 0.
int fleet_serve_run(MPI_Comm comm, const struct live_plan *plan, const struct serve_config *config,
                    struct serve_result *result, struct err *err);

#endif
