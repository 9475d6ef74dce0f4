// SPDX-License-Identifier: Apache-2.0
#include "live/live_trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "live/live_fixture.h"
#include "support/suite.h"
#include "traces/trace_csv.h"

// What is written is read by a replay to the nanosecond, and is what the trace in memory has.
START_TEST(reads_back)
{
    char path[] = "/tmp/recfleet-live-trace-XXXXXX";
    struct err err = {0};
    struct study *study = live_fixture_study(NULL, NULL, NULL);
    struct live_plan *plan = live_fixture_plan(study);
    struct live_log *log = live_fixture_log(plan, 1000);
    log->queries[4].fate = LIVE_UNSENT;
    log->queries[5].fate = LIVE_REFUSED;
    close(mkstemp(path));
    ck_assert_msg(live_trace_write(path, DURABLE_REPLACE, log, &err) == 0, "%s", err.text);
    struct trace_csv_config config = trace_csv_defaults(path);
    config.start = TRACE_CSV_START_ZERO;
    struct trace *trace = trace_csv_read(&config, &err), *memory = live_trace_of(log, 0);
    ck_assert_msg(trace != NULL, "%s", err.text);
    ck_assert_uint_eq(trace->n, plan->n_queries - 1);
    ck_assert_uint_eq(memory->n, trace->n);
    for (size_t i = 0; i < trace->n; i++) {
        ck_assert_int_eq(trace->arrive_ns[i], plan->queries[i < 4 ? i : i + 1].arrive_ns);
        ck_assert_int_eq(trace->arrive_ns[i], memory->arrive_ns[i]);
        ck_assert_uint_eq(trace->size_items[i], 40);
    }
    unlink(path);
    trace_destroy(trace);
    trace_destroy(memory);
    live_log_destroy(log);
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

// Histories are in both, where queries have them.
START_TEST(histories)
{
    char path[] = "/tmp/recfleet-live-trace-XXXXXX", name[] = "history_items";
    struct err err = {0};
    struct study *study = live_fixture_study(
        "traffic[0].history={distribution: lognormal, mu: 4, sigma: 1, max_items: 400}", NULL,
        NULL);
    struct live_plan *plan = live_fixture_plan(study);
    struct live_log *log = live_fixture_log(plan, 1000);
    close(mkstemp(path));
    ck_assert_msg(live_trace_write(path, DURABLE_REPLACE, log, &err) == 0, "%s", err.text);
    struct trace_csv_config config = trace_csv_defaults(path);
    config.start = TRACE_CSV_START_ZERO;
    config.history_column = name;
    struct trace *trace = trace_csv_read(&config, &err), *memory = live_trace_of(log, 0);
    ck_assert_msg(trace != NULL, "%s", err.text);
    for (size_t i = 0; i < plan->n_queries; i++) {
        ck_assert_uint_eq(trace->history_items[i], plan->queries[i].history_items);
        ck_assert_uint_eq(memory->history_items[i], plan->queries[i].history_items);
    }
    unlink(path);
    trace_destroy(trace);
    trace_destroy(memory);
    live_log_destroy(log);
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

// The name of a service with a comma and quotes is one field, which a replay finds.
START_TEST(odd_names)
{
    char path[] = "/tmp/recfleet-live-trace-XXXXXX", column[] = "service", name[] = "a,\"b\" c";
    struct err err = {0};
    struct study *study = live_fixture_study("traffic[0].service='a,\"b\" c'", NULL, NULL);
    struct live_plan *plan = live_fixture_plan(study);
    struct live_log *log = live_fixture_log(plan, 1000);
    close(mkstemp(path));
    ck_assert_str_eq(study->services[0].name, name);
    ck_assert_msg(live_trace_write(path, DURABLE_REPLACE, log, &err) == 0, "%s", err.text);
    struct trace_csv_config config = trace_csv_defaults(path);
    config.filter_column = column;
    config.filter = name;
    struct trace *trace = trace_csv_read(&config, &err);
    ck_assert_msg(trace != NULL, "%s", err.text);
    ck_assert_uint_eq(trace->n, plan->n_queries);
    unlink(path);
    trace_destroy(trace);
    live_log_destroy(log);
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

// A folder that is not there is an error that names the file, and leaves nothing; so is a file that
// is there.
START_TEST(refuses)
{
    struct err err = {0};
    struct study *study = live_fixture_study(NULL, NULL, NULL);
    struct live_plan *plan = live_fixture_plan(study);
    struct live_log *log = live_log_create(plan);
    ck_assert_int_eq(live_trace_write("/nowhere/at/all.csv", DURABLE_NEW, log, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "/nowhere/at/all.csv"));
    char path[] = "/tmp/recfleet-live-trace-XXXXXX"; // one that is there
    close(mkstemp(path));
    ck_assert_int_eq(live_trace_write(path, DURABLE_NEW, log, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "exists; --force overwrites it"));
    unlink(path);
    ck_assert_ptr_null(live_trace_of(log, 0)); // nothing arrived
    live_log_destroy(log);
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", reads_back}, {"core", histories}, {"limits", odd_names}, {"errors", refuses}};
    return suite_run("live_trace", tests, sizeof tests / sizeof *tests);
}
