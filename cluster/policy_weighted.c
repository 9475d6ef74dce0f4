// SPDX-License-Identifier: Apache-2.0
// A server with probability in proportion to its group's weight (Walker's alias method).
#include "cluster/policy.h"

static void route(struct policy *policy, struct query *queries, size_t n)
{
    const uint64_t *words = policy_words(policy, queries[0].seq, n);
    for (size_t i = 0; i < n; i++) {
        uint32_t slot = rng_below((uint32_t)(words[i] >> 32), policy->n_servers);
        bool keep = (uint32_t)words[i] <= policy->alias_cut[slot];
        queries[i].server = keep ? slot : policy->alias[slot];
    }
    for (size_t i = 0; policy->members && i < n; i++)
        queries[i].server = policy->members[queries[i].server];
}

const struct policy_type policy_weighted = {
    .name = "weighted",
    .help = "a server with probability in proportion to its group's weight",
    .words_per_query = policy_one_word,
    .route = route,
};
