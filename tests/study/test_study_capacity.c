// SPDX-License-Identifier: Apache-2.0
#include "study/study_capacity.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "study/round_trip.h"
#include "study/study.h"
#include "support/suite.h"

static struct library library; // of the whole program; set by main

#define TRAFFIC "traffic: [{service: feed, model: wnd, rate: 10qps, sla: {p95: 25ms}}]\n"
#define FLEET                                                                                      \
    "fleet:\n"                                                                                     \
    "  cells: 4\n"                                                                                 \
    "  groups:\n"                                                                                  \
    "    - {name: a, platform: skylake, servers: 8, price: 0.43usd/h}\n"                           \
    "    - {name: b, platform: broadwell, servers: 4}\n"

static struct study *parse(const char *traffic, const char *capacity, struct err *err)
{
    char *text = mem_printf("duration: 1s\n%s" FLEET "capacity: %s\n", traffic, capacity);
    *err = (struct err){0};
    struct study *study = study_parse("s.yaml", text, strlen(text), NULL, 0, &library, true, err);
    mem_free(text);
    return study;
}

static struct study *parsed(const char *traffic, const char *capacity)
{
    struct err err;
    struct study *study = parse(traffic, capacity, &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    return study;
}

// The study is refused when it is read; all of it stands in line 8 here.
static void assert_refused(const char *capacity, const char *line)
{
    struct err err;
    ck_assert_msg(parse(TRAFFIC, capacity, &err) == NULL, "%s was accepted", capacity);
    ck_assert_str_eq(err.text, line);
    ck_assert_int_eq(err.code, ERR_STUDY);
}

// The study is read, but not searched.
static void assert_unfit(const char *traffic, const char *capacity, const char *line)
{
    struct err err = {0};
    struct study *study = parsed(traffic, capacity);
    ck_assert_msg(study_capacity_check(study, &err) == -1, "%s was accepted", capacity);
    ck_assert_str_eq(err.text, line);
    ck_assert_int_eq(err.code, ERR_STUDY);
    study_destroy(study);
}

static void assert_fit(const char *traffic, const char *capacity)
{
    struct err err = {0};
    struct study *study = parsed(traffic, capacity);
    ck_assert_msg(study_capacity_check(study, &err) == 0, "%s", err.text);
    study_destroy(study);
}

// Without the section: the fewest servers, as the study runs them, for a day of hours.
START_TEST(defaults)
{
    struct study *study = parsed(TRAFFIC, "");
    const struct study_capacity *capacity = &study->capacity;
    ck_assert_int_eq(capacity->find, FIND_SERVERS);
    ck_assert_str_eq(capacity->schedulers, "fixed");
    ck_assert_double_eq(capacity->headroom_frac, 0);
    ck_assert_double_eq(capacity->margin_frac, 0.1);
    ck_assert_uint_eq(capacity->cells_down.n, 1);
    ck_assert_double_eq(capacity->cells_down.v[0], 0);
    ck_assert_double_eq(capacity->accuracy_frac, 0.02);
    ck_assert_int_eq(capacity->max_servers, 1000000);
    ck_assert_uint_eq(study_capacity_intervals(capacity), 24);
    ck_assert_int_eq(capacity->objective, OBJECTIVE_SERVERS);
    ck_assert_str_eq(capacity->allocations, "blind, greedy, optimal");
    ck_assert_str_eq(capacity->provisioning, "peak, follow");
    ck_assert_double_eq(capacity->startup_s, 300);
    ck_assert_double_eq(capacity->min_on_s, 3600);
    ck_assert_uint_eq(capacity->carbon_g_per_kwh.n, 0);
    ck_assert_int_eq(study_capacity_check(study, NULL), 0);
    study_destroy(study);
}
END_TEST

// Every key is read, in its unit.
START_TEST(keys_are_read)
{
    struct study *study =
        parsed(TRAFFIC,
               "{find: plan, schedulers: [fixed, deeprecsched], headroom: 10%, margin: 25%, "
               "cells_down: [0, "
               "2], queries: 5000, max_queries: 90000, day: 12h, interval: 30min, windows: 3, "
               "window: 2min, warmup: 5s, cells: 2, objective: carbon, allocations: optimal, "
               "provisioning: [follow], startup: 1min, min_on: 2h, carbon_g_per_kwh: [420, 250]}");
    const struct study_capacity *capacity = &study->capacity;
    char name[32];
    ck_assert_int_eq(capacity->find, FIND_PLAN);
    ck_assert(study_capacity_name(capacity->schedulers, 1, name, sizeof name));
    ck_assert_str_eq(name, "deeprecsched");
    ck_assert(!study_capacity_name(capacity->schedulers, 2, name, sizeof name));
    ck_assert_double_eq(capacity->headroom_frac, 0.1);
    ck_assert_double_eq(capacity->margin_frac, 0.25);
    ck_assert_double_eq(capacity->cells_down.v[1], 2);
    ck_assert_uint_eq(study_capacity_intervals(capacity), 24);
    ck_assert_double_eq(capacity->window_s, 120);
    ck_assert_int_eq(capacity->objective, OBJECTIVE_CARBON);
    ck_assert_str_eq(capacity->allocations, "optimal");
    ck_assert_str_eq(capacity->provisioning, "follow");
    ck_assert_double_eq(capacity->carbon_g_per_kwh.v[0], 420);
    ck_assert_int_eq(study_capacity_check(study, NULL), 0);
    study_destroy(study);
}
END_TEST

// What is written of it reads back to the same.
START_TEST(reads_back)
{
    struct study *study = parsed(TRAFFIC, "{find: day, schedulers: [static, exhaustive], "
                                          "cells_down: [1, 3], carbon: [420g/kWh, 0], window: 9s}");
    char *text = round_trip_text(study, &library);
    ck_assert_ptr_nonnull(strstr(text, "  carbon: [420g/kWh, 0]\n"));
    mem_free(text);
}
END_TEST

// 1.2 / 0.1 is a little less than 12 in floating point, and 12 intervals all the same; what leaves
// a rest, or is too fine, is refused.
START_TEST(intervals_are_whole)
{
    struct study *study = parsed(TRAFFIC, "{day: 1.2s, interval: 0.1s}");
    ck_assert_uint_eq(study_capacity_intervals(&study->capacity), 12);
    study_destroy(study);
    assert_refused("{interval: 7h}", "s.yaml:8:22: capacity.interval: expected a whole number of "
                                     "them in the day of 86400s, got 25200s");
    assert_refused("{interval: 25h}", "s.yaml:8:22: capacity.interval: expected a whole number of "
                                      "them in the day of 86400s, got 90000s");
    assert_refused("{interval: 100ms}", "s.yaml:8:22: capacity.interval: expected at most 10000 of "
                                        "them in the day of 86400s, got 100ms");
}
END_TEST

// Bounds that contradict each other are refused whatever is looked for.
START_TEST(contradictory_bounds)
{
    assert_refused("{queries: 9000, max_queries: 8000}",
                   "s.yaml:8:40: capacity.max_queries: expected at least queries (9000), got 8000");
    assert_refused("{cells: 5}",
                   "s.yaml:8:19: capacity.cells: expected at most the fleet's 4, got 5");
    assert_refused("{find: plan, min_on: 25h}",
                   "s.yaml:8:32: capacity.min_on: expected at most the day of 86400s, got 90000s");
    assert_refused(
        "{find: plan, startup: 2d}",
        "s.yaml:8:33: capacity.startup: expected at most the day of 86400s, got 172800s");
    assert_refused("{warmup: 2h}",
                   "s.yaml:8:20: capacity.warmup: expected at most the interval of 3600s, got "
                   "7200s");
    assert_refused("{window: 20min}", "s.yaml:8:20: capacity.window: 4 windows of this length do "
                                      "not fit the interval of 3600s");
}
END_TEST

// Cells that are down are whole, ascending, and fewer than there are.
START_TEST(cells_down_fit_the_fleet)
{
    assert_refused("{cells_down: [0, 4]}", "s.yaml:8:24: capacity.cells_down: expected less than "
                                           "the fleet's 4 cells, got 4");
    assert_refused("{cells_down: [0.5]}",
                   "s.yaml:8:24: capacity.cells_down: expected whole cells, got 0.5");
    assert_refused("{cells_down: [1, 1]}",
                   "s.yaml:8:24: capacity.cells_down: expected ascending numbers, got 1 after 1");
    assert_refused("{cells_down: []}",
                   "s.yaml:8:24: capacity.cells_down: empty; expected at least one number");
}
END_TEST

// Names are known ones, each once; the reference's random walk is none of the schedulers.
START_TEST(names_are_known)
{
    assert_refused("{schedulers: [fixd]}", "s.yaml:8:25: capacity.schedulers[0]: unknown scheduler "
                                           "\"fixd\"; did you mean \"fixed\"?");
    assert_refused("{schedulers: [reference]}",
                   "s.yaml:8:25: capacity.schedulers[0]: unknown scheduler \"reference\"; expected "
                   "one of static, fixed, deeprecsched, exhaustive");
    assert_refused("{schedulers: [fixed, fixed]}",
                   "s.yaml:8:32: capacity.schedulers[1]: scheduler fixed is there already");
    assert_refused("{allocations: []}",
                   "s.yaml:8:25: capacity.allocations: empty; expected at least one allocation");
    assert_refused("{provisioning: {a: b}}",
                   "s.yaml:8:26: capacity.provisioning: expected a list of strategies, got a map");
    assert_refused("{find: server}", "s.yaml:8:18: capacity.find: expected one of servers, cores, "
                                     "load, day, plan, got \"server\"; did you mean \"servers\"?");
}
END_TEST

// Numbers with a dimension need their unit.
START_TEST(units_are_needed)
{
    assert_refused("{startup: 300}",
                   "s.yaml:8:21: capacity.startup: expected a time such as \"25ms\", got \"300\"");
    assert_refused("{carbon: [420]}", "s.yaml:8:20: capacity.carbon: element 0: expected a carbon "
                                      "intensity such as \"420g/kWh\", got \"420\"");
    assert_refused("{carbon_g_per_kwh: [-1]}",
                   "s.yaml:8:30: capacity.carbon_g_per_kwh: element 0: expected a list, each a "
                   "carbon intensity such as \"420g/kWh\" from 0 to 100000g/kWh, got "
                   "\"-1g_per_kwh\"");
}
END_TEST

// All but a day need a target of every service.
START_TEST(targets_are_needed)
{
    const char *const traffic = "traffic: [{service: feed, model: wnd, rate: 10qps}]\n";
    const char *const line = "s.yaml: capacity: service \"feed\" has no latency target; give "
                             "traffic[0].sla";
    assert_unfit(traffic, "{find: servers}", line);
    assert_unfit(traffic, "{find: load}", line);
    assert_unfit(traffic, "{find: plan}", line);
    assert_fit(traffic, "{find: day}");
    assert_unfit(traffic, "{find: day, schedulers: deeprecsched}",
                 "s.yaml: tune: service \"feed\" has no latency target; give traffic[0].sla");
}
END_TEST

// A search must be allowed what there is, and runs long enough to see a late query.
START_TEST(bounds_allow_what_there_is)
{
    assert_unfit(TRAFFIC, "{max_servers: 3}",
                 "s.yaml: capacity.max_servers: expected at least one per cell (4), got 3");
    assert_unfit(TRAFFIC, "{max_servers: 7}",
                 "s.yaml: capacity.max_servers: expected at least what there is "
                 "(fleet.groups[0].servers: 8), got 7");
    assert_fit(TRAFFIC, "{max_servers: 8}");
    assert_fit(TRAFFIC, "{max_servers: 7, find: load}");
    assert_unfit("traffic: [{service: feed, model: wnd, rate: 10qps, sla: {p99.9: 25ms}}]\n",
                 "{queries: 1000, max_queries: 4000}",
                 "s.yaml: capacity.max_queries: 4000 are too few for the target to be decided; "
                 "expected at least 4445"); // 4 late of 0.1 % of nine tenths
}
END_TEST

// Cores are those of one kind of server.
START_TEST(cores_are_of_one_group)
{
    assert_unfit(TRAFFIC, "{find: cores}",
                 "s.yaml: capacity.find: cores are counted in a fleet of one group; this one has "
                 "2");
}
END_TEST

// An objective needs what it adds up.
START_TEST(objectives_need_their_data)
{
    assert_unfit(TRAFFIC, "{find: plan, objective: cost}",
                 "s.yaml: capacity.objective: cost: group \"b\" has no price; give "
                 "fleet.groups[1].price");
    assert_unfit(TRAFFIC, "{find: plan, objective: carbon}",
                 "s.yaml: capacity.carbon: missing; expected carbon intensities over the day such "
                 "as [420g/kWh, 250g/kWh]");
    assert_fit(TRAFFIC, "{find: plan, objective: power}");
    assert_fit(TRAFFIC, "{find: load, objective: cost}"); // that finds no plan
}
END_TEST

// A trace that ends before the day does has a gap.
START_TEST(gaps_are_refused)
{
    const char *const name = "test_study_capacity.csv";
    FILE *file = fopen(name, "w");
    fputs("0,1\n1800,1\n3601,1\n", file);
    fclose(file);
    char *traffic = mem_printf("traffic: [{service: feed, model: wnd, sla: {p95: 25ms}, arrivals: "
                               "{process: replay, file: %s}}]\n",
                               name);
    assert_unfit(traffic, "{find: day}",
                 "s.yaml: traffic[0].arrivals: file: a gap: the trace ends at 3601s of a day of "
                 "86400s; expected capacity.day and capacity.interval no longer than the trace, "
                 "repeat: true to start it over, or a longer trace");
    assert_fit(traffic, "{find: day, day: 1h, interval: 1h}");
    unlink(name);
    mem_free(traffic);
}
END_TEST

// The requests of `static` are its own: 4 cores share 100 items, and the table ends at 20.
START_TEST(static_needs_its_times)
{
    for (int allowed = 0; allowed < 2; allowed++) {
        char *text = mem_printf(
            "duration: 1s\ntraffic: [{service: a, rate: 9qps, sizes: {distribution: fixed, items: "
            "100}, sla: {p95: 25ms}}]\ntables: [{name: t, model: m, platform: p, batches_items: "
            "[1, 20], busy_cores: [1], seconds: [1ms, 2ms]}]\nfleet: {groups: [{cores: 4, servers: "
            "1, scheduler: {batch_items: 10}, cost: {kind: table, table: t%s}}]}\n"
            "capacity: {schedulers: [static]}\n",
            allowed ? ", outside: clamp" : "");
        struct err err = {0};
        struct study *study =
            study_parse("s.yaml", text, strlen(text), NULL, 0, &library, true, &err);
        ck_assert_msg(study != NULL, "%s", err.text);
        ck_assert_int_eq(study_capacity_check(study, &err), allowed - 1);
        if (!allowed)
            ck_assert_str_eq(err.text,
                             "s.yaml: capacity.schedulers: static: \"t\" has batches of 1 to 20 "
                             "items, and service a has requests of 25; outside: clamp takes the "
                             "nearest time, extend the last slope");
        study_destroy(study);
        mem_free(text);
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", defaults},
                                       {"core", keys_are_read},
                                       {"core", reads_back},
                                       {"limits", intervals_are_whole},
                                       {"errors", contradictory_bounds},
                                       {"errors", cells_down_fit_the_fleet},
                                       {"errors", names_are_known},
                                       {"errors", units_are_needed},
                                       {"errors", targets_are_needed},
                                       {"errors", bounds_allow_what_there_is},
                                       {"errors", cores_are_of_one_group},
                                       {"errors", objectives_need_their_data},
                                       {"errors", static_needs_its_times},
                                       {"errors", gaps_are_refused}};
    if (library_load(&library, NULL) < 0)
        return 1;
    int failed = suite_run("study_capacity", tests, sizeof tests / sizeof *tests);
    library_release(&library);
    return failed;
}
