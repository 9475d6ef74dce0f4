// SPDX-License-Identifier: Apache-2.0
// batcher: what begins next where queries wait, and what it takes.
//
// A server has one queue for each service. Whoever is idle, a core or the accelerator, takes from
// one of them: a piece of one query, or pieces of several. This module decides which queue that is,
// from when on, and how much; it knows no service times and no clock, so a simulated server
// (sched_queue) and one that runs (src/live) decide by the same code.
//
//     struct batcher batcher = {waiting, full_ns, rules, orders, n_services, dispatch_delay_ns};
//     waiting_push(&waiting[i], &query, batcher_key(orders[i], &query, sla_ns, tab));
//     batcher_find_full(&batcher, i);
//     struct batcher_turn turn = batcher_turn(&batcher, PLACE_CORES);
//     if (turn.due_ns <= now_ns) {           // else nothing may begin before due_ns
//         batcher_pass_late(&batcher, turn.service, sla_ns, now_ns);
//         struct batcher_taken taken = batcher_take(&waiting[turn.service], rule);
//         ...                                // taken.n_queries leave, the last may keep a rest
//         batcher_find_full(&batcher, turn.service);
//     }
//
// Times are those of the queries: nanoseconds since the start. What is called for every query of a
// simulation is inline.
#ifndef CLUSTER_BATCHER_H
#define CLUSTER_BATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/simtime.h"
#include "cluster/svctab.h"
#include "cluster/waiting.h"

enum place { PLACE_CORES, PLACE_ACCEL, N_PLACES };

// Which of a service's queries goes first. Of two that are alike the one that came first.
enum order { ORDER_FCFS, ORDER_SHORTEST, ORDER_LEAST_SLACK, ORDER_LATE_LAST };

// How one place takes from the queue of a service.
struct batcher_rule {
    bool used;
    bool merges; // several queries at once
    bool splits; // cuts a query where it has enough
    uint32_t most_items, most_queries;
    int64_t delay_ns; // how long what is not full waits for more
};

// The queues of one server, [n_services] each; borrowed.
struct batcher {
    struct waiting *waiting;
    int64_t *full_ns; // since when a batch's worth waits; SIMTIME_NEVER: it does not
    const struct batcher_rule (*rules)[N_PLACES];
    const enum order *orders;
    uint32_t n_services;
    int64_t dispatch_delay_ns; // from a query's arrival until it is here
};

// Who is next: from due_ns on a place may take from the queue of the service. SIMTIME_NEVER: of
// none.
struct batcher_turn {
    int64_t due_ns;
    uint32_t service;
};

// What a request or a batch takes from a queue.
struct batcher_taken {
    uint32_t n_queries, n_items;
    uint32_t rest; // items that the last of them keeps
};

// From when on a place may take from a queue that holds something.
static inline int64_t batcher_due_ns(const struct batcher *batcher, uint32_t service,
                                     const struct batcher_rule *rule)
{
    int64_t oldest_ns =
        waiting_at(&batcher->waiting[service], 0)->query.arrive_ns + batcher->dispatch_delay_ns;
    int64_t patient_ns = oldest_ns + rule->delay_ns, full_ns = batcher->full_ns[service];
    if (full_ns >= patient_ns)
        return patient_ns;
    return full_ns > oldest_ns ? full_ns : oldest_ns;
}

// The queue that a place takes from first; ties go to the service that comes first.
static inline struct batcher_turn batcher_turn(const struct batcher *batcher, enum place place)
{
    struct batcher_turn turn = {.due_ns = SIMTIME_NEVER};
    for (uint32_t i = 0; i < batcher->n_services; i++) {
        const struct batcher_rule *rule = &batcher->rules[i][place];
        if (batcher->waiting[i].n == 0 || !rule->used)
            continue;
        int64_t due_ns = batcher_due_ns(batcher, i, rule);
        if (due_ns < turn.due_ns)
            turn = (struct batcher_turn){.due_ns = due_ns, .service = i};
    }
    return turn;
}

// Since when a queue holds as much as a batch may, anew; to be called when it has changed. What is
// not held back needs no such time. Of those that wait, the arrival of the query that fills a
// batch:
int64_t batcher_filled_ns(const struct waiting *waiting, const struct batcher_rule *rule);
static inline void batcher_find_full(const struct batcher *batcher, uint32_t service)
{
    const struct batcher_rule *rules = batcher->rules[service];
    const struct batcher_rule *rule = &rules[rules[PLACE_CORES].used ? PLACE_CORES : PLACE_ACCEL];
    const struct waiting *waiting = &batcher->waiting[service];
    batcher->full_ns[service] = SIMTIME_NEVER;
    if (rule->delay_ns > 0 &&
        (waiting->n_items >= rule->most_items || waiting->n >= rule->most_queries))
        batcher->full_ns[service] = batcher_filled_ns(waiting, rule) + batcher->dispatch_delay_ns;
}

// What a place takes of a queue that holds something.
static inline struct batcher_taken batcher_take(const struct waiting *waiting,
                                                const struct batcher_rule *rule)
{
    struct batcher_taken taken = {0, 0, 0};
    uint32_t most_queries = rule->merges ? rule->most_queries : 1;
    while (taken.n_queries < waiting->n && taken.n_queries < most_queries &&
           taken.n_items < rule->most_items) {
        uint32_t items = waiting_at(waiting, taken.n_queries)->left_items;
        uint32_t room = rule->most_items - taken.n_items;
        if (items > room && rule->splits) {
            taken.rest = items - room;
            items = room;
        } else if (items > room && taken.n_queries > 0) {
            break; // kept whole; alone it is a batch of its own however large
        }
        taken.n_items += items;
        taken.n_queries++;
    }
    return taken;
}

// Those at the front of a queue whose target has passed go behind the others, if that is the order;
// sla_ns: 0 without a target.
static inline void batcher_pass_late(const struct batcher *batcher, uint32_t service,
                                     int64_t sla_ns, int64_t now_ns)
{
    struct waiting *waiting = &batcher->waiting[service];
    if (batcher->orders[service] != ORDER_LATE_LAST || sla_ns <= 0)
        return;
    for (const struct waiting_query *first = waiting_at(waiting, 0);
         first->key == 0 && first->query.arrive_ns + sla_ns < now_ns;
         first = waiting_at(waiting, 0))
        waiting_defer(waiting, 1);
}

// What a query waits by, the smaller first; the table says what work it is.
static inline int64_t batcher_key(enum order order, const struct query *query, int64_t sla_ns,
                                  const struct svctab *tab)
{
    switch (order) {
    case ORDER_SHORTEST:
        return query->size_items;
    case ORDER_LEAST_SLACK:
        return query->arrive_ns + sla_ns - svctab_load(tab, LOAD_WORK, query);
    default:
        return 0;
    }
}

#endif
