// SPDX-License-Identifier: Apache-2.0
#include "live/live_fixture.h"

#include <check.h>
#include <string.h>

#include "study/library.h"

static const char text[] =
    "name: live\n"
    "duration: 200ms\n"
    "warmup: 0s\n"
    "bins: 10\n"
    "traffic: [{service: a, rate: 1000qps, sizes: {distribution: fixed, items: 40}}]\n"
    "fleet: {groups: [{servers: 1, cores: 2, scheduler: {policy: fixed, batch_items: 16},\n"
    "  cost: {kind: synthetic, fixed: 20us, per_item: 1us}}]}\n"
    "balancer: {dispatch_delay: 0s, return_delay: 0s}\n";

struct study *live_fixture_study(const char *a, const char *b, const char *c)
{
    const char *settings[3];
    const char *const given[] = {a, b, c};
    size_t n = 0;
    struct library library;
    struct err err = {0};
    for (size_t i = 0; i < 3; i++)
        if (given[i])
            settings[n++] = given[i];
    ck_assert_int_eq(library_load(&library, &err), 0);
    struct study *study =
        study_parse("s.yaml", text, strlen(text), settings, n, &library, STUDY_OPEN, &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    library_release(&library);
    return study;
}

struct live_plan *live_fixture_plan(const struct study *study)
{
    struct err err = {0};
    struct live_plan *plan = live_plan_create(study, &err);
    ck_assert_msg(plan != NULL, "%s", err.text);
    return plan;
}

struct live_log *live_fixture_log(const struct live_plan *plan, int64_t service_ns)
{
    struct live_log *log = live_log_create(plan);
    int64_t free_ns = 0;
    for (uint32_t i = 0; i < plan->n_queries; i++) {
        struct live_query *query = &log->queries[i];
        int64_t due_ns = plan->queries[i].arrive_ns + plan->fleet->balancer.dispatch_delay_ns;
        int64_t begin_ns = free_ns > due_ns ? free_ns : due_ns;
        free_ns = begin_ns + service_ns;
        log->requests[log->n_requests++] = (struct live_request){.due_ns = due_ns,
                                                                 .ready_ns = begin_ns,
                                                                 .begin_ns = begin_ns,
                                                                 .end_ns = free_ns,
                                                                 .n_queries = 1,
                                                                 .n_items = 40};
        *query = (struct live_query){.arrive_ns = plan->queries[i].arrive_ns,
                                     .n_requests = 1,
                                     .n_running = 1,
                                     .taken = 1,
                                     .fate = LIVE_WAITING};
        live_log_end(log, &log->requests[i], &i, 1);
    }
    return log;
}

void live_fixture_check(const struct live_log *log)
{
    struct live_counts counts = live_log_count(log);
    ck_assert_uint_eq(counts.n_sent,
                      counts.n_ended + counts.n_refused + counts.n_lost + counts.n_waiting);
    for (size_t i = 0; i < log->plan->n_queries; i++) {
        const struct live_query *query = &log->queries[i];
        if (query->fate != LIVE_ENDED)
            continue;
        ck_assert_int_le(query->arrive_ns, query->begin_ns);
        ck_assert_int_le(query->begin_ns, query->last_begin_ns);
        ck_assert_int_le(query->last_begin_ns, query->end_ns);
        ck_assert_uint_eq(query->n_running, 0);
    }
}
