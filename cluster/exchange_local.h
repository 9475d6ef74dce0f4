// SPDX-License-Identifier: Apache-2.0
// exchange_local: every server in this process; delivering runs the servers at once.
//
// It always has room, so a balancer over it never waits, and a parcel's completions are in the
// caller's list when deliver() returns.
#ifndef CLUSTER_EXCHANGE_LOCAL_H
#define CLUSTER_EXCHANGE_LOCAL_H

#include "cluster/exchange.h"

struct exchange_local {
    struct exchange base;         // what the balancer gets: &exchange.base
    struct server_block **blocks; // [part], borrowed
};

// `blocks` are borrowed as long as the exchange is used; there is nothing to release.
void exchange_local_init(struct exchange_local *exchange, struct server_block **blocks);

#endif
