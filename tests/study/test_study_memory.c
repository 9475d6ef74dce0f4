// SPDX-License-Identifier: Apache-2.0
#include "study/study_memory.h"

#include <string.h>

#include "base/mem.h"
#include "study/study.h"
#include "support/suite.h"

static struct library library; // of the whole program; set by main

// Two services of 10 GB of tables each and 3.1 MB of weights (rmc2), on one group or more.
#define TRAFFIC                                                                                    \
    "duration: 1s\n"                                                                               \
    "traffic:\n"                                                                                   \
    "  - {service: feed, model: rmc2, rate: 10qps, sla: high}\n"                                   \
    "  - {service: ads, model: rmc2, rate: 10qps, sla: high}\n"                                    \
    "fleet: {groups: ["

static struct study *parse(const char *groups, struct err *err)
{
    char *text = mem_printf(TRAFFIC "%s\n", groups);
    *err = (struct err){0};
    struct study *study = study_parse("s.yaml", text, strlen(text), NULL, 0, &library, true, err);
    mem_free(text);
    return study;
}

static struct study *parsed(const char *groups)
{
    struct err err;
    struct study *study = parse(groups, &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    return study;
}

static void assert_refused(const char *groups, const char *line)
{
    struct err err;
    ck_assert_msg(parse(groups, &err) == NULL, "%s was accepted", groups);
    ck_assert_str_eq(err.text, line);
}

// Both services live on every server of the group, and each core shares them.
START_TEST(server_holds_all_services)
{
    study_destroy(parsed("{servers: 4, platform: skylake, memory_size: 20.1GB}]}"));
    study_destroy(parsed("{servers: 4, platform: skylake, memory_size: 0}]}")); // not known
    assert_refused("{servers: 4, platform: skylake, memory_size: 20GB}]}",
                   "s.yaml:5:41: fleet.groups[0].platform: 20 GB of tables and weights do not fit "
                   "in the 20 GB of a server of group \"skylake\": service \"feed\" takes 10 GB, "
                   "service \"ads\" takes 10 GB; expected a larger memory_size, or less to hold");
    assert_refused(
        "{servers: 4, platform: skylake}, {servers: 4, platform: c5n, memory_size: 12GB}]}",
        "s.yaml:5:74: fleet.groups[1].platform: 20 GB of tables and weights do not fit "
        "in the 12 GB of a server of group \"c5n\": service \"feed\" takes 10 GB, "
        "service \"ads\" takes 10 GB; expected a larger memory_size, or less to hold");
}
END_TEST

// What is offloaded must fit on the card: by itself, and with what else is offloaded there.
START_TEST(accelerator_holds_what_is_offloaded)
{
    const char *const one =
        "{servers: 4, platform: skylake, accelerator: t4, scheduler: {policy: fixed, "
        "batch_items: 64, services: [{service: ads, offload_items: 100}]}}]}";
    study_destroy(parsed(one)); // 10 of 16 GB
    assert_refused("{servers: 4, platform: skylake, accelerator: t4, scheduler: {policy: fixed, "
                   "batch_items: 64, offload_items: "
                   "100}}]}",
                   "s.yaml:5:63: fleet.groups[0].accelerator: 20 GB of tables and weights do not "
                   "fit in the 16 GB of the accelerator \"t4\": service \"feed\" takes 10 GB, "
                   "service \"ads\" takes 10 GB; expected a larger memory_size, or less to hold");
    assert_refused(
        "{servers: 4, platform: skylake, accelerator: {name: t4, memory_size: 8GB}, scheduler: "
        "{policy: fixed, batch_items: 64, offload_items: 100}}]}",
        "s.yaml:5:152: fleet.groups[0].scheduler.offload_items: the accelerator \"t4\" "
        "has 8 GB of memory, and 10 GB of tables and weights are needed for service "
        "feed");
}
END_TEST

// A card that is too small for a service is none to it: searches leave it out.
START_TEST(too_small_a_card_is_none)
{
    struct study *study =
        parsed("{servers: 4, platform: skylake, accelerator: t4}, {name: small, "
               "servers: 4, platform: skylake, accelerator: {name: t4, memory_size: 8GB}}]}");
    ck_assert(cost_has_accel(study->groups[0].costs[0]));
    ck_assert(!cost_has_accel(study->groups[1].costs[0]));
    study_destroy(study);
}
END_TEST

// A service of which every query is offloaded takes nothing of the server.
START_TEST(offloaded_leaves_the_server)
{
    const char *const format =
        "{servers: 4, platform: skylake, memory_size: 15GB, accelerator: {name: t4, "
        "memory_size: 80GB}, scheduler: {policy: fixed, batch_items: 64, offload_items: %d}"
        "}]}";
    struct err err;
    char *all = mem_printf(format, 1), *most = mem_printf(format, 2);
    study_destroy(parsed(all));
    ck_assert_ptr_null(parse(most, &err));
    mem_free(all);
    mem_free(most);
}
END_TEST

// It counts what queries there are: a threshold above the largest offloads none of them, one at the
// smallest all.
START_TEST(thresholds_are_those_of_the_queries)
{
    static const struct {
        int items;
        const char *server, *card; // memory
        bool fits;
    } cases[] = {{101, "15GB", "80GB", false}, // on both sides
                 {100, "15GB", "80GB", true},  // all offloaded
                 {100, "30GB", "8GB", false},
                 {101, "30GB", "8GB", true}, // none
                 {101, "30GB", "16GB", true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = mem_printf(
            "duration: 1s\ntraffic:\n"
            "  - {service: feed, model: rmc2, rate: 1qps, sizes: {distribution: fixed, items: "
            "100}}\n"
            "  - {service: ads, model: rmc2, rate: 1qps, sizes: {distribution: fixed, items: "
            "100}}\n"
            "fleet: {groups: [{servers: 4, platform: skylake, memory_size: %s, accelerator: {name: "
            "t4, memory_size: %s}, scheduler: {policy: fixed, batch_items: 64, offload_items: "
            "%d}}]}\n",
            cases[i].server, cases[i].card, cases[i].items);
        struct err err = {0};
        for (int plan = 0; plan < 2; plan++) {
            struct study *study = study_parse("s.yaml", text, strlen(text), NULL, 0, &library,
                                              plan ? STUDY_OPEN_AND_PLAN : STUDY_OPEN, &err);
            ck_assert_msg((study != NULL) == cases[i].fits || plan, "%zu: %s", i, err.text);
            ck_assert(!study || study_memory_misfit(study, 0, &err) == 0 || !cases[i].fits);
            study_destroy(study);
        }
        mem_free(text);
    }
}
END_TEST

// Where servers are dealt to services, each service needs some that hold it, alone.
START_TEST(a_plan_asks_of_each_alone)
{
    struct study *study =
        parsed("{servers: 4, platform: skylake, memory_size: 12GB}, {name: small, "
               "servers: 4, platform: skylake, memory_size: 8GB}]}\ncapacity: {find: plan}");
    ck_assert(study_memory_holds(study, 0, 0) && study_memory_holds(study, 0, 1));
    ck_assert(!study_memory_holds(study, 1, 0) && !study_memory_holds(study, 1, 1));
    study_destroy(study);
}
END_TEST

// A search may offload all that it tunes: then all of it must fit.
START_TEST(a_search_may_offload_all)
{
    struct err err = {0};
    struct study *study =
        parsed("{servers: 4, platform: skylake, accelerator: t4}]}\ntune: {service: ads}");
    ck_assert_int_eq(study_memory_check_search(study, &err), 0);
    study_destroy(study);
    study = parsed("{servers: 4, platform: skylake, accelerator: t4}]}");
    ck_assert_int_eq(study_memory_check_search(study, &err), -1);
    ck_assert_str_eq(
        err.text, "s.yaml: tune: group \"skylake\": accelerator: 20 GB of tables and weights do "
                  "not fit in the 16 GB of the accelerator \"t4\": service \"feed\" takes 10 GB, "
                  "service \"ads\" takes 10 GB; expected a larger memory_size, or less to hold");
    study_destroy(study);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", too_small_a_card_is_none},
                                       {"core", a_plan_asks_of_each_alone},
                                       {"core", a_search_may_offload_all},
                                       {"limits", offloaded_leaves_the_server},
                                       {"limits", thresholds_are_those_of_the_queries},
                                       {"errors", server_holds_all_services},
                                       {"errors", accelerator_holds_what_is_offloaded}};
    if (library_load(&library, NULL) < 0)
        return 1;
    int failed = suite_run("study_memory", tests, sizeof tests / sizeof *tests);
    library_release(&library);
    return failed;
}
