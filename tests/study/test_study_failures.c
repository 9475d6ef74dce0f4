// SPDX-License-Identifier: Apache-2.0
#include "study/study_failures.h"

#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "study/round_trip.h"
#include "study/study.h"
#include "support/suite.h"

static struct library library; // of the whole program; set by main

#define FLEET                                                                                      \
    "fleet:\n"                                                                                     \
    "  cells: 4\n"                                                                                 \
    "  groups:\n"                                                                                  \
    "    - {name: a, platform: skylake, servers: 8}\n"                                             \
    "    - {name: b, platform: skylake, servers: 4}\n"

static struct study *parse(const char *rest, struct err *err)
{
    char *text =
        mem_printf("duration: 1s\ntraffic: [{service: feed, model: wnd, rate: 10qps}]\n%s\n", rest);
    *err = (struct err){0};
    struct study *study = study_parse("s.yaml", text, strlen(text), NULL, 0, &library, true, err);
    mem_free(text);
    return study;
}

static struct study *parsed(const char *rest)
{
    struct err err;
    struct study *study = parse(rest, &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    return study;
}

static void assert_refused(const char *rest, const char *line)
{
    struct err err;
    ck_assert_msg(parse(rest, &err) == NULL, "%s was accepted", rest);
    ck_assert_str_eq(err.text, line);
    ck_assert_int_eq(err.code, ERR_STUDY);
}

// Without the section nothing ever fails.
START_TEST(defaults)
{
    struct study *study = parsed(FLEET);
    const struct outage_config *outages = &study->fleet.outages;
    ck_assert(!fleet_has_outages(&study->fleet));
    ck_assert_double_eq(outages->mtbf_s, 0);
    ck_assert_int_eq(outages->detect_delay_ns, SIMTIME_S);
    ck_assert_int_eq(outages->retries, 0);
    ck_assert(outages->failover);
    study_destroy(study);
}
END_TEST

// Every key reaches the fleet, in its unit.
START_TEST(keys_are_read)
{
    struct study *study =
        parsed(FLEET "failures: {mtbf: 30d, mttr: 1h, detect_delay: 500ms, retries: 2, "
                     "retry_delay: 10ms, failover: false, events: [{at: 10s, for: 20s, group: b, "
                     "server: 3}, {at: 1s, for: 5s, cell: 1, kind: drain}]}");
    const struct outage_config *outages = &study->fleet.outages;
    ck_assert(fleet_has_outages(&study->fleet));
    ck_assert_double_eq(outages->mtbf_s, 30 * 86400);
    ck_assert_double_eq(outages->mttr_s, 3600);
    ck_assert_int_eq(outages->detect_delay_ns, 500 * SIMTIME_MS);
    ck_assert_int_eq(outages->retries, 2);
    ck_assert_int_eq(outages->retry_delay_ns, 10 * SIMTIME_MS);
    ck_assert(!outages->failover);
    ck_assert_uint_eq(outages->n_events, 2);
    const struct outage_event *server = &outages->events[0], *cell = &outages->events[1];
    ck_assert(!server->whole_cell);
    ck_assert_uint_eq(server->group, 1);
    ck_assert_uint_eq(server->server, 3);
    ck_assert_int_eq(server->kind, OUTAGE_CRASH);
    ck_assert_int_eq(server->for_ns, 20 * SIMTIME_S);
    ck_assert(cell->whole_cell);
    ck_assert_uint_eq(cell->cell, 1);
    ck_assert_int_eq(cell->kind, OUTAGE_DRAIN);
    ck_assert_int_eq(cell->at_ns, SIMTIME_S);
    study_destroy(study);
}
END_TEST

// The one group of a fleet needs no name.
START_TEST(one_group_needs_no_name)
{
    struct study *study = parsed("fleet: {groups: [{platform: skylake, servers: 2}]}\n"
                                 "failures: {events: [{at: 0, for: 1s, server: 1}]}");
    ck_assert_uint_eq(study->outages.events[0].group, 0);
    ck_assert_uint_eq(study->outages.events[0].server, 1);
    study_destroy(study);
}
END_TEST

// What is written of it reads back to the same.
START_TEST(reads_back)
{
    struct study *study = parsed(FLEET "failures: {mtbf: 30d, mttr: 1h, events: [{at: 0, for: 20s, "
                                       "group: a, server: 7}, {at: 1s, for: 5s, cell: 3}]}");
    char *text = round_trip_text(study, &library);
    ck_assert_ptr_nonnull(strstr(text, "    cell: 3\n"));
    ck_assert_ptr_nonnull(strstr(text, "    group: a\n    server: 7\n"));
    mem_free(text);
}
END_TEST

// Failover is for cells whose number fits a query.
START_TEST(many_cells)
{
    const char *const fleet =
        "fleet: {cells: 16384, groups: [{platform: skylake, servers: 20000}]}";
    char *last = mem_printf("%s\nfailures: {events: [{at: 0, for: 1s, cell: 16382}]}", fleet);
    char *over = mem_printf("%s\nfailures: {events: [{at: 0, for: 1s, cell: 16383}]}", fleet);
    char *stay = mem_printf("%s\nfailures: {failover: false, events: [{at: 0, for: 1s, cell: "
                            "16383}]}",
                            fleet);
    study_destroy(parsed(last));
    study_destroy(parsed(stay));
    assert_refused(over, "s.yaml:4:44: failures.events[0].cell: failover is for the first 16383 "
                         "cells only; expected less, or failover: false");
    mem_free(last);
    mem_free(over);
    mem_free(stay);
}
END_TEST

// Times up and down come together.
START_TEST(means_come_together)
{
    assert_refused(FLEET "failures: {mtbf: 30d}",
                   "s.yaml:8:11: failures.mttr: missing; expected a time above 0, because there is "
                   "an mtbf");
    assert_refused(FLEET "failures: {mttr: 1h}",
                   "s.yaml:8:18: failures.mttr: only with an mtbf above 0");
    assert_refused(FLEET "failures: {mtbf: 30, mttr: 1h}",
                   "s.yaml:8:18: failures.mtbf: expected a time such as \"25ms\", got \"30\"");
}
END_TEST

// An event says what it happens to, once.
START_TEST(events_have_one_target)
{
    assert_refused(FLEET "failures: {events: [{at: 0, for: 1s}]}",
                   "s.yaml:8:21: failures.events[0].server: missing; expected a server or a cell");
    assert_refused(FLEET "failures: {events: [{at: 0, for: 1s, cell: 1, server: 2}]}",
                   "s.yaml:8:55: failures.events[0].server: expected a cell or a server, got both");
    assert_refused(FLEET "failures: {events: [{at: 0, for: 1s, cell: 1, group: a}]}",
                   "s.yaml:8:54: failures.events[0].group: only with a server; a cell has all "
                   "groups");
    assert_refused(FLEET "failures: {events: [{at: 0, for: 1s, server: 1}]}",
                   "s.yaml:8:21: failures.events[0].group: missing; expected the name of the "
                   "server's group");
    assert_refused(FLEET "failures: {events: [{for: 1s, cell: 1}]}",
                   "s.yaml:8:21: failures.events[0].at: missing; expected a time such as \"25ms\" "
                   "from 0s to 720h");
    assert_refused(FLEET "failures: {events: [{at: 0, for: 0, cell: 1}]}",
                   "s.yaml:8:34: failures.events[0].for: expected a time above 0");
    assert_refused(FLEET "failures: {events: [crash]}",
                   "s.yaml:8:21: failures.events[0]: expected a map such as {at: 10s, for: 5s, "
                   "cell: 0}, got \"crash\"");
}
END_TEST

// And that is there.
START_TEST(targets_exist)
{
    assert_refused(FLEET "failures: {events: [{at: 0, for: 1s, cell: 4}]}",
                   "s.yaml:8:44: failures.events[0].cell: expected 0 to 3 (fleet.cells: 4), got 4");
    assert_refused(FLEET "failures: {events: [{at: 0, for: 1s, group: b, server: 4}]}",
                   "s.yaml:8:56: failures.events[0].server: expected 0 to 3 (group \"b\" has 4 "
                   "servers), got 4");
    assert_refused(
        FLEET "failures: {events: [{at: 0, for: 1s, group: c, server: 4}]}",
        "s.yaml:8:45: failures.events[0].group: unknown group \"c\"; expected one of a, b");
    assert_refused(FLEET "failures: {retries: 4}",
                   "s.yaml:8:21: failures.retries: expected a whole number from 0 to 3, got \"4\"");
}
END_TEST

// A balancer that tries again hears of a loss no earlier than the news can travel.
START_TEST(retries_need_a_delay)
{
    const char *const line =
        "s.yaml:8:31: failures.retries: a balancer that tries again must learn "
        "of the loss, so balancer.dispatch_delay + status_delay must be above "
        "0";
#define AT_ONCE "balancer: {dispatch_delay: 0, status_delay: 0}\n"
    assert_refused(FLEET "failures: {mttr: 1h, retries: 1, mtbf: 1d}\n" AT_ONCE, line);
    study_destroy(parsed(FLEET "failures: {retries: 1}\n" AT_ONCE)); // nothing is ever lost
    study_destroy(parsed(FLEET "failures: {mttr: 1h, mtbf: 1d}\n" AT_ONCE));
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", defaults},
                                       {"core", keys_are_read},
                                       {"core", one_group_needs_no_name},
                                       {"core", reads_back},
                                       {"limits", many_cells},
                                       {"errors", means_come_together},
                                       {"errors", events_have_one_target},
                                       {"errors", targets_exist},
                                       {"errors", retries_need_a_delay}};
    if (library_load(&library, NULL) < 0)
        return 1;
    int failed = suite_run("study_failures", tests, sizeof tests / sizeof *tests);
    library_release(&library);
    return failed;
}
