// SPDX-License-Identifier: Apache-2.0
// The table of schedulers. What split does with queries is held by test_server, test_server_outages
// and the oracle beside them.
#include "cluster/sched.h"

#include <string.h>

#include "cluster/cpu.h"
#include "cluster/fixture.h"
#include "support/suite.h"

// Every scheduler is found by its name and by each of its ways, and describes its settings.
START_TEST(table)
{
    for (int i = 0; sched_types[i]; i++) {
        const struct sched_type *type = sched_types[i];
        ck_assert_int_eq(sched_find(type->name), i);
        ck_assert(strlen(type->help) > 0);
        ck_assert_str_eq(type->fields[0].key, "policy");
        for (const char *const *way = type->fields[0].choices; *way; way++)
            ck_assert_int_eq(sched_find_policy(*way), i);
        for (const struct field *f = type->fields; f->key; f++) {
            ck_assert_ptr_nonnull(f->dflt);
            ck_assert(strlen(f->help) > 0);
        }
    }
    ck_assert_str_eq(sched_types[0]->name, "split");
    ck_assert_int_eq(sched_find("spilt"), -1);
    ck_assert_int_eq(sched_find_policy("split"), -1); // no way of its own name
}
END_TEST

// The static way splits the largest query over all cores; the fixed one is as it was. Resolved
// settings are all of one way, so that equal ones are equal.
START_TEST(split_resolves)
{
    struct settings settings = settings_of(sched_split.fields, NULL);
    settings_set_number(&settings, "offload_items", 300);
    sched_split.resolve(settings.values, 999, 40);
    struct settings wanted = sched_plain(&sched_split, 25, 1);
    settings_set_number(&wanted, "offload_items", 300);
    ck_assert(settings_equal(&settings, &wanted));
    sched_split.resolve(settings.values, 300, 8);
    ck_assert(settings_equal(&settings, &wanted));
    struct dispatch_config needs = sched_split.needs(settings_values(&settings));
    ck_assert_int_eq(needs.batch_items, 25);
    ck_assert_int_eq(needs.offload_items, 300);
    sched_split.resolve(settings.values, 299, 8); // no query is as large
    ck_assert_int_eq(sched_needs(&settings).offload_items, 0);
}
END_TEST

// Settings know their scheduler. What needs an accelerator is off without one, and settings that
// make the same server of queries of at most 100 items get one form.
START_TEST(split_fits)
{
    const int64_t given[][2] = {{4000, 0}, {4000, 101}, {64, 40}, {64, 1}, {9, 40}};
    const int64_t simple[][2] = {{100, 0}, {100, 0}, {39, 40}, {1, 1}, {9, 40}};
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        struct settings settings = sched_plain(&sched_split, given[i][0], 1);
        settings_set_number(&settings, "offload_items", (double)given[i][1]);
        ck_assert_ptr_eq(sched_of(&settings), &sched_split);
        struct settings without = sched_fit(&settings, false), with = sched_fit(&settings, true);
        ck_assert(settings_equal(&with, &settings));
        ck_assert_int_eq(sched_needs(&without).batch_items, given[i][0]);
        ck_assert_int_eq(sched_needs(&without).offload_items, 0);
        sched_split.simplify(settings.values, 100);
        ck_assert_int_eq(sched_needs(&settings).batch_items, simple[i][0]);
        ck_assert_int_eq(sched_needs(&settings).offload_items, simple[i][1]);
    }
    ck_assert_ptr_null(sched_of(&(struct settings){0}));
}
END_TEST

// Of queues: a core's request is not larger than the query, and where only the accelerator takes
// batches there are no requests.
START_TEST(queue_fits)
{
    const char *const texts[] = {"policy: pull, batch_items: 4000, accel_items: 9",
                                 "policy: coalesce, batch_items: 4000, accel_items: 9",
                                 "policy: batch, batch_items: 4000",
                                 "policy: batch, batch_items: 4000, accel_items: 9"};
    const int64_t simple[] = {100, 4000, 4000, 1};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct settings settings = sched_plain(&sched_queue, 1, 1);
        ck_assert_int_eq(settings_parse(&settings, texts[i], NULL), 0);
        sched_queue.simplify(settings.values, 100);
        ck_assert_int_eq(settings_whole(&settings, "batch_items"), simple[i]);
    }
}
END_TEST

// How cores take from what waits: requests of one query with split and pull, of several with
// coalesce. With an accelerator there is more to it than that.
START_TEST(takes)
{
    struct batcher_rule rule;
    enum order order;
    struct settings split = sched_plain(&sched_split, 40, 1);
    ck_assert(sched_split.takes(settings_values(&split), &rule, &order));
    ck_assert(rule.used && rule.splits && !rule.merges);
    ck_assert_uint_eq(rule.most_items, 40);
    ck_assert_int_eq(order, ORDER_FCFS);
    settings_set_number(&split, "offload_items", 7);
    ck_assert(!sched_split.takes(settings_values(&split), &rule, &order));
    struct settings queue = sched_plain(&sched_queue, 40, 1);
    settings_set_number(&queue, "policy", 1); // coalesce
    settings_set_number(&queue, "batch_queries", 3);
    settings_set_number(&queue, "order", ORDER_SHORTEST);
    ck_assert(sched_queue.takes(settings_values(&queue), &rule, &order));
    ck_assert(rule.merges && rule.splits);
    ck_assert_uint_eq(rule.most_queries, 3);
    ck_assert_int_eq(order, ORDER_SHORTEST);
    settings_set_number(&queue, "accel_items", 64);
    ck_assert(!sched_queue.takes(settings_values(&queue), &rule, &order));
}
END_TEST

