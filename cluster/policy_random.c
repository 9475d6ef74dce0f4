// SPDX-License-Identifier: Apache-2.0
// Every server with the same probability; needs no news, so its windows are as long as it likes.
#include "cluster/policy.h"

static void route(struct policy *policy, struct query *queries, size_t n)
{
    const uint64_t *words = policy_words(policy, queries[0].seq, n);
    uint32_t n_servers = policy->n_servers;
    for (size_t i = 0; i < n; i++)
        queries[i].server = rng_below((uint32_t)(words[i] >> 32), n_servers);
    for (size_t i = 0; policy->members && i < n; i++)
        queries[i].server = policy->members[queries[i].server];
}

const struct policy_type policy_random = {
    .name = "random",
    .help = "any server with the same probability",
    .words_per_query = policy_one_word,
    .route = route,
};
