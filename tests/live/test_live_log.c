// SPDX-License-Identifier: Apache-2.0
#include "live/live_log.h"

#include "base/simtime.h"
#include "live/live_fixture.h"
#include "support/suite.h"

struct queue {
    struct waiting waiting;
    int64_t full_ns;
    struct batcher batcher;
};

static void open_queue(struct queue *queue, const struct live_plan *plan)
{
    *queue = (struct queue){.full_ns = SIMTIME_NEVER};
    queue->batcher = (struct batcher){.waiting = &queue->waiting,
                                      .full_ns = &queue->full_ns,
                                      .rules = (const struct batcher_rule(*)[N_PLACES])plan->rules,
                                      .orders = plan->orders,
                                      .n_services = 1};
}

// A query of 40 items leaves in three requests; it ends with the last of them, and its times are
// those of the one that ends last, whichever began first.
START_TEST(three_requests)
{
    struct study *study = live_fixture_study(NULL, NULL, NULL);
    struct live_plan *plan = live_fixture_plan(study);
    struct live_log *log = live_log_create(plan);
    struct queue queue;
    uint32_t taken[3][1];
    struct live_request requests[3];
    open_queue(&queue, plan);
    log->queries[0].fate = LIVE_WAITING;
    waiting_push(&queue.waiting, &plan->queries[0], 0);
    for (int i = 0; i < 3; i++) {
        requests[i] = live_log_take(log, &queue.batcher, 0, 0, taken[i]);
        requests[i].worker = (uint32_t)i;
        ck_assert_uint_eq(requests[i].n_items, i < 2 ? 16 : 8);
        ck_assert_uint_eq(taken[i][0], 0);
    }
    ck_assert_uint_eq(queue.waiting.n, 0);
    const int64_t times_ns[3][2] = {{10, 90}, {11, 50}, {12, 40}};
    const int order[] = {2, 1, 0};
    for (int i = 0; i < 3; i++) {
        struct live_request *request = &requests[order[i]];
        ck_assert_int_eq(log->queries[0].fate, LIVE_WAITING);
        request->begin_ns = times_ns[order[i]][0];
        request->end_ns = times_ns[order[i]][1];
        live_log_end(log, request, taken[order[i]], 1);
    }
    const struct live_query *query = &log->queries[0];
    ck_assert_int_eq(query->fate, LIVE_ENDED);
    ck_assert_uint_eq(query->n_requests, 3);
    ck_assert_int_eq(query->begin_ns, 10);
    ck_assert_int_eq(query->last_begin_ns, 10);
    ck_assert_int_eq(query->end_ns, 90);
    ck_assert_uint_eq(query->last_worker, 0);
    waiting_release(&queue.waiting);
    live_log_destroy(log);
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

// A query with a lost request is lost, whatever becomes of its others, and is counted once.
START_TEST(lost)
{
    struct study *study = live_fixture_study(NULL, NULL, NULL);
    struct live_plan *plan = live_fixture_plan(study);
    struct live_log *log = live_log_create(plan);
    const uint32_t first = 0;
    log->queries[0] = (struct live_query){.fate = LIVE_WAITING, .n_running = 2, .taken = 1};
    log->queries[1].fate = LIVE_REFUSED;
    log->queries[2].fate = LIVE_WAITING;
    live_log_end(log, &(struct live_request){.end_ns = 5, .lost = 1}, &first, 1);
    live_log_end(log, &(struct live_request){.end_ns = 6}, &first, 1);
    const struct live_counts counts = live_log_count(log);
    ck_assert_uint_eq(counts.n_sent, 3);
    ck_assert_uint_eq(counts.n_ended, 0);
    ck_assert_uint_eq(counts.n_lost, 1);
    ck_assert_uint_eq(counts.n_refused, 1);
    ck_assert_uint_eq(counts.n_waiting, 1);
    live_log_destroy(log);
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", three_requests}, {"errors", lost}};
    return suite_run("live_log", tests, sizeof tests / sizeof *tests);
}
