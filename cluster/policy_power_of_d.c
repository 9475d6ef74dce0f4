// SPDX-License-Identifier: Apache-2.0
// The least loaded, in the balancer's view, of d servers drawn with replacement (Mitzenmacher 2001;
// Vvedenskaya, Dobrushin and Karpelevich 1996). A tie goes to the one drawn first.
#include "cluster/policy.h"

struct power_of_d {
    int64_t d;
};

static const struct field fields[] = {
    FIELD(power_of_d, "d", FIELD_INT, UNIT_NONE, d, 1, 16, "2", "servers compared per query"),
    FIELD_END};

static uint32_t half_words(const void *settings)
{
    return (uint32_t)(((const struct power_of_d *)settings)->d + 1) / 2;
}

static void route_d(struct policy *policy, struct query *queries, size_t n, uint32_t d)
{
    uint32_t per_query = (d + 1) / 2, n_servers = policy->n_servers;
    const uint64_t *words = policy_words(policy, queries[0].seq, n);
    for (size_t i = 0; i < n; i++) {
        const uint64_t *w = words + i * per_query;
        view_advance(policy->view, queries[i].arrive_ns);
        uint32_t best = policy_member(policy, rng_below((uint32_t)(w[0] >> 32), n_servers));
        for (uint32_t j = 1; j < d; j++) {
            uint32_t half = (uint32_t)(j & 1 ? w[j / 2] : w[j / 2] >> 32);
            uint32_t other = policy_member(policy, rng_below(half, n_servers));
            if (policy_less_loaded(policy, other, best))
                best = other;
        }
        policy_send(policy, &queries[i], best);
    }
}

// The usual case, two of all servers, of the same weight: which of them wins is a coin toss that no
// branch predictor learns, so it is a conditional move; and the loads of queries ahead are fetched
// early.
static void route_pairs(struct policy *policy, struct query *queries, size_t n)
{
    enum { AHEAD = 8 };
    const int64_t *load = policy->view->load;
    uint32_t n_servers = policy->n_servers;
    const uint64_t *words = policy_words(policy, queries[0].seq, n);
    for (size_t i = 0; i < n; i++) {
        if (i + AHEAD < n) {
            __builtin_prefetch(&load[rng_below((uint32_t)(words[i + AHEAD] >> 32), n_servers)], 1);
            __builtin_prefetch(&load[rng_below((uint32_t)words[i + AHEAD], n_servers)], 1);
        }
        uint32_t a = rng_below((uint32_t)(words[i] >> 32), n_servers);
        uint32_t b = rng_below((uint32_t)words[i], n_servers);
        view_advance(policy->view, queries[i].arrive_ns);
        policy_send(policy, &queries[i], a ^ ((a ^ b) & -(uint32_t)(load[b] < load[a])));
    }
}

static void route_two(struct policy *policy, struct query *queries, size_t n)
{
    if (policy->equal_weights && !policy->members)
        route_pairs(policy, queries, n);
    else
        route_d(policy, queries, n, 2);
}

static void route(struct policy *policy, struct query *queries, size_t n)
{
    const struct power_of_d *settings = policy->settings;
    if (settings->d == 2)
        route_two(policy, queries, n);
    else
        route_d(policy, queries, n, (uint32_t)settings->d);
}

const struct policy_type policy_power_of_d = {
    .name = "power-of-d",
    .help = "the least loaded of d random servers",
    .needs_feedback = true,
    .fields = fields,
    .words_per_query = half_words,
    .route = route,
};

const struct policy_type policy_power_of_two = {
    .name = "power-of-two",
    .help = "the less loaded of two random servers",
    .needs_feedback = true,
    .words_per_query = policy_one_word,
    .route = route_two,
};
