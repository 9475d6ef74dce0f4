// SPDX-License-Identifier: Apache-2.0
#include "study/study_fleet.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "study/round_trip.h"
#include "study/study.h"
#include "support/suite.h"

static struct library library; // of the whole program; set by main

// One group of four servers with further keys. test_study.c has the rest of the section.
static struct study *parse(const char *servers, const char *more, struct err *err)
{
    char *text = mem_printf("duration: 1s\ntraffic: [{service: feed, model: wnd, rate: 10qps}]\n"
                            "fleet: {groups: [{platform: skylake, servers: %s%s}]}\n",
                            servers, more);
    *err = (struct err){0};
    struct study *study = study_parse("s.yaml", text, strlen(text), NULL, 0, &library, true, err);
    mem_free(text);
    return study;
}

static struct study *parsed(const char *more)
{
    struct err err;
    struct study *study = parse("4", more, &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    return study;
}

static void assert_refused(const char *more, const char *line)
{
    struct err err;
    ck_assert_msg(parse("4", more, &err) == NULL, "%s was accepted", more);
    ck_assert_str_eq(err.text, line);
}

// A server's price has a unit, in the value or in the key; without one it is not known.
START_TEST(price_has_a_unit)
{
    const char *const keys[] = {", price: 0.43usd/h", ", price_usd_per_h: 0.43", ""};
    for (int i = 0; i < 3; i++) {
        struct study *study = parsed(keys[i]);
        ck_assert_double_eq(study->groups[0].price_usd_per_h, i < 2 ? 0.43 : 0);
        study_destroy(study);
    }
    assert_refused(", price: 0.43", "s.yaml:3:57: fleet.groups[0].price: expected a price such as "
                                    "\"0.43usd/h\", got \"0.43\"");
}
END_TEST

// A schedule reaches the fleet; without one all servers are on, always.
START_TEST(schedule_is_read)
{
    struct study *study = parsed("");
    ck_assert_uint_eq(study->fleet.groups[0].on.n_steps, 0);
    study_destroy(study);
    study = parsed(", on: {servers: [4, 2, 3], every: 30min, startup: 2min, shutdown: 0}");
    const struct on_schedule *on = &study->fleet.groups[0].on;
    ck_assert_uint_eq(on->n_steps, 3);
    ck_assert_uint_eq(on->n_on[0], 4);
    ck_assert_uint_eq(on->n_on[1], 2);
    ck_assert_int_eq(on->step_ns, 1800 * SIMTIME_S);
    ck_assert_int_eq(on->startup_ns, 120 * SIMTIME_S);
    ck_assert_int_eq(on->shutdown_ns, 0);
    ck_assert(fleet_has_outages(&study->fleet));
    study_destroy(study);
}
END_TEST

// What is written of both reads back to the same.
START_TEST(reads_back)
{
    struct study *study = parsed(", price: 1.5usd/h, on: {servers: [4, 1]}");
    char *text = round_trip_text(study, &library);
    ck_assert_ptr_nonnull(strstr(text, "      price: 1.5usd/h\n"));
    ck_assert_ptr_nonnull(strstr(text, "      on:\n        servers: [4, 1]\n"));
    mem_free(text);
}
END_TEST

// Servers that are on are whole and there, and switching fits a step.
START_TEST(bad_schedules_are_refused)
{
    assert_refused(", on: {servers: [5]}", "s.yaml:3:64: fleet.groups[0].on.servers: expected at "
                                           "most the group's 4 servers, got 5");
    assert_refused(", on: {servers: [1.5]}",
                   "s.yaml:3:64: fleet.groups[0].on.servers: expected whole servers, got 1.5");
    assert_refused(", on: {servers: [4, 0]}",
                   "s.yaml:3:64: fleet.groups[0].on.servers: element 1: expected a list, each a "
                   "number from 1 to 100000000, got \"0\"");
    assert_refused(", on: {servers: []}",
                   "s.yaml:3:64: fleet.groups[0].on.servers: empty; expected "
                   "at least one number of servers");
    assert_refused(", on: {every: 1h}",
                   "s.yaml:3:54: fleet.groups[0].on.servers: missing; expected "
                   "a list, each a number from 1 to 100000000");
    assert_refused(", on: {servers: [4], every: 30s}",
                   "s.yaml:3:54: fleet.groups[0].on.startup: expected at most the step of 30s");
    assert_refused(", on: {servers: [4], every: 2min, shutdown: 3min}",
                   "s.yaml:3:92: fleet.groups[0].on.shutdown: expected at most the step of 120s");
}
END_TEST

// A pool without a server is said to be one.
START_TEST(empty_pool_is_refused)
{
    struct err err;
    ck_assert_ptr_null(parse("0", "", &err));
    ck_assert_str_eq(err.text, "s.yaml:3:47: fleet.groups[0].servers: an empty server pool; "
                               "expected at least 1 server");
}
END_TEST

// A measured table by name is one of the model and the platform that it is used for.
START_TEST(other_tables_are_refused)
{
    assert_refused(", cost: {kind: table, table: wnd-repo-zen5-2core}",
                   "s.yaml:3:77: fleet.groups[0].cost.table: \"wnd-repo-zen5-2core\" was measured "
                   "with model \"wnd-repo\" on platform \"zen5-2core\", and the service's model is "
                   "\"wnd\"; see: recfleet list tables");
    const char *const text =
        "duration: 1s\ntraffic: [{service: feed, model: wnd-repo, rate: 10qps}]\n"
        "fleet: {groups: [{%s, servers: 1, cost: {kind: table, table: wnd-repo-zen5-2core}}]}\n";
    const char *const groups[] = {"platform: zen5-2core", "cores: 2", "platform: skylake"};
    for (int i = 0; i < 3; i++) { // a server of one's own has the times that one says
        char *study_text = mem_printf(text, groups[i]);
        struct err err = {0};
        struct study *study =
            study_parse("s.yaml", study_text, strlen(study_text), NULL, 0, &library, true, &err);
        ck_assert_int_eq(study != NULL, i < 2);
        study_destroy(study);
        mem_free(study_text);
        if (i == 2)
            ck_assert_ptr_nonnull(strstr(err.text, "and the group's platform is \"skylake\""));
    }
}
END_TEST

static struct study *with_table(const char *models, const char *model, const char *group,
                                struct err *err)
{
    char *text = mem_printf("duration: 1s\n%s\ntraffic: [{service: feed, model: %s, rate: 10qps}]\n"
                            "fleet: {groups: [{%s, servers: 1}]}\n",
                            models, model, group);
    *err = (struct err){0};
    struct study *study = study_parse("s.yaml", text, strlen(text), NULL, 0, &library, true, err);
    mem_free(text);
    return study;
}

// A known name does not make a model or a platform the one that was measured: what it is does.
START_TEST(tables_are_matched_by_content)
{
    static const struct {
        const char *models, *model, *group, *wrong; // NULL: the table of rmc1-repo is used
    } cases[] = {
        {"models: [{name: rmc1-repo, dim: 8}]", "rmc1-repo", "platform: zen5-2core, cost: table",
         "s.yaml:4:47: fleet.groups[0].cost: \"rmc1-repo-zen5-2core\" was measured with model "
         "\"rmc1-repo\" on platform \"zen5-2core\", and the service's model has dim 8 in place of "
         "32; see: recfleet list tables"},
        {"models: [{name: rmc1-repo, rows: [10]}]", "rmc1-repo",
         "platform: zen5-2core, cost: {kind: table, table: rmc1-repo-zen5-2core}",
         "s.yaml:4:68: fleet.groups[0].cost.table: \"rmc1-repo-zen5-2core\" was measured with "
         "model "
         "\"rmc1-repo\" on platform \"zen5-2core\", and the service's model has rows [10] in place "
         "of [4000000]; see: recfleet list tables"},
        {"models: [{name: rmc1-repo, dim: 8}]", "rmc1-repo",
         "cores: 2, cost: {kind: table, services: [{service: feed, table: rmc1-repo-zen5-2core}]}",
         "s.yaml:4:83: fleet.groups[0].cost.services[0].table: \"rmc1-repo-zen5-2core\" was "
         "measured with model \"rmc1-repo\" on platform \"zen5-2core\", and the service's model "
         "has "
         "dim 8 in place of 32; see: recfleet list tables"},
        {"", "rmc1-repo", "platform: zen5-2core, cores: 64, cost: table",
         "s.yaml:4:58: fleet.groups[0].cost: \"rmc1-repo-zen5-2core\" was measured with model "
         "\"rmc1-repo\" on platform \"zen5-2core\", and the group's platform has cores 64 in place "
         "of 2; see: recfleet list tables"},
        {"", "rmc1-repo", "platform: zen5-2core, clock: 1GHz, cost: table",
         "s.yaml:4:60: fleet.groups[0].cost: \"rmc1-repo-zen5-2core\" was measured with model "
         "\"rmc1-repo\" on platform \"zen5-2core\", and the group's platform has clock 1GHz in "
         "place of 0; see: recfleet list tables"},
        {"models: [{name: mine, like: rmc1-repo, dim: 8}]", "mine",
         "platform: zen5-2core, cost: table",
         "s.yaml:4:47: fleet.groups[0].cost: no measured table of model \"mine\" on platform "
         "\"zen5-2core\"; there are: dien-repo, din-repo, din-shipped, mtwnd-repo, ncf-repo, "
         "rmc1-repo, rmc2-repo, rmc3-repo, wnd-repo on \"zen5-2core\""},
        {"models: [{name: mine, like: rmc1-repo}]", "mine", "platform: zen5-2core, cost: table",
         NULL},
        {"models: [{name: mine, like: rmc1-repo, sla_low: 1ms}]", "mine",
         "platform: zen5-2core, cost: {kind: table, table: rmc1-repo-zen5-2core}", NULL},
        {"models: [{name: rmc1-repo, sla_low: 1ms}]", "rmc1-repo",
         "platform: zen5-2core, cores: 1, memory_size: 64GB, busy_power: 99W, accelerator: t4, "
         "cost: "
         "table",
         NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err;
        struct study *study = with_table(cases[i].models, cases[i].model, cases[i].group, &err);
        ck_assert_str_eq(err.text, cases[i].wrong ? cases[i].wrong : "");
        ck_assert(cases[i].wrong || strcmp(study->groups[0].cost_configs[0].measured->name,
                                           "rmc1-repo-zen5-2core") == 0);
        if (study)
            mem_free(round_trip_text(study, &library));
    }
}
END_TEST

// What is missing for offloading is said: an accelerator, or its times.
START_TEST(no_accelerator_times)
{
    struct err err;
    ck_assert_ptr_null(
        parse("4", ", scheduler: {policy: fixed, batch_items: 64, offload_items: 9}", &err));
    ck_assert_ptr_nonnull(strstr(err.text, "offload_items: the group has no accelerator for "));
    ck_assert_ptr_null(
        parse("4",
              ", accelerator: t4, scheduler: {policy: fixed, batch_items: 64, offload_items: 9}"
              ", cost: {kind: synthetic, fixed: 1ms}",
              &err));
    ck_assert_ptr_nonnull(strstr(err.text, "offload_items: the synthetic cost has no accelerator "
                                           "times for service feed"));
    const char *const text =
        "duration: 1s\ntraffic: [{service: feed, model: ncf-repo, rate: 1qps}]"
        "\nfleet: {groups: [{platform: zen5-2core, servers: 1, accelerator: "
        "t4, scheduler: {policy: fixed, batch_items: 64, offload_items: 9}, cost: table}]}\n";
    ck_assert_ptr_null(study_parse("s.yaml", text, strlen(text), NULL, 0, &library, true, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "offload_items: the measured table "
                                           "\"ncf-repo-zen5-2core\" has no accelerator times"));
}
END_TEST

// A service has one exception of a kind, and no more.
START_TEST(exceptions_given_twice)
{
    assert_refused(
        ", scheduler: {services: [{service: feed}, {service: feed}]}",
        "s.yaml:3:100: fleet.groups[0].scheduler.services[1].service: service \"feed\" is "
        "there already");
    assert_refused(
        ", cost: {services: [{service: feed}, {service: feed}]}",
        "s.yaml:3:95: fleet.groups[0].cost.services[1].service: service \"feed\" is there "
        "already");
}
END_TEST

static void assert_batches(const char *scheduler, const char *message)
{
    struct err err = {0};
    char text[800];
    int length = snprintf(
        text, sizeof text,
        "duration: 1s\ntraffic: [{service: a, model: ncf, rate: 1qps}, {service: b, model: ncf, "
        "rate: 1qps}, {service: c, model: ncf, rate: 1qps}]\nfleet: {groups: [{platform: skylake, "
        "servers: 1, accelerator: gtx1080ti,\n  scheduler: {policy: batch, %s}}]}\n",
        scheduler);
    struct study *study =
        study_parse("s.yaml", text, (size_t)length, NULL, 0, &library, true, &err);
    ck_assert_str_eq(err.text, message);
    ck_assert_int_eq(!study, *message != '\0');
    study_destroy(study);
}

// All services of a server that use its accelerator say the same of how many batches it holds;
// those that do not use it say nothing.
START_TEST(one_accelerator_of_all)
{
    assert_batches("batch_items: 8, services: [{service: b, accel_items: 64, in_flight: 3}, "
                   "{service: c, accel_items: 8, in_flight: 3}]",
                   "");
    assert_batches("accel_items: 64, in_flight: 3, services: [{service: b, accel_items: 8}]", "");
    assert_batches("accel_items: 64, services: [{service: b, in_flight: 3}]",
                   "s.yaml:4:82: fleet.groups[0].scheduler.services[0].in_flight: expected 0, as "
                   "for the other services of the group, which share its accelerators; got 3");
    assert_batches("batch_items: 8, services: [{service: c, accel_items: 64, in_flight: 3}, "
                   "{service: b, accel_items: 64, in_flight: 2}]",
                   "s.yaml:4:143: fleet.groups[0].scheduler.services[1].in_flight: expected 3, as "
                   "for the other services of the group, which share its accelerators; got 2");
}
END_TEST

// A platform or an accelerator of one's own that lacks something is a known one, misspelt.
START_TEST(nearly_known_names)
{
    struct err err = {0};
    const char *text = "duration: 1s\ntraffic: [{service: feed, model: wnd, rate: 10qps}]\n"
                       "fleet: {groups: [{platform: skylak, cores: 20, servers: 4}]}\n";
    ck_assert_ptr_null(study_parse("s.yaml", text, strlen(text), NULL, 0, &library, true, &err));
    ck_assert_str_eq(err.text, "s.yaml:3:29: fleet.groups[0].platform: unknown platform "
                               "\"skylak\"; did you mean \"skylake\"?");
    assert_refused(", accelerator: {name: gtx1080t, streams: 2}",
                   "s.yaml:3:70: fleet.groups[0].accelerator.name: unknown accelerator "
                   "\"gtx1080t\"; did you mean \"gtx1080ti\"?");
    struct study *own = parsed(", name: own, cost: {kind: synthetic, fixed: 1ms}");
    study_destroy(own);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", price_has_a_unit},
                                       {"core", schedule_is_read},
                                       {"core", reads_back},
                                       {"errors", bad_schedules_are_refused},
                                       {"errors", exceptions_given_twice},
                                       {"errors", one_accelerator_of_all},
                                       {"errors", nearly_known_names},
                                       {"errors", empty_pool_is_refused},
                                       {"errors", other_tables_are_refused},
                                       {"errors", tables_are_matched_by_content},
                                       {"errors", no_accelerator_times}};
    if (library_load(&library, NULL) < 0)
        return 1;
    int failed = suite_run("study_fleet", tests, sizeof tests / sizeof *tests);
    library_release(&library);
    return failed;
}
