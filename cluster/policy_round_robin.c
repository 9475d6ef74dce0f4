// SPDX-License-Identifier: Apache-2.0
// One server after the other, by query number: no state to keep.
#include "cluster/policy.h"

static void route(struct policy *policy, struct query *queries, size_t n)
{
    uint32_t server = (uint32_t)(queries[0].seq % policy->n_servers);
    for (size_t i = 0; i < n; i++) {
        queries[i].server = server;
        server = server + 1 == policy->n_servers ? 0 : server + 1;
    }
}

const struct policy_type policy_round_robin = {
    .name = "round-robin",
    .help = "one server after the other",
    .words_per_query = policy_no_words,
    .route = route,
};
