// SPDX-License-Identifier: Apache-2.0
// exchange_local: every server in this process; delivering runs the servers at once.
#ifndef CLUSTER_EXCHANGE_LOCAL_H
#define CLUSTER_EXCHANGE_LOCAL_H

#include "cluster/exchange.h"

struct exchange_local {
    struct exchange base;
    struct server_block **blocks; // [part], borrowed
};

void exchange_local_init(struct exchange_local *exchange, struct server_block **blocks);

#endif
