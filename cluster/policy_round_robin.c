// SPDX-License-Identifier: Apache-2.0
// One server after the other, by query number: no state to keep.
#include "cluster/policy.h"

// A query's place in the round. Attempts and origins count one each, so that a query is not tried
// again on the server that lost it; by the whole `seq` it would be wherever the number of servers
// is a power of two.
static uint64_t place(uint64_t seq)
{
    uint64_t number = seq & ((UINT64_C(1) << QUERY_ORIGIN_SHIFT) - 1);
    uint64_t origin = (seq >> QUERY_ORIGIN_SHIFT) & QUERY_MAX_ORIGINS;
    return number + origin + (seq >> QUERY_ATTEMPT_SHIFT);
}

static void route(struct policy *policy, struct query *queries, size_t n)
{
    uint32_t server = (uint32_t)(place(queries[0].seq) % policy->n_servers);
    for (size_t i = 0; i < n; i++) {
        queries[i].server = policy_member(policy, server);
        server = server + 1 == policy->n_servers ? 0 : server + 1;
    }
}

const struct policy_type policy_round_robin = {
    .name = "round-robin",
    .help = "one server after the other",
    .route = route,
};
