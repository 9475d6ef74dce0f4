// SPDX-License-Identifier: Apache-2.0
#include "live/live_replay.h"

#include "base/simtime.h"
#include "live/live_fixture.h"
#include "support/suite.h"

static const char one_core[] = "fleet.groups[0].cores=1";
static const char whole[] = "fleet.groups[0].scheduler.batch_items=40";

// One core, whole queries, beyond saturation: the recursion of Lindley with the service times that
// were measured gives the log again, to the nanosecond.
START_TEST(same_again)
{
    struct study *study = live_fixture_study(one_core, whole, NULL);
    struct live_plan *plan = live_fixture_plan(study);
    struct live_log *log = live_fixture_log(plan, 1300 * SIMTIME_US);
    for (int gaps = 0; gaps < 2; gaps++) {
        struct live_log *replay = live_replay(log, gaps);
        for (size_t i = 0; i < plan->n_queries; i++) {
            ck_assert_int_eq(replay->queries[i].end_ns, log->queries[i].end_ns);
            ck_assert_int_eq(replay->queries[i].last_begin_ns, log->queries[i].last_begin_ns);
        }
        live_fixture_check(replay);
        live_log_destroy(replay);
    }
    live_log_destroy(log);
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

// What passed before requests began is in the replay with gaps, and not in the one without.
START_TEST(gaps)
{
    struct study *study = live_fixture_study(one_core, whole, NULL);
    struct live_plan *plan = live_fixture_plan(study);
    struct live_log *log = live_fixture_log(plan, SIMTIME_US);
    for (size_t i = 0; i < log->n_requests; i++) {
        log->requests[i].begin_ns += 7;
        log->requests[i].end_ns += 7;
    }
    struct live_log *with = live_replay(log, true), *without = live_replay(log, false);
    ck_assert_int_eq(with->queries[0].begin_ns, plan->queries[0].arrive_ns + 7);
    ck_assert_int_eq(without->queries[0].begin_ns, plan->queries[0].arrive_ns);
    live_log_destroy(with);
    live_log_destroy(without);
    live_log_destroy(log);
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

// A request that takes the place of one with another history takes as much longer as the study's
// times say: here 20 us + 40 us, and 1 us for each item of the history.
START_TEST(histories)
{
    struct study *study = live_fixture_study(
        "fleet.groups[0].cost={kind: synthetic, fixed: 20us, per_item: 1us, per_history: 1us}",
        "traffic[0].history={distribution: lognormal, mu: 4, sigma: 1, max_items: 400}", whole);
    struct live_plan *plan = live_fixture_plan(study);
    struct live_log *log = live_fixture_log(plan, 600 * SIMTIME_US);
    for (size_t i = 0; i < log->n_requests; i++) // as if all had had one of 540 items
        log->requests[i].history_items = 540;
    struct live_log *replay = live_replay(log, false);
    for (size_t i = 0; i < plan->n_queries; i++) {
        const struct live_query *query = &replay->queries[i];
        ck_assert_int_eq(query->end_ns - query->last_begin_ns,
                         (60 + plan->queries[i].history_items) * SIMTIME_US);
    }
    live_log_destroy(replay);
    live_log_destroy(log);
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

// Queries that were refused take no part; of a run without requests there is nothing.
START_TEST(others)
{
    struct study *study = live_fixture_study(one_core, whole, NULL);
    struct live_plan *plan = live_fixture_plan(study);
    struct live_log *log = live_fixture_log(plan, 1000);
    log->queries[0].fate = log->queries[7].fate = LIVE_REFUSED;
    struct live_log *replay = live_replay(log, false);
    ck_assert_uint_eq(live_log_count(replay).n_ended, plan->n_queries - 2);
    live_log_destroy(replay);
    log->n_requests = 0;
    replay = live_replay(log, false);
    ck_assert_uint_eq(live_log_count(replay).n_sent, 0);
    live_log_destroy(replay);
    live_log_destroy(log);
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", same_again}, {"core", gaps}, {"core", histories}, {"limits", others}};
    return suite_run("live_replay", tests, sizeof tests / sizeof *tests);
}
