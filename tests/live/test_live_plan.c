// SPDX-License-Identifier: Apache-2.0
#include "live/live_plan.h"

#include <string.h>

#include "live/live_fixture.h"
#include "support/suite.h"

// All queries of the duration, in order, numbered; as many workers as cores. A request is at most
// B items, and there is room for all of them.
START_TEST(of_a_study)
{
    struct study *study = live_fixture_study(NULL, NULL, NULL);
    struct live_plan *plan = live_fixture_plan(study);
    ck_assert_uint_eq(plan->n_workers, 2);
    ck_assert_uint_eq(plan->cores_per_worker, 1);
    ck_assert_uint_gt(plan->n_queries, 100);
    ck_assert_uint_eq(plan->most_items, 16);
    ck_assert_uint_ge(plan->most_requests, 3 * plan->n_queries);
    for (size_t i = 0; i < plan->n_queries; i++) {
        ck_assert_uint_eq(plan->queries[i].seq, i);
        ck_assert_int_lt(plan->queries[i].arrive_ns, 200000000);
        if (i > 0)
            ck_assert_int_ge(plan->queries[i].arrive_ns, plan->queries[i - 1].arrive_ns);
    }
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

// A batch of whole queries can be as large as the largest query, and as what is merged.
START_TEST(largest_request)
{
    const struct {
        const char *scheduler;
        uint32_t items;
    } cases[] = {{"{policy: pull, batch_items: 100}", 40},
                 {"{policy: coalesce, batch_items: 100}", 100},
                 {"{policy: batch, batch_items: 30}", 40},
                 {"{policy: batch, batch_items: 300}", 300}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char setting[128] = "fleet.groups[0].scheduler=";
        strcat(setting, cases[i].scheduler);
        struct study *study = live_fixture_study(setting, NULL, NULL);
        struct live_plan *plan = live_fixture_plan(study);
        ck_assert_uint_eq(plan->most_items, cases[i].items);
        live_plan_destroy(plan);
        study_destroy(study);
    }
}
END_TEST

static const char nine[] = "traffic[0].history={distribution: fixed, items: 9}";

// Queries come with their histories, and the longest is known.
START_TEST(histories)
{
    static const char drawn[] =
        "traffic[0].history={distribution: lognormal, mu: 5, sigma: 1, max_items: 700}";
    struct study *study = live_fixture_study(drawn, NULL, NULL);
    struct live_plan *plan = live_fixture_plan(study);
    uint32_t most = 0;
    for (size_t i = 0; i < plan->n_queries; i++)
        most = plan->queries[i].history_items > most ? plan->queries[i].history_items : most;
    ck_assert_uint_gt(most, 100);
    ck_assert_uint_eq(plan->most_history_items, most);
    live_plan_destroy(plan);
    study_destroy(study);
    study = live_fixture_study(NULL, NULL, NULL);
    plan = live_fixture_plan(study);
    ck_assert_uint_eq(plan->most_history_items, 0);
    live_plan_destroy(plan);
    study_destroy(study);
}
END_TEST

// What one machine is not, and what no engine runs, is said with what was expected.
START_TEST(refuses)
{
    const char *const cases[][2] = {
        {"fleet.groups[0].servers=2", "expected mpirun -n 3, or servers: 1"},
        {"fleet={cells: 2, groups: [{servers: 2, cores: 1, cost: {kind: synthetic, per_item: "
         "1us}}]}",
         "expected cells: 1 and one group"},
        {"failures={mtbf: 1h, mttr: 1s}", "failures: expected none"},
        {"fleet.groups[0].scheduler={policy: coalesce, batch_items: 16}",
         "its scheduler merges queries, and no engine runs several histories at once"},
        {"fleet.groups[0].slow_frac=1", "fleet.groups[0].slow_frac: expected none"},
        {"traffic[0].rate=1e-7qps", "no query arrives"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = {0};
        const char *more = strstr(cases[i][0], "coalesce")    ? nine
                           : strstr(cases[i][0], "slow_frac") ? "fleet.groups[0].slow_factor=3"
                                                              : NULL;
        struct study *study = live_fixture_study(cases[i][0], more, NULL);
        ck_assert_ptr_null(live_plan_create(study, &err));
        ck_assert_msg(strstr(err.text, cases[i][1]) != NULL, "%s", err.text);
        ck_assert_int_eq(err.code, ERR_STUDY);
        study_destroy(study);
    }
}
END_TEST

// A fleet has as many servers as there are processes for, and the same queries as one server.
START_TEST(of_a_fleet)
{
    struct err err = {0};
    struct study *study = live_fixture_study("fleet.groups[0].servers=3", NULL, NULL);
    struct study *one = live_fixture_study(NULL, NULL, NULL);
    struct live_plan *plan = live_plan_create_fleet(study, 3, &err);
    struct live_plan *alone = live_fixture_plan(one);
    ck_assert_ptr_nonnull(plan);
    ck_assert_uint_eq(plan->n_servers, 3);
    ck_assert_uint_eq(plan->n_workers, 2);
    ck_assert_uint_eq(plan->n_queries, alone->n_queries);
    for (size_t i = 0; i < plan->n_queries; i++)
        ck_assert_int_eq(plan->queries[i].arrive_ns, alone->queries[i].arrive_ns);
    ck_assert_ptr_null(live_plan_create_fleet(study, 2, &err));
    ck_assert_str_eq(err.text, "s.yaml: fleet: 3 ranks are a balancer and 2 servers: expected "
                               "servers: 2, or mpirun -n 4");
    live_plan_destroy(plan);
    live_plan_destroy(alone);
    study_destroy(study);
    study_destroy(one);
}
END_TEST

// Queries that wait for an accelerator are not for cores.
START_TEST(refuses_accelerators)
{
    struct err err = {0};
    struct study *study = live_fixture_study(
        "fleet.groups[0].accelerator=gtx1080ti",
        "fleet.groups[0].cost={kind: synthetic, per_item: 1us, accel_per_item: 1us}",
        "fleet.groups[0].scheduler={batch_items: 16, offload_items: 30}");
    ck_assert_ptr_null(live_plan_create(study, &err));
    ck_assert_msg(strstr(err.text, "no offload_items") != NULL, "%s", err.text);
    study_destroy(study);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", of_a_study}, {"core", of_a_fleet},
                                       {"core", histories},  {"limits", largest_request},
                                       {"errors", refuses},  {"errors", refuses_accelerators}};
    return suite_run("live_plan", tests, sizeof tests / sizeof *tests);
}
