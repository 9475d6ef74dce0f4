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

static uint32_t compared(const void *settings)
{
    return (uint32_t)((const struct power_of_d *)settings)->d;
}

static void route_d(struct policy *policy, struct query *queries, size_t n, uint32_t d)
{
    const uint64_t *words = policy_words(policy, queries[0].seq, n);
    uint32_t *asked = policy_asked(policy, n, d);
    for (size_t i = 0; i < n; i++, words += (d + 1) / 2)
        for (uint32_t j = 0; j < d; j++) {
            uint32_t half = (uint32_t)(j & 1 ? words[j / 2] : words[j / 2] >> 32);
            *asked++ = policy_member(policy, rng_below(half, policy->n_servers));
        }
    policy_send_to_least(policy, queries, n, d);
}

static void route_two(struct policy *policy, struct query *queries, size_t n)
{
    route_d(policy, queries, n, 2);
}

static void route(struct policy *policy, struct query *queries, size_t n)
{
    route_d(policy, queries, n, compared(policy->settings));
}

const struct policy_type policy_power_of_d = {
    .name = "power-of-d",
    .help = "the least loaded of d random servers",
    .needs_feedback = true,
    .fields = fields,
    .n_asked = compared,
    .words_per_query = half_words,
    .route = route,
};

const struct policy_type policy_power_of_two = {
    .name = "power-of-two",
    .help = "the less loaded of two random servers",
    .needs_feedback = true,
    .n_asked = policy_two,
    .words_per_query = policy_one_word,
    .route = route_two,
};
