// SPDX-License-Identifier: Apache-2.0
#include "cluster/policy.h"

#include <string.h>

#include "base/mem.h"

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

// Walker's alias table over the weights, thresholds in 2^-32.
static void fill_alias(struct policy *policy, const double *weight)
{
    uint32_t n = policy->n_servers, n_small = 0, n_large = 0;
    double sum = 0, *scaled = mem_calloc(n, sizeof *scaled);
    uint32_t *small = mem_calloc(n, sizeof *small), *large = mem_calloc(n, sizeof *large);
    policy->alias = mem_calloc(n, sizeof *policy->alias);
    policy->alias_cut = mem_calloc(n, sizeof *policy->alias_cut);
    for (uint32_t i = 0; i < n; i++)
        sum += weight[i];
    for (uint32_t i = 0; i < n; i++) {
        scaled[i] = weight[i] * n / sum;
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

static void fill_weights(struct policy *policy, const double *weight)
{
    policy->equal_weights = true;
    policy->inverse_weight = mem_calloc(policy->n_servers, sizeof *policy->inverse_weight);
    for (uint32_t i = 0; i < policy->n_servers; i++) {
        policy->inverse_weight[i] = 1 / weight[i];
        if (weight[i] < weight[0] || weight[i] > weight[0])
            policy->equal_weights = false;
    }
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

struct policy *policy_create(const struct balancer_config *config,
                             const struct policy_roster *roster, struct view *view)
{
    struct policy *policy = mem_calloc(1, sizeof *policy);
    policy->type = policy_types[config->policy];
    policy->config = config;
    policy->roster = roster;
    policy->view = view;
    policy->unit = policy_load_unit(config);
    policy->n_servers = roster->n_servers;
    policy->draws = rng_stream(roster->seed, RNG_BALANCE, roster->cell);
    fill_weights(policy, roster->weight);
    if (policy->type == &policy_weighted)
        fill_alias(policy, roster->weight);
    policy->first_large = split_at(roster->n_servers, config->large_frac);
    return policy;
}

void policy_destroy(struct policy *policy)
{
    if (!policy)
        return;
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
