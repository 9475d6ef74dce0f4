// SPDX-License-Identifier: Apache-2.0
#include "cluster/policy.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

// Numbers of attempts and guests use 60 bits, and no policy draws more than 8 words for one.
_Static_assert(QUERY_ATTEMPT_SHIFT + 2 + 3 < 64, "no number of a word wraps");

const struct policy_type *const policy_types[] = {
    &policy_random,     &policy_round_robin,  &policy_weighted,
    &policy_power_of_d, &policy_power_of_two, &policy_join_shortest_queue,
    &policy_least_work, &policy_size_aware,   NULL};

int policy_find(const char *name)
{
    for (int i = 0; policy_types[i]; i++)
        if (strcmp(policy_types[i]->name, name) == 0)
            return i;
    return -1;
}

enum load_unit policy_load_unit(const struct balancer_config *config)
{
    const struct policy_type *type = policy_types[config->policy];
    return type->forces_load ? type->load_forced : (enum load_unit)config->load;
}

// Walker's alias table over the members' weights, thresholds in 2^-32.
static void fill_alias(struct policy *policy)
{
    uint32_t n = policy->n_servers, n_small = 0, n_large = 0;
    double sum = 0, *scaled = mem_calloc(n, sizeof *scaled);
    uint32_t *small = mem_calloc(n, sizeof *small), *large = mem_calloc(n, sizeof *large);
    const double *weight = policy->roster->weight;
    for (uint32_t i = 0; i < n; i++)
        sum += weight[policy_member(policy, i)];
    for (uint32_t i = 0; i < n; i++) {
        scaled[i] = weight[policy_member(policy, i)] * n / sum;
        policy->alias[i] = i;
        policy->alias_cut[i] = UINT32_MAX;
        if (scaled[i] < 1)
            small[n_small++] = i;
        else
            large[n_large++] = i;
    }
    while (n_small && n_large) {
        uint32_t s = small[--n_small], l = large[n_large - 1];
        policy->alias_cut[s] = (uint32_t)(scaled[s] * 4294967295.0);
        policy->alias[s] = l;
        scaled[l] -= 1 - scaled[s];
        if (scaled[l] < 1) {
            n_large--;
            small[n_small++] = l;
        }
    }
    mem_free(scaled);
    mem_free(small);
    mem_free(large);
}

static bool have_equal_weights(const struct policy *policy)
{
    const double *weight = policy->roster->weight;
    double first = weight[policy_member(policy, 0)];
    for (uint32_t i = 1; i < policy->n_servers; i++) {
        double other = weight[policy_member(policy, i)];
        if (other < first || other > first)
            return false;
    }
    return true;
}

// At least one server on either side of the split, unless there is only one.
static uint32_t split_at(uint32_t n_servers, double large_frac)
{
    uint32_t n_large = (uint32_t)((double)n_servers * large_frac + 0.5);
    if (n_large < 1)
        n_large = 1;
    if (n_large > n_servers - 1)
        n_large = n_servers - 1;
    return n_servers == 1 ? 0 : n_servers - n_large;
}

void policy_set_members(struct policy *policy, const uint32_t *members, uint32_t n_members)
{
    uint32_t n_all = policy->roster->n_servers;
    bool some = members && n_members < n_all;
    policy->n_servers = some ? n_members : n_all;
    policy->members = NULL;
    if (some) {
        assert(n_members > 0);
        if (!policy->own_members)
            policy->own_members = mem_calloc(n_all, sizeof *policy->own_members);
        memcpy(policy->own_members, members, n_members * sizeof *members);
        policy->members = policy->own_members;
    }
    policy->equal_weights = have_equal_weights(policy);
    policy->first_large = split_at(policy->n_servers, policy->config->large_frac);
    if (policy->alias)
        fill_alias(policy);
}

struct policy *policy_create(const struct balancer_config *config,
                             const struct policy_roster *roster, struct view *view)
{
    struct policy *policy = mem_calloc(1, sizeof *policy);
    uint32_t n = roster->n_servers;
    policy->type = policy_types[config->policy];
    policy->config = config;
    policy->roster = roster;
    policy->view = view;
    policy->unit = policy_load_unit(config);
    policy->draws = rng_stream(roster->seed, RNG_BALANCE, roster->cell);
    policy->inverse_weight = mem_calloc(n, sizeof *policy->inverse_weight);
    for (uint32_t i = 0; i < n; i++)
        policy->inverse_weight[i] = 1 / roster->weight[i];
    if (policy->type == &policy_weighted) {
        policy->alias = mem_calloc(n, sizeof *policy->alias);
        policy->alias_cut = mem_calloc(n, sizeof *policy->alias_cut);
    }
    policy_set_members(policy, NULL, 0);
    return policy;
}

void policy_destroy(struct policy *policy)
{
    if (!policy)
        return;
    mem_free(policy->own_members);
    mem_free(policy->inverse_weight);
    mem_free(policy->alias);
    mem_free(policy->alias_cut);
    mem_free(policy->words);
    mem_free(policy);
}

void policy_route(struct policy *policy, struct query *queries, size_t n)
{
    policy->type->route(policy, queries, n);
}

const uint64_t *policy_words(struct policy *policy, uint64_t seq, size_t n)
{
    uint64_t per_query = policy->type->words_per_query(policy->config);
    uint64_t first = seq * per_query, n_words = n * per_query;
    uint64_t n_blocks = (first + n_words + 1) / 2 - first / 2;
    if (policy->words_cap < 2 * n_blocks) {
        policy->words_cap = 2 * n_blocks + 64;
        policy->words = mem_realloc(policy->words, policy->words_cap, sizeof *policy->words);
    }
    rng_fill(&policy->draws, first / 2, n_blocks, policy->words);
    return policy->words + (first & 1);
}

uint32_t policy_one_word(const struct balancer_config *config)
{
    (void)config;
    return 1;
}

uint32_t policy_no_words(const struct balancer_config *config)
{
    (void)config;
    return 0;
}