// A group's servers need what its settings say, and complete nothing before the shortest service.
START_TEST(of_a_group)
{
    struct fixture fixture;
    fixture_init(&fixture, 2, 1);
    fixture_set_batch(&fixture, 1, 7);
    fixture_ready(&fixture);
    const struct svctab *const *tabs = (const struct svctab *const *)fixture.tabs;
    ck_assert_int_eq(sched_dispatch(&fixture.groups[0], 0).batch_items, 32);
    ck_assert_int_eq(sched_dispatch(&fixture.groups[0], 1).batch_items, 7);
    ck_assert_int_eq(sched_least_service_ns(&fixture.groups[0], tabs, 2), 6000);
    fixture_release(&fixture);
}
END_TEST

// A batch of no items is one item: a query is always some requests.
START_TEST(split_of_nothing)
{
    struct settings settings = settings_of(sched_split.fields, NULL);
    sched_split.resolve(settings.values, 0, 8);
    ck_assert_int_eq(settings_whole(&settings, "batch_items"), 1);
}
END_TEST

// What a study gave has to fit together: a batch is for the fixed way, which it implies and which
// needs one.
START_TEST(split_checks)
{
    enum { POLICY = 1, BATCH = 2 };
    struct settings settings = settings_of(sched_split.fields, NULL);
    struct err err;
    ck_assert_int_eq(sched_split.check(settings.values, BATCH, &err), 0);
    ck_assert_int_eq(settings_whole(&settings, "policy"), 1);
    ck_assert_int_eq(sched_split.check(settings.values, POLICY, &err), -1);
    ck_assert_str_eq(err.text, "batch_items: missing; expected a number of items such as \"64\"");
    settings_set_number(&settings, "policy", 0);
    ck_assert_int_eq(sched_split.check(settings.values, POLICY | BATCH, &err), -1);
    ck_assert_str_eq(err.text, "batch_items: only with policy: fixed");
    ck_assert(sched_split.is_implied(settings.values, &sched_split.fields[1]));
    ck_assert(!sched_split.is_implied(settings.values, &sched_split.fields[2]));
}
END_TEST

// What the cores of a fleet's one group run on, as a block of its servers would have it.
static struct sched_cores cores_of(struct fixture *fixture)
{
    fixture_ready(fixture);
    const struct sched_setup setup = {.fleet = &fixture->config,
                                      .group = &fixture->groups[0],
                                      .n_servers = 4,
                                      .tabs = (const struct svctab *const *)fixture->tabs,
                                      .slow_tabs = fixture_slow_tabs(fixture, 0),
                                      .kernel = &cpu_portable};
    const struct sched_cores cores = sched_cores(&setup);
    fixture_release(fixture);
    return cores;
}

// Near lanes as long as they hold all that the times depend on, for all services; far ones for
// noise, many cores and services that differ in kind; warm ones for cold cores and histories.
START_TEST(cores)
{
    enum { FIXED, BUSY, MIXED, NOISY, SLOW, MANY_CORES, COLD, HISTORY, N_CASES };
    const struct sched_cores wanted[N_CASES] = {
        [FIXED] = {CPU_LANES_NEAR, cpu_portable.assign_fixed},
        [BUSY] = {CPU_LANES_NEAR, cpu_portable.assign_busy},
        [MIXED] = {CPU_LANES_FAR, cpu_portable.assign_general},
        [NOISY] = {CPU_LANES_FAR, cpu_portable.assign_general},
        [SLOW] = {CPU_LANES_NEAR, cpu_portable.assign_fixed},
        [MANY_CORES] = {CPU_LANES_FAR, cpu_portable.assign_general},
        [COLD] = {CPU_LANES_WARM, cpu_portable.assign_cold},
        [HISTORY] = {CPU_LANES_WARM, cpu_portable.assign_cold}};
    for (int i = 0; i < N_CASES; i++) {
        struct fixture fixture;
        fixture_init(&fixture, 2, 1);
        fixture.cost_configs[0].contention_frac = i == BUSY ? 0.6 : 0;
        fixture.cost_configs[1].contention_frac = i == BUSY || i == MIXED ? 0.6 : 0;
        if (i == NOISY)
            fixture.groups[0].noise = (struct noise_config){SPREAD_GAMMA, 0.7, 0, 0};
        if (i == SLOW)
            fixture.groups[0].slow = (struct slow_config){.frac = 0.4, .factor = 1.7};
        if (i == MANY_CORES)
            fixture.platforms[0].cores = CPU_NARROW_CORES + 1;
        if (i == COLD) {
            fixture.cost_configs[1].cold_factor = 2;
            fixture.cost_configs[1].cooling_s = fixture.cost_configs[1].warming_s = 1e-3;
        }
        if (i == HISTORY) {
            fixture.services[1].traffic.has_history = true;
            fixture.services[1].traffic.history = (struct size_config){
                .distribution = qsize_find("lognormal"), .mu = 3, .sigma = 1, .max_items = 200};
            fixture.cost_configs[1].history_item_s = 1e-7;
        }
        const struct sched_cores cores = cores_of(&fixture);
        ck_assert_msg(cores.lanes == wanted[i].lanes, "case %d: lanes %d", i, (int)cores.lanes);
        ck_assert_msg(cores.assign == wanted[i].assign, "case %d: another function", i);
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", table},         {"core", split_resolves},
                                       {"core", split_fits},    {"core", queue_fits},
                                       {"core", takes},         {"core", of_a_group},
                                       {"core", cores},         {"limits", split_of_nothing},
                                       {"errors", split_checks}};
    return suite_run("sched", tests, sizeof tests / sizeof *tests);
}
