// SPDX-License-Identifier: Apache-2.0
#include "study/mistakes.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "study/library.h"
#include "study/study.h"
#include "support/suite.h"

static struct library library; // of the whole program; set by main

static void assert_mistakes(const char *text, const char *const *lines, size_t n)
{
    struct mistakes found = {0};
    study_mistakes("s.yaml", text, strlen(text), NULL, 0, &library, true, &found);
    mistakes_sort(&found);
    for (size_t i = 0; i < found.n && i < n; i++)
        ck_assert_str_eq(found.v[i].text, lines[i]);
    ck_assert_msg(found.n == n, "%zu mistakes, first beyond: %s", found.n,
                  found.n > n ? found.v[n].text : "");
    mistakes_release(&found);
}

// One line for each slip, in every section, in the order of the text.
START_TEST(all_sections)
{
    const char *const lines[] = {
        "s.yaml:1:11: duration: expected a time such as \"25ms\", got \"2\"",
        "s.yaml:2:1: bnis: unknown key; did you mean \"bins\"?",
        "s.yaml:4:25: traffic[0].model: unknown model \"wndd\"; did you mean \"wnd\"?",
        "s.yaml:4:31: traffic[0].rat: unknown key; did you mean \"rate\"?",
        "s.yaml:5:24: traffic[1].rate: expected a rate such as \"12000qps\", got \"x\"",
        "s.yaml:5:38: traffic[1].sla.p95: expected a time such as \"25ms\", got \"3W\"",
        "s.yaml:8:18: fleet.groups[0].platform: unknown platform \"skylark\"; did you mean "
        "\"skylake\"?",
        "s.yaml:8:36: fleet.groups[0].servers: an empty server pool; expected at least 1 server",
        "s.yaml:8:51: fleet.groups[0].noise.cv: expected a number from 0 to 100, got \"-1\"",
        "s.yaml:9:20: balancer.policy: unknown balancer policy \"randon\"; did you mean "
        "\"random\"?",
        "s.yaml:9:28: balancer.status_dely: unknown key; did you mean \"status_delay\"?",
        "s.yaml:10:19: tune.policies[0]: unknown tuning policy \"statc\"; did you mean \"static\"?",
        "s.yaml:11:14: checkpoint.evry: unknown key; did you mean \"every\"?",
    };
    assert_mistakes("duration: 2\n"
                    "bnis: 3\n"
                    "traffic:\n"
                    "  - {service: a, model: wndd, rat: 9qps}\n"
                    "  - {service: b, rate: x, sla: {p95: 3W}}\n"
                    "fleet:\n"
                    "  groups:\n"
                    "    - {platform: skylark, servers: 0, noise: {cv: -1}}\n"
                    "balancer: {policy: randon, status_dely: 3us}\n"
                    "tune: {policies: [statc]}\n"
                    "checkpoint: {evry: 1min}\n",
                    lines, sizeof lines / sizeof *lines);
}
END_TEST

// What depends on a mistake is no mistake: no second line for the key that was meant, for the cost
// of a model that is not known, for the group and service that others name.
START_TEST(one_slip_one_line)
{
    const char *const service[] = {"s.yaml:2:12: traffic[0].servce: unknown key; did you mean "
                                   "\"service\"?"};
    assert_mistakes("duration: 1s\n"
                    "traffic: [{servce: a, model: wnd, rate: 9qps}]\n"
                    "fleet: {groups: [{platform: skylake, servers: 4}]}\n"
                    "tune: {service: a}\n",
                    service, 1);
    const char *const model[] = {
        "s.yaml:2:31: traffic[0].model: unknown model \"wndd\"; did you mean \"wnd\"?"};
    assert_mistakes("duration: 1s\n"
                    "traffic: [{service: a, model: wndd, rate: 9qps}]\n"
                    "fleet: {groups: [{platform: skylake, servers: 4}]}\n",
                    model, 1);
    const char *const group[] = {"s.yaml:3:39: fleet.groups[0].platform: unknown platform "
                                 "\"skylak\"; did you mean \"skylake\"?"};
    assert_mistakes("duration: 1s\n"
                    "traffic: [{service: a, model: wnd, rate: 9qps}]\n"
                    "fleet: {cells: 3, groups: [{platform: skylak, servers: 2}]}\n"
                    "tune: {group: skylake}\n"
                    "failures: {events: [{at: 1s, for: 1s, group: skylake, server: 3}]}\n",
                    group, 1);
}
END_TEST

// A study that is right has none, and a list takes a text once and no more than it has room for.
START_TEST(bounds)
{
    assert_mistakes("duration: 1s\n"
                    "traffic: [{service: a, model: wnd, rate: 9qps}]\n"
                    "fleet: {groups: [{platform: skylake, servers: 4}]}\n",
                    NULL, 0);
    struct mistakes list = {0};
    char text[32];
    for (int i = 0; i < MISTAKES_MAX; i++) {
        snprintf(text, sizeof text, "s:%d:7: x", MISTAKES_MAX - i);
        ck_assert_int_eq(mistakes_add(&list, NULL, text), 0);
        ck_assert_int_eq(mistakes_add(&list, NULL, text), 0);
    }
    ck_assert_uint_eq(list.n, MISTAKES_MAX);
    ck_assert_int_eq(mistakes_add(&list, NULL, "one more"), -1);
    mistakes_sort(&list);
    ck_assert_str_eq(list.v[0].text, "s:1:7: x");
    ck_assert_int_eq(list.v[11].line, 12);
    mistakes_release(&list);
}
END_TEST

