// SPDX-License-Identifier: Apache-2.0
// exchange_mpi: servers on this and other ranks. [M]
//
// One per rank, shared by the rank's balancers and server blocks. Parcels for parts of other ranks
// go out as nonblocking messages from a pool of buffers; what comes in is handled by
// exchange_mpi_poll(): parcels run on their block and are answered at once when the balancer
// listens, completions and losses go to their balancer. Nothing here blocks, so no order of
// messages can lock two ranks; and the order in which messages of different cells come in changes
// no result, because cells share nothing.
#ifndef CLUSTER_EXCHANGE_MPI_H
#define CLUSTER_EXCHANGE_MPI_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cluster/balancer.h"
#include "cluster/exchange.h"
#include "cluster/layout.h"

struct exchange_mpi;

struct exchange_mpi_config {
    MPI_Comm comm; // used as it is: the caller dup'ed it
    const struct layout *layout;
    struct server_block **blocks; // [part]; NULL where the part is another rank's
    bool wants_answers;           // balancers count answers: fleet_wants_answers()
};

// Not collective. Borrows everything in *config until exchange_mpi_destroy().
struct exchange_mpi *exchange_mpi_create(const struct exchange_mpi_config *config);
// Not collective. NULL: no effect.
void exchange_mpi_destroy(struct exchange_mpi *exchange);

// Not collective. The interface that balancers see.
struct exchange *exchange_mpi_base(struct exchange_mpi *exchange);

// Not collective. Where completions for the balancers of this rank go: balancers[cell], NULL
// elsewhere.
void exchange_mpi_listen(struct exchange_mpi *exchange, struct balancer **balancers);

// Not collective. Handles messages that have come in; *n_handled: how many. -1 when MPI fails.
int exchange_mpi_poll(struct exchange_mpi *exchange, int *n_handled, struct err *err);

// Not collective. True when every balancer elsewhere has closed and every message has left.
bool exchange_mpi_idle(struct exchange_mpi *exchange);

// Not collective. Messages sent and handled so far, of all kinds: nothing is under way when these
// sums over the ranks are equal and stay so.
void exchange_mpi_count(const struct exchange_mpi *exchange, int64_t *n_sent, int64_t *n_handled);

// Not collective. True when every message of this rank has left.
bool exchange_mpi_sent(struct exchange_mpi *exchange);

// Not collective. Bytes sent so far.
uint64_t exchange_mpi_bytes_sent(const struct exchange_mpi *exchange);

#endif
