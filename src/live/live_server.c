// SPDX-License-Identifier: Apache-2.0
#include "live/live_server.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "live/live_clock.h"

struct live_server {
    struct live_server_config config;
    const struct live_plan *plan;
    int64_t start_ns;
    uint32_t **taken; // [n_workers] of live_job.queries
    pthread_mutex_t lock;
    pthread_cond_t wake;
    // Under the lock:
    int64_t *freed_ns; // [n_workers] since when it has nothing; SIMTIME_NEVER: it has
    struct batcher batcher;
    size_t n_arrived; // with takes_arrivals: of the plan's queries; with is_posted: of those
    uint32_t *posted; // [n_queries] numbers of queries; NULL without is_posted
    size_t n_posted;
    int64_t until_ns; // no query arrives at or after it
    uint32_t n_alive, n_asleep;
    bool closed, abandoned;
    // When there is something to do for an idle worker that does not sleep, who reads it without
    // the lock.
    _Atomic int64_t due_ns;
    struct live_settled *settled; // [n_queries], read without the lock; NULL without is_posted
    atomic_size_t n_settled;
};

// Rings as large as they may become, so that none grows while the server runs.
static void fill_rings(struct live_server *server)
{
    const struct query query = {.size_items = 1};
    for (uint32_t i = 0; i < server->plan->n_services; i++) {
        struct waiting *waiting = &server->batcher.waiting[i];
        for (uint32_t n = 0; n < server->config.most_waiting; n++)
            waiting_push(waiting, &query, 0);
        while (waiting->n > 0)
            waiting_pop(waiting);
    }
}

