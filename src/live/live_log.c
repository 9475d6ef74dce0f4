// SPDX-License-Identifier: Apache-2.0
#include "live/live_log.h"

#include "base/mem.h"

const char *const live_log_fates[] = {"unsent", "waiting", "ended", "refused", "lost", NULL};

struct live_log *live_log_create(const struct live_plan *plan)
{
    struct live_log *log = mem_calloc(1, sizeof *log);
    log->plan = plan;
    log->queries = mem_calloc(plan->n_queries, sizeof *log->queries);
    log->requests = mem_calloc(plan->most_requests, sizeof *log->requests);
    // Touched now: a page that is new while a query waits would be measured.
    for (size_t i = 0; i < plan->n_queries; i++)
        log->queries[i].n_batch = 1;
    for (size_t i = 0; i < plan->most_requests; i++)
        log->requests[i].n_queries = 1;
    return log;
}

void live_log_destroy(struct live_log *log)
{
    if (!log)
        return;
    mem_free(log->queries);
    mem_free(log->requests);
    mem_free(log);
}

struct live_request live_log_take(struct live_log *log, const struct batcher *batcher,
                                  uint32_t service, int64_t now_ns, uint32_t *queries)
{
    struct waiting *waiting = &batcher->waiting[service];
    batcher_pass_late(batcher, service, log->plan->fleet->services[service].sla_ns, now_ns);
    const struct batcher_taken taken = batcher_take(waiting, &batcher->rules[service][PLACE_CORES]);
    uint16_t history_items = 0;
    for (uint32_t i = 0; i < taken.n_queries; i++) {
        struct waiting_query *first = waiting_at(waiting, 0);
        struct live_query *query = &log->queries[first->query.seq];
        queries[i] = (uint32_t)first->query.seq;
        history_items = first->query.history_items;
        query->n_requests += i == 0;
        query->n_running++;
        if (i + 1 == taken.n_queries && taken.rest > 0) {
            waiting->n_items -= first->left_items - taken.rest;
            first->left_items = taken.rest;
        } else {
            query->taken = 1;
            waiting_pop(waiting);
        }
    }
    batcher_find_full(batcher, service);
    return (struct live_request){.n_queries = taken.n_queries,
                                 .n_items = taken.n_items,
                                 .history_items = taken.n_queries == 1 ? history_items : 0,
                                 .service = (uint16_t)service};
}

void live_log_end(struct live_log *log, const struct live_request *request, const uint32_t *queries,
                  uint32_t n_queries)
{
    for (uint32_t i = 0; i < n_queries; i++) {
        struct live_query *query = &log->queries[queries[i]];
        query->n_running--;
        if (query->begin_ns == 0 || request->begin_ns < query->begin_ns) {
            query->begin_ns = request->begin_ns;
            query->first_worker = request->worker;
        }
        if (request->end_ns > query->end_ns) {
            query->end_ns = request->end_ns;
            query->last_begin_ns = request->begin_ns;
            query->last_worker = request->worker;
            query->n_batch = request->n_queries;
        }
        if (request->lost)
            query->fate = LIVE_LOST;
        else if (query->taken && query->n_running == 0 && query->fate == LIVE_WAITING)
            query->fate = LIVE_ENDED;
    }
}

struct live_counts live_log_count(const struct live_log *log)
{
    struct live_counts counts = {0};
    for (size_t i = 0; i < log->plan->n_queries; i++) {
        int fate = log->queries[i].fate;
        counts.n_sent += fate != LIVE_UNSENT;
        counts.n_ended += fate == LIVE_ENDED;
        counts.n_refused += fate == LIVE_REFUSED;
        counts.n_lost += fate == LIVE_LOST;
        counts.n_waiting += fate == LIVE_WAITING;
    }
    for (size_t i = 0; i < log->n_requests; i++)
        if (log->requests[i].end_ns > log->requests[i].begin_ns)
            counts.busy_ns += log->requests[i].end_ns - log->requests[i].begin_ns;
    return counts;
}
