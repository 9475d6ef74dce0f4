// SPDX-License-Identifier: Apache-2.0
#include "live/live_replay.h"

#include "base/mem.h"
#include "base/simtime.h"

struct replay {
    const struct live_log *measured;
    struct live_log *log; // that is made
    struct batcher batcher;
    int64_t *free_ns; // [n_workers]
    uint32_t *taken;
    size_t next; // query that arrives next
    bool gaps;
};

static bool came_in(const struct live_query *query)
{
    return query->fate != LIVE_UNSENT && query->fate != LIVE_REFUSED;
}

static void skip_others(struct replay *replay)
{
    while (replay->next < replay->log->plan->n_queries &&
           !came_in(&replay->measured->queries[replay->next]))
        replay->next++;
}

static int64_t next_arrival_ns(const struct replay *replay)
{
    if (replay->next == replay->log->plan->n_queries)
        return SIMTIME_NEVER;
    return replay->measured->queries[replay->next].arrive_ns + replay->batcher.dispatch_delay_ns;
}

static void arrive(struct replay *replay)
{
    const struct live_plan *plan = replay->log->plan;
    struct query query = plan->queries[replay->next];
    struct live_query *fate = &replay->log->queries[replay->next];
    query.arrive_ns = fate->arrive_ns = replay->measured->queries[replay->next].arrive_ns;
    fate->fate = LIVE_WAITING;
    waiting_push(&replay->batcher.waiting[query.service], &query,
                 batcher_key(plan->orders[query.service], &query,
                             plan->fleet->services[query.service].sla_ns,
                             plan->tabs[query.service]));
    batcher_find_full(&replay->batcher, query.service);
    replay->next++;
    skip_others(replay);
}

static uint32_t first_free(const struct replay *replay)
{
    uint32_t first = 0;
    for (uint32_t i = 1; i < replay->log->plan->n_workers; i++)
        if (replay->free_ns[i] < replay->free_ns[first])
            first = i;
    return first;
}

// As the study's times say.
static int64_t alone_ns(const struct replay *replay, const struct live_request *request)
{
    const struct svctab *tab = replay->log->plan->tabs[request->service];
    int64_t ns = svctab_cpu_ns(tab, request->n_items, 1);
    return tab->history
               ? ns + svctab_history_cpu_ns(tab, request->n_items, request->history_items, 1)
               : ns;
}

// As long as a measured request took; for one of other items or another history, as the study's
// times say.
static int64_t service_ns(const struct replay *replay, const struct live_request *request,
                          const struct live_request *like)
{
    int64_t like_ns = like->end_ns - like->begin_ns, study_ns = alone_ns(replay, like);
    bool is_alike = request->n_items == like->n_items && request->service == like->service &&
                    request->history_items == like->history_items;
    if (is_alike || study_ns == 0)
        return like_ns;
    return (int64_t)((double)like_ns * (double)alone_ns(replay, request) / (double)study_ns);
}

// Where queries are merged there may be more requests than there were: the last one stands for
// those.
static void begin(struct replay *replay, uint32_t service, uint32_t worker, int64_t at_ns)
{
    struct live_log *log = replay->log;
    const struct live_log *measured = replay->measured;
    size_t number = log->n_requests++;
    const struct live_request *like =
        &measured->requests[number < measured->n_requests ? number : measured->n_requests - 1];
    struct live_request *request = &log->requests[number];
    *request = live_log_take(log, &replay->batcher, service, at_ns, replay->taken);
    request->worker = worker;
    request->due_ns = request->ready_ns = at_ns;
    request->begin_ns = at_ns + (replay->gaps ? like->begin_ns - like->ready_ns : 0);
    request->end_ns = request->begin_ns + service_ns(replay, request, like);
    replay->free_ns[worker] = request->end_ns;
    live_log_end(log, request, replay->taken, request->n_queries);
}

// What happens next: queries before beginnings, as in the simulation. False: nothing.
static bool step(struct replay *replay)
{
    const struct batcher_turn turn = batcher_turn(&replay->batcher, PLACE_CORES);
    int64_t arrival_ns = next_arrival_ns(replay), at_ns = turn.due_ns;
    uint32_t worker = first_free(replay);
    if (at_ns != SIMTIME_NEVER && replay->free_ns[worker] > at_ns)
        at_ns = replay->free_ns[worker];
    if (arrival_ns == SIMTIME_NEVER && at_ns == SIMTIME_NEVER)
        return false;
    if (arrival_ns <= at_ns)
        arrive(replay);
    else
        begin(replay, turn.service, worker, at_ns);
    return true;
}

static struct live_log *replay_one(const struct live_log *measured, bool gaps)
{
    const struct live_plan *plan = measured->plan;
    struct replay replay = {.measured = measured, .gaps = gaps};
    replay.log = live_log_create(plan);
    replay.free_ns = mem_calloc(plan->n_workers, sizeof *replay.free_ns);
    replay.taken = mem_calloc(plan->most_items, sizeof *replay.taken);
    replay.batcher =
        (struct batcher){.waiting = mem_calloc(plan->n_services, sizeof *replay.batcher.waiting),
                         .full_ns = mem_calloc(plan->n_services, sizeof *replay.batcher.full_ns),
                         .rules = (const struct batcher_rule(*)[N_PLACES])plan->rules,
                         .orders = plan->orders,
                         .n_services = plan->n_services,
                         .dispatch_delay_ns = plan->fleet->balancer.dispatch_delay_ns};
    for (uint32_t i = 0; i < plan->n_services; i++)
        replay.batcher.full_ns[i] = SIMTIME_NEVER;
    skip_others(&replay);
    while (measured->n_requests > 0 && step(&replay))
        ;
    for (uint32_t i = 0; i < plan->n_services; i++)
        waiting_release(&replay.batcher.waiting[i]);
    mem_free(replay.batcher.waiting);
    mem_free(replay.batcher.full_ns);
    mem_free(replay.free_ns);
    mem_free(replay.taken);
    return replay.log;
}

// What one server of a fleet had: the others' queries were never sent.
static struct live_log *log_of(const struct live_log *measured, uint32_t server)
{
    struct live_log *log = live_log_create(measured->plan);
    for (size_t i = 0; i < measured->plan->n_queries; i++)
        if (measured->queries[i].server == server)
            log->queries[i] = measured->queries[i];
    for (size_t i = 0; i < measured->n_requests; i++)
        if (measured->requests[i].server == server)
            log->requests[log->n_requests++] = measured->requests[i];
    return log;
}

// Adds what became of a server's queries.
static void add_log(struct live_log *all, const struct live_log *replay, uint32_t server)
{
    for (size_t i = 0; i < all->plan->n_queries; i++)
        if (replay->queries[i].fate != LIVE_UNSENT) {
            all->queries[i] = replay->queries[i];
            all->queries[i].server = server;
        }
    for (size_t i = 0; i < replay->n_requests; i++) {
        all->requests[all->n_requests] = replay->requests[i];
        all->requests[all->n_requests++].server = server;
    }
}

struct live_log *live_replay(const struct live_log *measured, bool gaps)
{
    if (measured->plan->n_servers == 1)
        return replay_one(measured, gaps);
    struct live_log *all = live_log_create(measured->plan);
    for (uint32_t s = 0; s < measured->plan->n_servers; s++) {
        struct live_log *own = log_of(measured, s);
        struct live_log *replay = replay_one(own, gaps);
        add_log(all, replay, s);
        live_log_destroy(replay);
        live_log_destroy(own);
    }
    return all;
}
