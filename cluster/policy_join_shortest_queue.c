// SPDX-License-Identifier: Apache-2.0
// The least loaded of all servers in the balancer's view. The scan begins at a random server and
// the first of equals wins, so that ties are broken evenly; an idle server ends it at once.
#include "cluster/policy.h"

static struct policy_load load_of(const struct policy *policy, uint32_t member)
{
    uint32_t server = policy_member(policy, member);
    return (struct policy_load){server, policy->view->load[server]}; // not in lanes
}

static uint32_t least_loaded(const struct policy *policy, uint32_t start)
{
    struct policy_load best = load_of(policy, start);
    uint32_t n = policy->n_servers;
    for (uint32_t i = 1, k = start; i < n && best.load > 0; i++) {
        k = k + 1 == n ? 0 : k + 1;
        struct policy_load other = load_of(policy, k);
        if (policy_less_loaded(policy, other, best))
            best = other;
    }
    return best.server;
}

static void route(struct policy *policy, struct query *queries, size_t n)
{
    const uint64_t *words = policy_words(policy, queries[0].seq, n);
    for (size_t i = 0; i < n; i++) {
        view_advance(policy->view, queries[i].arrive_ns);
        uint32_t start = rng_below((uint32_t)(words[i] >> 32), policy->n_servers);
        policy_send(policy, &queries[i], least_loaded(policy, start));
    }
}

const struct policy_type policy_join_shortest_queue = {
    .name = "join-shortest-queue",
    .help = "the least loaded of all servers",
    .needs_feedback = true,
    .words_per_query = policy_one_word,
    .route = route,
};

const struct policy_type policy_least_work = {
    .name = "least-work",
    .help = "the server with the least unfinished service time",
    .needs_feedback = true,
    .forces_load = true,
    .load_forced = LOAD_WORK,
    .words_per_query = policy_one_word,
    .route = route,
};
