// SPDX-License-Identifier: Apache-2.0
#include "study/study_idle.h"

#include <string.h>

#include "base/mem.h"
#include "study/study.h"
#include "support/suite.h"

static struct library library; // of the whole program; set by main

// What is idle in a study of such parts: a line each.
static void assert_idle_in(const char *traffic, const char *groups, const char *rest,
                           const char *expected)
{
    char *text = mem_printf("duration: 1s\ntraffic: [%s]\nfleet: {groups: [%s]}\n%s\n", traffic,
                            groups, rest);
    char said[1000] = "";
    struct err err = {0};
    struct study *study = study_parse("s.yaml", text, strlen(text), NULL, 0, &library, true, &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    for (size_t i = 0; study_idle_next(study, &i, &err);)
        strcat(strcat(said, err.text), "\n");
    ck_assert_str_eq(said, expected);
    study_destroy(study);
    mem_free(text);
}

static void assert_idle(const char *groups, const char *rest, const char *expected)
{
    assert_idle_in("{service: a, model: wnd, rate: 9qps}", groups, rest, expected);
}

#define PLAIN "{platform: skylake, servers: 4}"

// A key that another one makes idle is told of, and not once that one is there.
START_TEST(keys_that_depend)
{
    assert_idle(PLAIN, "capacity: {objective: power, max_servers: 9, window: 2s}",
                "capacity.window: no effect; only with find: day or plan\n"
                "capacity.objective: no effect; only with find: plan\n");
    assert_idle(PLAIN, "capacity: {find: plan, objective: power, window: 2s, min_on: 2h}", "");
    assert_idle(PLAIN, "capacity: {find: plan, provisioning: [peak], min_on: 2h}",
                "capacity.min_on: no effect; only with find: plan and provisioning: follow\n");
    assert_idle(PLAIN, "failures: {retries: 2}",
                "failures.retries: no effect; nothing goes out of service\n");
    assert_idle(PLAIN, "failures: {mtbf: 1h, mttr: 1s, retry_delay: 1s}",
                "failures.retry_delay: no effect; only with outages and retries\n");
    assert_idle(PLAIN, "failures: {mtbf: 1h, mttr: 1s, retries: 2, retry_delay: 1s}", "");
}
END_TEST

// Keys of groups are those of one group.
START_TEST(keys_of_groups)
{
    assert_idle("{platform: skylake, servers: 4, weight: 2}", "",
                "fleet.groups[0].weight: no effect; only with other groups\n");
    assert_idle("{platform: skylake, servers: 4, weight: 2}, {platform: c5n, servers: 4, noise: "
                "{cv: 0.5}}",
                "",
                "fleet.groups[1].noise.cv: no effect; only with distribution: gamma or "
                "lognormal\n");
    assert_idle("{platform: skylake, servers: 4, noise: {distribution: gamma, cv: 0.5}}", "", "");
    assert_idle("{platform: skylake, servers: 4, slow_frac: 0.5, noise: {correlation_time: 2ms, "
                "correlated_frac: 0.6}}",
                "",
                "fleet.groups[0].slow_frac: no effect; only with a slow_factor above 1\n"
                "fleet.groups[0].noise.correlation_time: no effect; only with a distribution\n"
                "fleet.groups[0].noise.correlated_frac: no effect; only with a correlation_time\n");
    assert_idle("{platform: skylake, servers: 4, slow_factor: 2}", "",
                "fleet.groups[0].slow_factor: no effect; only with a slow_frac above 0\n");
    assert_idle("{platform: skylake, servers: 4, slow_frac: 25%, slow_factor: 2, noise: "
                "{distribution: exponential, correlation_time: 2ms, correlated_frac: 0.6}}",
                "", "");
}
END_TEST

// A history counts where any group's cost depends on one, on whatever part of its servers.
START_TEST(histories)
{
    const char *const two = "{service: a, rate: 9qps, history: {distribution: fixed, items: 9}}, "
                            "{service: b, rate: 9qps}";
    const char *const none = "traffic[0].history: no effect; the cost of service a depends on no "
                             "history\n";
    assert_idle_in(two, "{cores: 4, servers: 1, cost: {kind: synthetic, per_item: 1us}}", "", none);
    assert_idle_in("{service: a, model: wnd, rate: 9qps, history: {distribution: fixed, items: 9}}",
                   PLAIN, "", none);
    assert_idle_in(two,
                   "{cores: 4, servers: 1, cost: {kind: synthetic, per_item: 1us}}, {name: other, "
                   "cores: 4, servers: 1, cost: {kind: synthetic, services: [{service: a, "
                   "per_item: 1us, per_history: 1us}, {service: b, per_item: 1us}]}}",
                   "", "");
    assert_idle_in(two,
                   "{cores: 4, servers: 1, accelerator: t4, cost: {kind: synthetic, services: "
                   "[{service: a, per_item: 1us, accel_per_item: 1us, accel_per_history: 1us}, "
                   "{service: b, per_item: 1us}]}}",
                   "", "");
}
END_TEST

// Defaults are never idle, written or not.
START_TEST(defaults)
{
    assert_idle(PLAIN, "", "");
    assert_idle(PLAIN, "capacity: {objective: servers, windows: 4}\nfailures: {retries: 0}", "");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", keys_that_depend},
                                       {"core", keys_of_groups},
                                       {"core", histories},
                                       {"limits", defaults}};
    if (library_load(&library, NULL) < 0)
        return 1;
    int failed = suite_run("study_idle", tests, sizeof tests / sizeof *tests);
    library_release(&library);
    return failed;
}
