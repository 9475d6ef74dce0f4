// SPDX-License-Identifier: Apache-2.0
// policy: which server of its cell a query goes to.
//
// Variants are const descriptors; a new policy is one file policy_x.c with its settings and its
// state, one line in POLICIES below and one test. A policy sees the queries of a window in arrival
// order and fills in their `server`. What it knows of the servers is its balancer's view (view.h)
// and nothing else; policies that read the view have needs_feedback set and want dispatch_delay +
// status_delay > 0, because information cannot travel in no time. Random draws are keyed by (seed,
// RNG_BALANCE, cell) and the query's number, so a policy sees the same draws however the run is cut
// into windows.
#ifndef CLUSTER_POLICY_H
#define CLUSTER_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rng.h"
#include "cluster/config.h"
#include "cluster/svctab.h"
#include "cluster/view.h"
#include "traces/query.h"

struct policy; // one balancer's policy: descriptor, roster, draws

struct policy_type {
    const char *name, *help;
    bool needs_feedback;                       // reads the view
    uint32_t (*n_asked)(const void *settings); // servers compared per query; NULL: all, or none
    bool forces_load;                          // `load` is not the user's choice but load_forced
    enum load_unit load_forced;
    const struct field *fields; // its settings, read by settings_values(); NULL: none
    size_t state_size;          // bytes of policy->state, zeroed; 0: none
    uint32_t (*words_per_query)(const void *settings); // random words; NULL: none
    // Optional: once, before the first members; whenever the members have changed, the first time
    // included; and at the end, for what the state owns. State follows from the members alone:
    // nothing of it is kept in a checkpoint.
    void (*init)(struct policy *policy);
    void (*members)(struct policy *policy);
    void (*release)(struct policy *policy);
    void (*route)(struct policy *policy, struct query *queries, size_t n);
};

// All of them, in the order of policy_types[].
#define POLICIES(X)                                                                                \
    X(random)                                                                                      \
    X(round_robin)                                                                                 \
    X(weighted)                                                                                    \
    X(power_of_d)                                                                                  \
    X(power_of_two)                                                                                \
    X(join_shortest_queue)                                                                         \
    X(least_work)                                                                                  \
    X(size_aware)

#define POLICY_EXTERN(name) extern const struct policy_type policy_##name;
POLICIES(POLICY_EXTERN)
extern const struct policy_type *const policy_types[]; // NULL-terminated
int policy_find(const char *name);                     // index, -1 when unknown

// The load unit in force: the policy's own, or the study's choice.
enum load_unit policy_load_unit(const struct balancer_config *config);
// Is the policy best served by a view in lanes (view.h)?
bool policy_wants_lanes(const struct balancer_config *config);

// What a policy must know of the servers of its cell. Borrowed until policy_destroy().
//
// Policies choose among the members: the servers that the balancer holds to be in service. Without
// outages these are all, `members` of struct policy is NULL, and member i is server i.
struct policy_roster {
    uint32_t n_servers;
    const double *weight;             // [n_servers] > 0, capacity relative to the others
    const uint16_t *group;            // [n_servers]
    const struct svctab *const *tabs; // [group * n_services + service]: what a query weighs
    uint32_t n_services;
    uint64_t seed;
    uint32_t cell;
};

// `config` and `view` (NULL without feedback) are borrowed until policy_destroy().
struct policy *policy_create(const struct balancer_config *config,
                             const struct policy_roster *roster, struct view *view);
void policy_destroy(struct policy *policy); // NULL: no effect

// From now on only these servers are chosen, at least one, ascending; copied. NULL: all. When all
// are out a balancer gives NULL: the query then meets a server that is down.
void policy_set_members(struct policy *policy, const uint32_t *members, uint32_t n_members);

// Fills queries[i].server for n queries in arrival order whose `seq` follow one another.
void policy_route(struct policy *policy, struct query *queries, size_t n);

// ---- for policy_*.c -----------------------------------------------------------------------------

struct policy {
    const struct policy_type *type;
    struct settings own_settings;
    const void *settings; // as the type's struct
    void *state;          // the type's, state_size bytes
    const struct policy_roster *roster;
    struct view *view;
    enum load_unit unit;
    uint32_t n_servers;      // members
    const uint32_t *members; // [n_servers]; NULL: all
    uint32_t *own_members;   // where they lie
    bool equal_weights;      // of the members
    double *inverse_weight;  // [all servers]
    struct rng_stream draws;
    uint64_t *words; // draws of the queries at hand
    size_t words_cap;
    uint32_t *asked;    // servers that they compare
    uint8_t *under_way; // and what view_ask() says of those
    size_t asked_cap;
};

// The random words of the n queries from number `seq` on, words_per_query each.
const uint64_t *policy_words(struct policy *policy, uint64_t seq, size_t n);

// For words_per_query: policies that draw one word per query.
uint32_t policy_one_word(const void *settings);

// The server that is member i.
static inline uint32_t policy_member(const struct policy *policy, uint32_t i)
{
    return policy->members ? policy->members[i] : i;
}

// Sends the query to `server`: sets it and adds its load to the view.
static inline void policy_send(struct policy *policy, struct query *query, uint32_t server)
{
    query->server = server;
    int64_t load = 1;
    if (policy->unit != LOAD_QUERIES) {
        size_t row = (size_t)policy->roster->group[server] * policy->roster->n_services;
        load = svctab_load(policy->roster->tabs[row + query->service], policy->unit, query);
    }
    view_sent(policy->view, server, load);
}

// A server and its load, as the balancer sees it.
struct policy_load {
    uint32_t server;
    int64_t load;
};

// True when b has less load for its weight than a; a tie is no.
static inline bool policy_less_loaded(const struct policy *policy, struct policy_load b,
                                      struct policy_load a)
{
    if (policy->equal_weights)
        return b.load < a.load;
    return (double)b.load * policy->inverse_weight[b.server] <
           (double)a.load * policy->inverse_weight[a.server];
}

// For policies that compare d servers per query: room for those of n queries, and then, once they
// are filled in, each query to the least loaded of its own; a tie goes to the first.
uint32_t *policy_asked(struct policy *policy, size_t n, uint32_t d);
void policy_send_to_least(struct policy *policy, struct query *queries, size_t n, uint32_t d);

// For n_asked: policies that compare two.
uint32_t policy_two(const void *settings);

#endif
