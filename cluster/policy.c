// SPDX-License-Identifier: Apache-2.0
#include "cluster/policy.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

// Numbers of attempts and guests use 60 bits, and no policy draws more than 8 words for one.
_Static_assert(QUERY_ATTEMPT_SHIFT + 2 + 3 < 64, "no number of a word wraps");

#define POLICY_ENTRY(name) &policy_##name,
const struct policy_type *const policy_types[] = {POLICIES(POLICY_ENTRY) NULL};

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

// As resolved for the policy; another's, or none: its defaults.
static struct settings settings_for(const struct balancer_config *config)
{
    const struct policy_type *type = policy_types[config->policy];
    return config->settings.fields == type->fields ? config->settings
                                                   : settings_of(type->fields, NULL);
}

// A report takes as many lanes as it counts; more servers are better looked up than counted.
bool policy_wants_lanes(const struct balancer_config *config)
{
    enum { FEW_SERVERS = 4 };
    const struct policy_type *type = policy_types[config->policy];
    enum load_unit unit = policy_load_unit(config);
    if (!type->n_asked || (unit != LOAD_QUERIES && unit != LOAD_REQUESTS))
        return false;
    struct settings settings = settings_for(config);
    return type->n_asked(settings_values(&settings)) <= FEW_SERVERS;
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
    if (policy->type->members)
        policy->type->members(policy);
}

struct policy *policy_create(const struct balancer_config *config,
                             const struct policy_roster *roster, struct view *view)
{
    struct policy *policy = mem_calloc(1, sizeof *policy);
    uint32_t n = roster->n_servers;
    policy->type = policy_types[config->policy];
    policy->own_settings = settings_for(config);
    policy->settings = settings_values(&policy->own_settings);
    policy->state = mem_calloc(1, policy->type->state_size);
    policy->roster = roster;
    policy->view = view;
    policy->unit = policy_load_unit(config);
    policy->draws = rng_stream(roster->seed, RNG_BALANCE, roster->cell);
    policy->inverse_weight = mem_calloc(n, sizeof *policy->inverse_weight);
    for (uint32_t i = 0; i < n; i++)
        policy->inverse_weight[i] = 1 / roster->weight[i];
    if (policy->type->init)
        policy->type->init(policy);
    policy_set_members(policy, NULL, 0);
    return policy;
}

void policy_destroy(struct policy *policy)
{
    if (!policy)
        return;
    if (policy->type->release)
        policy->type->release(policy);
    mem_free(policy->state);
    mem_free(policy->own_members);
    mem_free(policy->inverse_weight);
    mem_free(policy->words);
    mem_free(policy->asked);
    mem_free(policy->under_way);
    mem_free(policy);
}

void policy_route(struct policy *policy, struct query *queries, size_t n)
{
    policy->type->route(policy, queries, n);
}

const uint64_t *policy_words(struct policy *policy, uint64_t seq, size_t n)
{
    uint64_t per_query = policy->type->words_per_query(policy->settings);
    uint64_t first = seq * per_query, n_words = n * per_query;
    uint64_t n_blocks = (first + n_words + 1) / 2 - first / 2;
    if (policy->words_cap < 2 * n_blocks) {
        policy->words_cap = 2 * n_blocks + 64;
        policy->words = mem_realloc(policy->words, policy->words_cap, sizeof *policy->words);
    }
    rng_fill(&policy->draws, first / 2, n_blocks, policy->words);
    return policy->words + (first & 1);
}

uint32_t policy_one_word(const void *settings)
{
    (void)settings;
    return 1;
}

uint32_t policy_two(const void *settings)
{
    (void)settings;
    return 2;
}

uint32_t *policy_asked(struct policy *policy, size_t n, uint32_t d)
{
    if (policy->asked_cap < n * d) {
        policy->asked_cap = n * d;
        policy->asked = mem_realloc(policy->asked, n * d, sizeof *policy->asked);
        policy->under_way = mem_realloc(policy->under_way, n * d, sizeof *policy->under_way);
    }
    return policy->asked;
}

static inline struct policy_load load_of(const struct policy *policy, size_t k)
{
    uint32_t server = policy->asked[k];
    return (struct policy_load){server, *view_rest(policy->view, server) + policy->under_way[k]};
}

// The usual case, two of the same weight: which of them wins is a coin toss that no branch
// predictor learns, so it is a conditional move.
static void send_pairs(struct policy *policy, struct query *queries, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        view_advance(policy->view, queries[i].arrive_ns);
        struct policy_load a = load_of(policy, 2 * i), b = load_of(policy, 2 * i + 1);
        uint32_t b_wins = -(uint32_t)(b.load < a.load);
        policy_send(policy, &queries[i], a.server ^ ((a.server ^ b.server) & b_wins));
    }
}

// What is under way does not depend on where the queries go: their own reports come later.
void policy_send_to_least(struct policy *policy, struct query *queries, size_t n, uint32_t d)
{
    view_ask(policy->view, queries, n, policy->asked, d, policy->under_way);
    if (d == 2 && policy->equal_weights) {
        send_pairs(policy, queries, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        view_advance(policy->view, queries[i].arrive_ns);
        struct policy_load best = load_of(policy, i * d);
        for (uint32_t j = 1; j < d; j++) {
            struct policy_load other = load_of(policy, i * d + j);
            best = policy_less_loaded(policy, other, best) ? other : best;
        }
        policy_send(policy, &queries[i], best.server);
    }
}