struct live_server *live_server_create(const struct live_server_config *config)
{
    struct live_server *server = mem_calloc(1, sizeof *server);
    const struct live_plan *plan = config->log->plan;
    int64_t *full_ns = mem_calloc(plan->n_services, sizeof *full_ns);
    pthread_condattr_t attributes;
    server->config = *config;
    server->plan = plan;
    server->n_alive = plan->n_workers;
    server->until_ns = plan->fleet->duration_ns;
    for (uint32_t i = 0; i < plan->n_services; i++)
        full_ns[i] = SIMTIME_NEVER;
    server->batcher =
        (struct batcher){.waiting = mem_calloc(plan->n_services, sizeof *server->batcher.waiting),
                         .full_ns = full_ns,
                         .rules = (const struct batcher_rule(*)[N_PLACES])plan->rules,
                         .orders = plan->orders,
                         .n_services = plan->n_services,
                         .dispatch_delay_ns = plan->fleet->balancer.dispatch_delay_ns};
    fill_rings(server);
    server->freed_ns = mem_calloc(plan->n_workers, sizeof *server->freed_ns);
    server->taken = mem_calloc(plan->n_workers, sizeof *server->taken);
    uint32_t most =
        plan->most_items < config->most_waiting ? plan->most_items : config->most_waiting;
    for (uint32_t i = 0; i < plan->n_workers; i++)
        server->taken[i] = mem_calloc(most, sizeof *server->taken[i]);
    if (config->is_posted) {
        server->posted = mem_calloc(plan->n_queries, sizeof *server->posted);
        server->settled = mem_calloc(plan->n_queries, sizeof *server->settled);
    }
    pthread_mutex_init(&server->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&server->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    return server;
}

void live_server_destroy(struct live_server *server)
{
    if (!server)
        return;
    for (uint32_t i = 0; i < server->plan->n_services; i++)
        waiting_release(&server->batcher.waiting[i]);
    for (uint32_t i = 0; i < server->plan->n_workers; i++)
        mem_free(server->taken[i]);
    mem_free(server->batcher.waiting);
    mem_free(server->batcher.full_ns);
    mem_free(server->taken);
    mem_free(server->freed_ns);
    mem_free(server->posted);
    mem_free(server->settled);
    pthread_cond_destroy(&server->wake);
    pthread_mutex_destroy(&server->lock);
    mem_free(server);
}

void live_server_start(struct live_server *server, int64_t start_ns)
{
    server->start_ns = start_ns;
}

int64_t live_server_start_ns(const struct live_server *server)
{
    return server->start_ns;
}

int64_t live_server_now_ns(const struct live_server *server)
{
    return live_clock_ns() - server->start_ns;
}

// ---- arriving -----------------------------------------------------------------------------------

// Under the lock: a query has met its fate.
static void settle(struct live_server *server, size_t query, int64_t at_ns)
{
    if (!server->settled)
        return;
    size_t n = atomic_load_explicit(&server->n_settled, memory_order_relaxed);
    server->settled[n] = (struct live_settled){at_ns, (uint32_t)query};
    atomic_store_explicit(&server->n_settled, n + 1, memory_order_release);
}

// Under the lock.
static void arrive(struct live_server *server, size_t number, int64_t arrive_ns)
{
    struct query query = server->plan->queries[number];
    struct live_query *fate = &server->config.log->queries[number];
    struct waiting *waiting = &server->batcher.waiting[query.service];
    query.arrive_ns = fate->arrive_ns = arrive_ns;
    if (server->n_alive == 0 || waiting->n >= server->config.most_waiting) {
        fate->fate = server->n_alive == 0 ? LIVE_LOST : LIVE_REFUSED;
        settle(server, number, live_server_now_ns(server));
        return;
    }
    fate->fate = LIVE_WAITING;
    waiting_push(waiting, &query,
                 batcher_key(server->plan->orders[query.service], &query,
                             server->plan->fleet->services[query.service].sla_ns,
                             server->plan->tabs[query.service]));
    if (server->batcher.full_ns[query.service] == SIMTIME_NEVER)
        batcher_find_full(&server->batcher, query.service);
}

// When the next query should be here; SIMTIME_NEVER: none comes by itself.
static int64_t next_arrival_ns(const struct live_server *server)
{
    const struct live_plan *plan = server->plan;
    if (server->n_arrived < server->n_posted) {
        size_t number = server->posted[server->n_arrived];
        return server->config.log->queries[number].arrive_ns + server->batcher.dispatch_delay_ns;
    }
    if (!server->config.takes_arrivals || server->n_arrived == plan->n_queries)
        return SIMTIME_NEVER;
    int64_t arrive_ns = plan->queries[server->n_arrived].arrive_ns;
    return arrive_ns < server->until_ns ? arrive_ns + server->batcher.dispatch_delay_ns
                                        : SIMTIME_NEVER;
}

static void let_in(struct live_server *server, int64_t now_ns)
{
    while (next_arrival_ns(server) <= now_ns) {
        size_t number = server->n_arrived++;
        if (server->posted) {
            number = server->posted[number];
            arrive(server, number, server->config.log->queries[number].arrive_ns);
        } else {
            arrive(server, number, server->plan->queries[number].arrive_ns);
        }
    }
}

// Nothing waits and nothing will come.
static bool is_over(const struct live_server *server)
{
    if (server->abandoned)
        return true;
    return server->closed && next_arrival_ns(server) == SIMTIME_NEVER &&
           batcher_turn(&server->batcher, PLACE_CORES).due_ns == SIMTIME_NEVER;
}

// Says to workers that look, or sleep, when there is something for one of them; at the end, to all
// that there is nothing.
static void publish(struct live_server *server, int64_t now_ns)
{
    int64_t due_ns = batcher_turn(&server->batcher, PLACE_CORES).due_ns;
    int64_t arrival_ns = next_arrival_ns(server);
    bool over = is_over(server);
    due_ns = over ? 0 : arrival_ns < due_ns ? arrival_ns : due_ns;
    bool earlier = due_ns < atomic_load_explicit(&server->due_ns, memory_order_relaxed);
    atomic_store_explicit(&server->due_ns, due_ns, memory_order_relaxed);
    if (over)
        pthread_cond_broadcast(&server->wake);
    else if (server->n_asleep > 0 && (earlier || due_ns <= now_ns))
        pthread_cond_signal(&server->wake);
}

void live_server_send(struct live_server *server, size_t query)
{
    assert(!server->config.takes_arrivals && !server->config.is_posted);
    pthread_mutex_lock(&server->lock);
    int64_t now_ns = live_server_now_ns(server);
    int64_t arrive_ns = now_ns - server->batcher.dispatch_delay_ns;
    if (arrive_ns < server->until_ns) {
        arrive(server, query, arrive_ns > 0 ? arrive_ns : 0);
        publish(server, now_ns);
    }
    pthread_mutex_unlock(&server->lock);
}

// It counts as there from now on, whether or not anybody lets it in.
void live_server_post(struct live_server *server, size_t query, int64_t arrive_ns)
{
    assert(server->config.is_posted);
    struct live_query *fate = &server->config.log->queries[query];
    pthread_mutex_lock(&server->lock);
    int64_t now_ns = live_server_now_ns(server);
    fate->server = server->config.number;
    fate->arrive_ns = arrive_ns;
    fate->fate = LIVE_WAITING;
    server->posted[server->n_posted++] = (uint32_t)query;
    if (server->n_alive == 0)
        let_in(server, now_ns);
    publish(server, now_ns);
    pthread_mutex_unlock(&server->lock);
}

size_t live_server_settled(const struct live_server *server, const struct live_settled **list)
{
    *list = server->settled;
    return atomic_load_explicit(&server->n_settled, memory_order_acquire);
}

// ---- taking -------------------------------------------------------------------------------------

// Under the lock: the request that the worker comes back with, and its place in the log.
static void put_back(struct live_server *server, struct live_job *job)
{
    if (!job->ended)
        return;
    server->config.log->requests[job->number] = job->request;
    for (uint32_t i = 0; i < job->request.n_queries; i++) {
        struct live_query *query = &server->config.log->queries[job->queries[i]];
        bool waited = query->fate == LIVE_WAITING;
        live_log_end(server->config.log, &job->request, &job->queries[i], 1);
        if (waited && query->fate != LIVE_WAITING)
            settle(server, job->queries[i], query->end_ns);
    }
    server->freed_ns[job->worker] = job->request.end_ns;
    job->ended = false;
}

// Under the lock: since when some worker has had nothing. The one that takes the request is not
// always the one that has had nothing for longest, as the system may have put that one aside; they
// are alike, so it is as if they had changed places.
static int64_t use_idle(struct live_server *server, uint32_t worker)
{
    int64_t *freed_ns = server->freed_ns;
    uint32_t first = worker;
    for (uint32_t i = 0; i < server->plan->n_workers; i++)
        if (freed_ns[i] < freed_ns[first])
            first = i;
    int64_t since_ns = freed_ns[first];
    freed_ns[first] = freed_ns[worker];
    freed_ns[worker] = SIMTIME_NEVER;
    return since_ns;
}

// Under the lock: of a queue that is due.
static void take(struct live_server *server, struct batcher_turn turn, int64_t now_ns,
                 struct live_job *job)
{
    int64_t freed_ns = use_idle(server, job->worker);
    job->queries = server->taken[job->worker];
    job->request =
        live_log_take(server->config.log, &server->batcher, turn.service, now_ns, job->queries);
    job->request.server = server->config.number;
    job->request.worker = job->worker;
    job->request.due_ns = turn.due_ns;
    job->request.ready_ns = turn.due_ns > freed_ns ? turn.due_ns : freed_ns;
    job->number = server->config.log->n_requests++;
    job->ended = true;
}

// Under the lock, but not while it waits: until something is due, or something has changed.
static void wait_idle(struct live_server *server)
{
    int64_t due_ns = atomic_load_explicit(&server->due_ns, memory_order_relaxed);
    if (!server->config.idle_sleeps) {
        pthread_mutex_unlock(&server->lock);
        while (live_server_now_ns(server) <
               atomic_load_explicit(&server->due_ns, memory_order_relaxed))
            live_clock_pause();
        pthread_mutex_lock(&server->lock);
        return;
    }
    server->n_asleep++;
    if (due_ns == SIMTIME_NEVER) {
        pthread_cond_wait(&server->wake, &server->lock);
    } else {
        int64_t at_ns = server->start_ns + due_ns;
        const struct timespec until = {(time_t)(at_ns / SIMTIME_S), (long)(at_ns % SIMTIME_S)};
        pthread_cond_timedwait(&server->wake, &server->lock, &until);
    }
    server->n_asleep--;
}

bool live_server_next(struct live_server *server, struct live_job *job)
{
    pthread_mutex_lock(&server->lock);
    put_back(server, job);
    for (;;) {
        int64_t now_ns = live_server_now_ns(server);
        let_in(server, now_ns);
        struct batcher_turn turn = batcher_turn(&server->batcher, PLACE_CORES);
        bool over = is_over(server);
        if (!over && turn.due_ns <= now_ns)
            take(server, turn, now_ns, job);
        publish(server, now_ns);
        if (over || job->ended)
            break;
        wait_idle(server);
    }
    pthread_mutex_unlock(&server->lock);
    return job->ended;
}

void live_server_fail(struct live_server *server, struct live_job *job)
{
    pthread_mutex_lock(&server->lock);
    job->request.lost = 1;
    put_back(server, job);
    server->freed_ns[job->worker] = SIMTIME_NEVER;
    server->n_alive--;
    for (uint32_t i = 0; server->n_alive == 0 && i < server->plan->n_services; i++) {
        struct waiting *waiting = &server->batcher.waiting[i];
        for (; waiting->n > 0; waiting_pop(waiting)) {
            size_t number = (size_t)waiting_at(waiting, 0)->query.seq;
            bool waited = server->config.log->queries[number].fate == LIVE_WAITING;
            server->config.log->queries[number].fate = LIVE_LOST;
            if (waited)
                settle(server, number, live_server_now_ns(server));
        }
        server->batcher.full_ns[i] = SIMTIME_NEVER;
    }
    publish(server, live_server_now_ns(server));
    pthread_mutex_unlock(&server->lock);
}

// ---- ending -------------------------------------------------------------------------------------

void live_server_close(struct live_server *server, int64_t until_ns)
{
    pthread_mutex_lock(&server->lock);
    int64_t now_ns = live_server_now_ns(server);
    server->until_ns = until_ns < server->until_ns ? until_ns : server->until_ns;
    server->closed = true;
    // With nobody left to look, what should have come by then is counted here.
    if (server->n_alive == 0)
        let_in(server, now_ns);
    publish(server, now_ns);
    pthread_mutex_unlock(&server->lock);
}

void live_server_abandon(struct live_server *server)
{
    pthread_mutex_lock(&server->lock);
    server->closed = server->abandoned = true;
    publish(server, live_server_now_ns(server));
    pthread_mutex_unlock(&server->lock);
}

bool live_server_is_done(struct live_server *server)
{
    pthread_mutex_lock(&server->lock);
    if (server->n_alive == 0)
        let_in(server, live_server_now_ns(server));
    bool done = is_over(server);
    pthread_mutex_unlock(&server->lock);
    return done;
}

uint32_t live_server_n_alive(struct live_server *server)
{
    pthread_mutex_lock(&server->lock);
    uint32_t n_alive = server->n_alive;
    pthread_mutex_unlock(&server->lock);
    return n_alive;
}
