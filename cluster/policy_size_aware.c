// SPDX-License-Identifier: Apache-2.0
// Size-interval assignment (Harchol-Balter, Crovella and Murta 1999): the last servers of the cell
// are kept for large queries, the others take the rest, so that small queries do not wait behind
// large ones; inside either set, the less loaded of two.
#include "cluster/policy.h"

struct size_aware {
    int64_t large_items;
    double large_frac;
};

static const struct field fields[] = {
    FIELD(size_aware, "large_items", FIELD_INT, UNIT_ITEMS, large_items, 1, 65535, "256",
          "queries of at least this size are large"),
    FIELD(size_aware, "large_frac", FIELD_REAL, UNIT_FRAC, large_frac, 0, 1, "0.5",
          "share of a cell's servers kept for large queries"),
    FIELD_END};

struct state {
    uint32_t first_large; // members [first_large, n_servers) take large queries
};

// At least one server on either side of the split, unless there is only one.
static void split_members(struct policy *policy)
{
    struct state *state = policy->state;
    const struct size_aware *settings = policy->settings;
    uint32_t n = policy->n_servers, n_large = (uint32_t)((double)n * settings->large_frac + 0.5);
    if (n_large < 1)
        n_large = 1;
    if (n_large > n - 1)
        n_large = n - 1;
    state->first_large = n == 1 ? 0 : n - n_large;
}

static void route(struct policy *policy, struct query *queries, size_t n)
{
    const uint64_t *words = policy_words(policy, queries[0].seq, n);
    const struct state *state = policy->state;
    const struct size_aware *settings = policy->settings;
    uint32_t n_small = state->first_large, n_large = policy->n_servers - n_small;
    uint32_t *asked = policy_asked(policy, n, 2);
    for (size_t i = 0; i < n; i++) {
        bool large = queries[i].size_items >= settings->large_items || n_small == 0;
        uint32_t first = large ? n_small : 0, count = large ? n_large : n_small;
        uint32_t a = first + rng_below((uint32_t)(words[i] >> 32), count);
        uint32_t b = first + rng_below((uint32_t)words[i], count);
        asked[2 * i] = policy_member(policy, a);
        asked[2 * i + 1] = policy_member(policy, b);
    }
    policy_send_to_least(policy, queries, n, 2);
}

const struct policy_type policy_size_aware = {
    .name = "size-aware",
    .help = "large queries to servers kept for them, the less loaded of two there",
    .needs_feedback = true,
    .n_asked = policy_two,
    .fields = fields,
    .state_size = sizeof(struct state),
    .members = split_members,
    .words_per_query = policy_one_word,
    .route = route,
};
