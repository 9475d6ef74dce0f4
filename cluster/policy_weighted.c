// SPDX-License-Identifier: Apache-2.0
// A server with probability in proportion to its group's weight (Walker's alias method).
#include "base/mem.h"
#include "cluster/policy.h"
#include "traces/alias.h"

// A table of the members. Slot and fraction are the two halves of a query's one random word, so
// thresholds are in 2^-32 like those of alias_draw(), but not drawn the same way.
struct state {
    double *share; // [all servers]
    uint32_t *cut; // a fraction up to here keeps the slot
    uint32_t *other;
};

static void init(struct policy *policy)
{
    struct state *state = policy->state;
    size_t n = policy->roster->n_servers;
    state->share = mem_calloc(n, sizeof *state->share);
    state->cut = mem_calloc(n, sizeof *state->cut);
    state->other = mem_calloc(n, sizeof *state->other);
}

static void fill_table(struct policy *policy)
{
    struct state *state = policy->state;
    const double *weight = policy->roster->weight;
    uint32_t n = policy->n_servers;
    double sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += weight[policy_member(policy, i)];
    for (uint32_t i = 0; i < n; i++)
        state->share[i] = weight[policy_member(policy, i)] * n / sum;
    alias_pair(state->share, state->other, n);
    for (uint32_t i = 0; i < n; i++)
        state->cut[i] =
            state->other[i] == i ? UINT32_MAX : (uint32_t)(state->share[i] * 4294967295.0);
}

static void release(struct policy *policy)
{
    struct state *state = policy->state;
    mem_free(state->share);
    mem_free(state->cut);
    mem_free(state->other);
}

static void route(struct policy *policy, struct query *queries, size_t n)
{
    const struct state *state = policy->state;
    const uint64_t *words = policy_words(policy, queries[0].seq, n);
    for (size_t i = 0; i < n; i++) {
        uint32_t slot = rng_below((uint32_t)(words[i] >> 32), policy->n_servers);
        bool keep = (uint32_t)words[i] <= state->cut[slot];
        queries[i].server = keep ? slot : state->other[slot];
    }
    for (size_t i = 0; policy->members && i < n; i++)
        queries[i].server = policy->members[queries[i].server];
}

const struct policy_type policy_weighted = {
    .name = "weighted",
    .help = "a server with probability in proportion to its group's weight",
    .state_size = sizeof(struct state),
    .words_per_query = policy_one_word,
    .init = init,
    .members = fill_table,
    .release = release,
    .route = route,
};