// A text that is no document has one, and a key that is there twice does not hide the others.
START_TEST(no_document)
{
    const char *const broken[] = {"s.yaml:1:4: anchors and aliases are not supported"};
    assert_mistakes("a: &a [x]\n", broken, 1);
    const char *const twice[] = {"s.yaml:2:1: duration: duplicate key, first given in line 1",
                                 "s.yaml:5:1: nam: unknown key; did you mean \"name\"?"};
    assert_mistakes("duration: 1s\n"
                    "duration: 2s\n"
                    "traffic: [{service: a, model: wnd, rate: 9qps}]\n"
                    "fleet: {groups: [{platform: skylake, servers: 4}]}\n"
                    "nam: x\n",
                    twice, 2);
}
END_TEST

// What names a thing that an entry with a mistake, or a misspelt section, was to define is no
// second mistake; a name that is wrong for itself is.
START_TEST(only_the_cause)
{
    static const struct {
        const char *text, *lines[3];
    } cases[] = {
        {"models: [{name: mine, like: wndd}, {name: more, like: mine}]\n"
         "traffic: [{service: a, model: mine, rate: 9qps, sla: low}, {service: b, model: wnb, "
         "rate: "
         "9qps}]\n"
         "fleet: {groups: [{platform: skylake, servers: 1}]}\n",
         {"s.yaml:2:29: models[0].like: unknown model \"wndd\"; did you mean \"wnd\"?",
          "s.yaml:3:80: traffic[1].model: unknown model \"wnb\"; did you mean \"wnd\"?"}},
        {"models: {name: mine, like: wnd}\ntraffic: [{service: a, model: mine, rate: 9qps}]\n"
         "fleet: {groups: [{platform: skylake, servers: 1}]}\n",
         {"s.yaml:2:9: models: expected a list, got a map"}},
        {"modls: [{name: mine, like: wnd}]\ntraffic: [{service: a, model: mine, rate: 9qps}]\n"
         "fleet: {groups: [{platform: skylake, servers: 1}]}\n",
         {"s.yaml:2:1: modls: unknown key; did you mean \"models\"?"}},
        {"models: [{nam: mine, like: wnd}]\ntraffic: [{service: a, model: mine, rate: 9qps}]\n"
         "fleet: {groups: [{platform: skylake, servers: 1}]}\n",
         {"s.yaml:2:10: models[0].name: missing; expected the model's name"}},
        {"accelerators: [{name: card, like: t5}]\n"
         "platforms: [{name: box, like: skylake, accelerator: card}]\n"
         "traffic: [{service: a, model: wnd, rate: 9qps}]\n"
         "fleet: {groups: [{platform: box, servers: 1}, {name: b, platform: skylake, accelerator: "
         "card, servers: 1}]}\n",
         {"s.yaml:2:35: accelerators[0].like: unknown accelerator \"t5\"; did you mean \"t4\"?"}},
        {"platforms: [{name: box, like: skylake, idle_power: 300W, busy_power: 200W}]\n"
         "traffic: [{service: a, model: wnd, rate: 9qps}]\n"
         "fleet: {groups: [{platform: box, servers: 1}]}\n",
         {"s.yaml:2:70: platforms[0].busy_power: expected at least idle_power (300 W), got 200 W"}},
        {"platfroms: [{name: box, like: skylake}]\n"
         "tabels: [{name: t, model: wnd, platform: box, file: none.csv}]\n"
         "traffic: [{service: a, model: wnd, rate: 9qps}]\n"
         "fleet: {groups: [{platform: box, servers: 1, cost: {kind: table, table: t}}]}\n",
         {"s.yaml:2:1: platfroms: unknown key; did you mean \"platforms\"?",
          "s.yaml:3:1: tabels: unknown key; did you mean \"tables\"?"}},
        {"trafic: [{service: a, model: wnd, rate: 9qps}]\n"
         "fleet: {groups: [{platform: skylake, servers: 1, scheduler: {services: [{service: a, "
         "batch_items: 7}]}}]}\ntune: {service: a}\n",
         {"s.yaml:2:1: trafic: unknown key; did you mean \"traffic\"?"}},
        {"traffic: [{service: a, model: wnd, rate: 9qps}]\n"
         "fleat: {groups: [{name: g, platform: skylake, servers: 1}]}\ntune: {group: g}\n",
         {"s.yaml:3:1: fleat: unknown key; did you mean \"fleet\"?"}},
        {"traffic: [{service: a, model: wnd, rate: 9qps}]\n"
         "fleet: {grops: [{name: g, platform: skylake, servers: 1}]}\ntune: {group: g}\n",
         {"s.yaml:3:9: fleet.grops: unknown key; did you mean \"groups\"?"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = mem_printf("duration: 1s\n%s", cases[i].text);
        size_t n = 0;
        while (cases[i].lines[n])
            n++;
        assert_mistakes(text, cases[i].lines, n);
        mem_free(text);
    }
    const char *const lines[] = {"s.yaml:1:1: duratio: unknown key; did you mean \"duration\"?"};
    assert_mistakes("duratio: 1s\ntraffic: [{service: a, model: wnd, rate: 9qps}]\n"
                    "fleet: {groups: [{platform: skylake, servers: 1}]}\n",
                    lines, 1);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", all_sections},
                                       {"core", only_the_cause},
                                       {"core", one_slip_one_line},
                                       {"limits", bounds},
                                       {"errors", no_document}};
    if (library_load(&library, NULL) < 0)
        return 1;
    int failed = suite_run("mistakes", tests, sizeof tests / sizeof *tests);
    library_release(&library);
    return failed;
}
