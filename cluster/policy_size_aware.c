// SPDX-License-Identifier: Apache-2.0
// Size-interval assignment (Harchol-Balter, Crovella and Murta 1999): the last servers of the cell
// are kept for large queries, the others take the rest, so that small queries do not wait behind
// large ones; inside either set, the less loaded of two.
#include "cluster/policy.h"

static void route(struct policy *policy, struct query *queries, size_t n)
{
    const uint64_t *words = policy_words(policy, queries[0].seq, n);
    uint32_t n_small = policy->first_large, n_large = policy->n_servers - n_small;
    for (size_t i = 0; i < n; i++) {
        view_advance(policy->view, queries[i].arrive_ns);
        bool large = queries[i].size_items >= policy->config->large_items || n_small == 0;
        uint32_t first = large ? n_small : 0, count = large ? n_large : n_small;
        uint32_t a = first + rng_below((uint32_t)(words[i] >> 32), count);
        uint32_t b = first + rng_below((uint32_t)words[i], count);
        a = policy_member(policy, a);
        b = policy_member(policy, b);
        policy_send(policy, &queries[i], policy_less_loaded(policy, b, a) ? b : a);
    }
}

const struct policy_type policy_size_aware = {
    .name = "size-aware",
    .help = "large queries to servers kept for them, the less loaded of two there",
    .needs_feedback = true,
    .words_per_query = policy_one_word,
    .route = route,
};
