// SPDX-License-Identifier: Apache-2.0
#include "live/live_record.h"

#include "base/simtime.h"
#include "live/live_fixture.h"
#include "live/live_results.h"
#include "results/overload.h"
#include "support/suite.h"

static struct record *record_of(const struct live_log *log, int64_t end_ns)
{
    const struct record_shape shape = {
        .n_services = 1, .n_groups = 1, .n_bins = 10, .n_servers = 1, .end_ns = end_ns};
    struct record *record = record_create(&shape);
    live_record_fill(log, record);
    return record;
}

// Every query counts once, its latency and wait as the log has them; cores are busy for as long as
// requests took, bin by bin.
START_TEST(counts)
{
    struct study *study = live_fixture_study(NULL, NULL, NULL);
    struct live_plan *plan = live_fixture_plan(study);
    struct live_log *log = live_fixture_log(plan, 100 * SIMTIME_US);
    struct record *record = record_of(log, plan->fleet->duration_ns);
    int64_t latency_ns = 0, busy_ns = 0;
    uint64_t sum_ns = 0, n = 0;
    for (size_t i = 0; i < plan->n_queries; i++)
        latency_ns += log->queries[i].end_ns - log->queries[i].arrive_ns;
    for (uint32_t bin = 0; bin < 10; bin++) {
        sum_ns += record_tally(record, bin, 0, PATH_CPU)->latency_sum_ns;
        n += record_tally(record, bin, 0, PATH_CPU)->n_queries;
        busy_ns += record_group(record, bin, 0)->busy_ns[PART_CPU];
    }
    ck_assert_uint_eq(n, plan->n_queries);
    ck_assert_uint_eq(record->n_generated[0], plan->n_queries);
    ck_assert_uint_eq(sum_ns, (uint64_t)latency_ns);
    int64_t beyond_ns = record_group(record, 9, 0)->backlog_ns[PART_CPU];
    ck_assert_int_eq(busy_ns + beyond_ns, (int64_t)plan->n_queries * 100 * SIMTIME_US);
    ck_assert_int_eq(record->servers[0].cpu_busy_ns, busy_ns);
    record_destroy(record);
    live_log_destroy(log);
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

// Work that has come and not begun is backlog, of every bin until it is done.
START_TEST(backlog)
{
    struct study *study = live_fixture_study(NULL, NULL, NULL);
    struct live_plan *plan = live_fixture_plan(study);
    struct live_log *log = live_log_create(plan);
    struct record *record;
    log->requests[0] = (struct live_request){.due_ns = 10 * SIMTIME_MS,
                                             .ready_ns = 50 * SIMTIME_MS,
                                             .begin_ns = 50 * SIMTIME_MS,
                                             .end_ns = 75 * SIMTIME_MS,
                                             .n_queries = 1};
    log->n_requests = 1;
    record = record_of(log, 200 * SIMTIME_MS); // bins of 20 ms
    const int64_t backlog_ms[] = {25, 25, 15, 0}, busy_ms[] = {0, 0, 10, 15};
    for (uint32_t bin = 0; bin < 4; bin++) {
        const struct group_tally *tally = record_group(record, bin, 0);
        ck_assert_int_eq(tally->backlog_ns[PART_CPU], backlog_ms[bin] * SIMTIME_MS);
        ck_assert_int_eq(tally->busy_ns[PART_CPU], busy_ms[bin] * SIMTIME_MS);
    }
    record_destroy(record);
    live_log_destroy(log);
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

// Refused and lost queries are lost, those that were left are pending, those after the end of a run
// that was stopped are not in it: nothing that arrived is forgotten.
START_TEST(fates)
{
    struct study *study = live_fixture_study(NULL, NULL, NULL);
    struct live_plan *plan = live_fixture_plan(study);
    struct live_log *log = live_fixture_log(plan, SIMTIME_US);
    size_t n_before = 0;
    log->queries[0].fate = LIVE_REFUSED;
    log->queries[1].fate = LIVE_LOST;
    log->queries[2].fate = LIVE_WAITING;
    log->queries[3].fate = LIVE_UNSENT;
    for (size_t i = 0; i < plan->n_queries; i++)
        n_before += plan->queries[i].arrive_ns < 100 * SIMTIME_MS;
    struct record *record = record_of(log, 100 * SIMTIME_MS);
    const struct record_fates fates = record_fates(record, 0);
    ck_assert_uint_eq(fates.n_generated, n_before - 1);
    ck_assert_uint_eq(fates.n_lost, 2);
    ck_assert_uint_ge(fates.n_in_flight, 1);
    ck_assert_uint_eq(fates.n_answered + fates.n_lost + fates.n_in_flight, fates.n_generated);
    record_destroy(record);
    live_log_destroy(log);
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

// A server that leaves nearly all that came is not called stable.
START_TEST(left)
{
    struct err err = {0};
    struct study *study = live_fixture_study("traffic[0].rate=40000qps", NULL, NULL);
    struct live_plan *plan = live_fixture_plan(study);
    struct live_log *log = live_fixture_log(plan, 100 * SIMTIME_US);
    struct live_results results;
    log->n_requests = 1;
    for (size_t i = 1; i < plan->n_queries; i++)
        log->queries[i] =
            (struct live_query){.arrive_ns = plan->queries[i].arrive_ns, .fate = LIVE_WAITING};
    ck_assert_int_eq(live_results_make(study, log, plan->fleet->duration_ns, &results, &err), 0);
    ck_assert_int_eq(results.summary->fleet.verdict, OVERLOAD_YES);
    live_results_release(&results);
    live_log_destroy(log);
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", counts}, {"core", backlog}, {"errors", fates}, {"limits", left}};
    return suite_run("live_record", tests, sizeof tests / sizeof *tests);
}
