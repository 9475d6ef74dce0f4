// SPDX-License-Identifier: Apache-2.0
// On any number of ranks.
#include "runs/tunable.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "capacity/single_server.h"
#include "capacity/capacity_fixture.h"
#include "cluster/sched.h"
#include "results/file/chosen.h"
#include "support/suite_mpi.h"

// The section `tune` and the fixed choice go into the tuner's settings, the grid as whole numbers.
START_TEST(settings_are_the_sections)
{
    struct capacity_fixture f;
    struct single_server e;
    capacity_fixture_open(
        &f,
        "duration: 1s\n"
        "traffic: [{service: a, rate: 9qps, sizes: {distribution: fixed, items: 40}, "
        "sla: {p95: 4ms}}]\n"
        "fleet: {groups: [{cores: 8, servers: 3, scheduler: {batch_items: 5}, cost: "
        "{kind: synthetic, fixed: 1ms}}]}\n"
        "tune: {accuracy: 7%, queries: 3000, max_queries: 50000, batch_items: [2, 9], "
        "confirm: false}\n",
        NULL);
    single_server_cut(&e, f.context.study, 0, 0);
    struct probe *probe = probe_create(&e.study, true);
    struct tuner_config config = tunable_config(&e.study, probe);
    ck_assert_double_eq_tol(config.capacity.accuracy_frac, 0.07, 1e-12);
    ck_assert_uint_eq(config.capacity.first_queries, 3000);
    ck_assert_uint_eq(config.capacity.most_queries, 50000);
    ck_assert_uint_eq(config.n_cores, 8);
    ck_assert_uint_eq(config.n_servers, 1);
    ck_assert_int_eq(sched_needs(&config.plain).batch_items, 5); // 40 items over 8 cores
    ck_assert_int_eq(sched_needs(&config.fixed).batch_items, 5);
    ck_assert_uint_eq(config.n_axes, 1); // no accelerator
    ck_assert_str_eq(config.axes[0].key, "batch_items");
    ck_assert_int_eq(config.axes[0].most, 40);
    ck_assert_uint_eq(config.axes[0].n_own, 2);
    ck_assert_int_eq(config.axes[0].own[1], 9);
    ck_assert_double_eq_tol(config.target_s, 4e-3, 1e-12);
    tunable_release(&config);
    ck_assert_uint_eq(config.n_axes, 0);
    probe_destroy(probe);
    capacity_fixture_close(&f);
}
END_TEST

// The backend asks the probe: eight cores of 1 ms a request.
START_TEST(backend_asks_the_probe)
{
    struct capacity_fixture f;
    struct single_server e;
    struct err err = {0};
    capacity_fixture_open(&f, ASK_SYNTHETIC, NULL);
    single_server_cut(&e, f.context.study, 0, 0);
    struct probe *probe = probe_create(&e.study, true);
    struct tuner_config config = tunable_config(&e.study, probe);
    struct crew *crew = crew_create(MPI_COMM_WORLD, 1, &err);
    struct crew_bench bench = {crew, probe, &config.capacity};
    const struct tuner_backend backend = tunable_backend(&bench);
    const struct settings choice = sched_plain(&sched_split, 1, 1);
    ck_assert_double_eq_tol(backend.bound_qps(backend.server, &choice), 8000, 1e-6);
    ck_assert_double_eq_tol(backend.cpu_s(backend.server, 1), 1e-3, 1e-12);
    ck_assert_uint_eq(backend.size_items(backend.server, 3), 1);
    tunable_release(&config);
    crew_destroy(crew);
    probe_destroy(probe);
    capacity_fixture_close(&f);
}
END_TEST

// Where a table of the user's ends, so do the searches: B at its last batch, at its first below; T
// nowhere, as the largest query would go to an accelerator that was not measured with it. With
// `outside` there is no end.
START_TEST(tables_end_searches)
{
    static const char head[] =
        "duration: 1s\ntraffic: [{service: a, rate: 9qps, sizes: {distribution: fixed, items: 96}, "
        "sla: {p95: 9ms}}]\ntables: [{name: t, model: m, platform: p, batches_items: [4, 32], "
        "busy_cores: [1], seconds: [1ms, 2ms], accel_batches_items: [1, 64], accel_load: [1us, "
        "1us], accel_compute: [1ms, 2ms]}]\n"
        "fleet: {groups: [{cores: 2, accelerator: t4, servers: 1, scheduler: {batch_items: 16}, "
        "cost: {kind: table, table: t";
    const char *const policies[] = {"deeprecsched", "fixed", "static", "reference"};
    for (int extends = 0; extends < 2; extends++) {
        char *text = mem_printf("%s%s}}]}\n", head, extends ? ", outside: extend" : "");
        struct capacity_fixture f;
        struct single_server e;
        struct err err = {0};
        capacity_fixture_open(&f, text, NULL);
        single_server_cut(&e, f.context.study, 0, 0);
        struct probe *probe = probe_create(&e.study, true);
        struct tuner_config config = tunable_config(&e.study, probe);
        ck_assert_int_eq(config.axes[0].most, extends ? 96 : 32);
        ck_assert_int_eq(config.axes[1].most, 96);
        const struct {
            int64_t batch, offload;
            bool known;
        } cases[] = {{32, 0, true}, {4, 0, true},   {33, 0, false}, {3, 0, false},
                     {30, 0, true}, {32, 97, true}, {32, 50, false}};
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct settings choice = config.fixed;
            choice = tuner_with(choice, &config.axes[0], cases[i].batch);
            choice = tuner_with(choice, &config.axes[1], cases[i].offload);
            ck_assert_int_eq(probe_known(probe, &choice, NULL), cases[i].known || extends ? 0 : -1);
        }
        tunable_release(&config);
        probe_destroy(probe);
        for (size_t i = 0; i < 4; i++) {
            e.study.tune.policies = (char *)(uintptr_t)policies[i];
            ck_assert_int_eq(tunable_check(&e.study, &err), i < 2 || extends ? 0 : -1);
            ck_assert(err.code == ERR_NONE || strstr(err.text, policies[i]));
        }
        capacity_fixture_close(&f);
        mem_free(text);
    }
}
END_TEST

// One study may have groups of every scheduler: a row of results has room for all their axes.
START_TEST(all_schedulers_fit)
{
    struct chosen chosen = {0};
    for (const struct sched_type *const *type = sched_types; *type; type++)
        ck_assert_int_eq(chosen_add(&chosen, (*type)->axes, (*type)->fields, NULL), 0);
    ck_assert_uint_gt(chosen.n, 0);
}
END_TEST

// How far the axes of queues go: a core's request to the largest query, the accelerator's batch to
// many of it, a delay to the target. What has no effect with the policy is no axis.
START_TEST(queues_have_axes)
{
    const struct {
        const char *scheduler, *accelerator;
        size_t n;
    } cases[] = {{"{policy: pull}", "none", 1},
                 {"{policy: batch, batch_items: 5}", "none", 2},
                 {"{policy: coalesce, accel_items: 9}", "gtx1080ti", 2},
                 {"{policy: batch, accel_items: 9}", "gtx1080ti", 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct capacity_fixture f;
        struct single_server e;
        char text[512];
        snprintf(text, sizeof text,
                 "duration: 1s\n"
                 "traffic: [{service: a, model: wnd, rate: 9qps, sizes: {distribution: fixed, "
                 "items: 40}, sla: {p95: 4ms}}]\n"
                 "fleet: {groups: [{platform: skylake, accelerator: %s, servers: 1, scheduler: "
                 "%s}]}\n",
                 cases[i].accelerator, cases[i].scheduler);
        capacity_fixture_open(&f, text, NULL);
        single_server_cut(&e, f.context.study, 0, 0);
        struct probe *probe = probe_create(&e.study, true);
        struct tuner_config config = tunable_config(&e.study, probe);
        ck_assert_uint_eq(config.n_axes, cases[i].n);
        for (size_t a = 0; a < config.n_axes; a++) {
            const struct tuner_axis *axis = &config.axes[a];
            int64_t most = strcmp(axis->key, "batch_items") == 0   ? 40
                           : strcmp(axis->key, "accel_items") == 0 ? 64 * 40
                                                                   : 4000000;
            ck_assert_int_eq(axis->most, most);
        }
        tunable_release(&config);
        probe_destroy(probe);
        capacity_fixture_close(&f);
    }
}
END_TEST

// A grid takes longer than a climb, a climb than one search; an accelerator makes both longer.
START_TEST(long_searches_weigh_more)
{
    struct study_group plain = {0}, accelerated = {0};
    accelerated.platform.has_accelerator = true;
    ck_assert(tunable_weight(&plain, &tuner_fixed) < tunable_weight(&plain, &tuner_deeprecsched));
    ck_assert(tunable_weight(&plain, &tuner_deeprecsched) <
              tunable_weight(&plain, &tuner_exhaustive));
    ck_assert(tunable_weight(&plain, &tuner_exhaustive) <
              tunable_weight(&accelerated, &tuner_exhaustive));
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {
        {"core", settings_are_the_sections}, {"core", backend_asks_the_probe},
        {"core", queues_have_axes},          {"core", long_searches_weigh_more},
        {"limits", tables_end_searches},     {"limits", all_schedulers_fit}};
    return suite_mpi_run(&argc, &argv, "tunable", tests, sizeof tests / sizeof *tests);
}
