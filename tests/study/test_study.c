// SPDX-License-Identifier: Apache-2.0
#include "study/study.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cluster/policy.h"
#include "cluster/sched.h"
#include "cluster/slow.h"
#include "study/study_print.h"
#include "study/study_traffic.h"
#include "support/suite.h"

static const char *const base_text = "name: small\n"
                                     "duration: 10s\n"
                                     "traffic:\n"
                                     "  - service: feed\n"
                                     "    model: wnd\n"
                                     "    rate: 1000qps\n"
                                     "    sla: {p95: 25ms}\n"
                                     "fleet:\n"
                                     "  cells: 2\n"
                                     "  groups:\n"
                                     "    - {platform: skylake, servers: 4}\n";

static struct library library;

static void load(void)
{
    struct err err = {0};
    ck_assert_msg(library_load(&library, &err) == 0, "%s", err.text);
}

static void unload(void)
{
    library_release(&library);
}

static struct study *parse(const char *text, const char *const *settings, size_t n, struct err *err)
{
    *err = (struct err){0};
    return study_parse("s.yaml", text, strlen(text), settings, n, &library, true, err);
}

// The base study with settings (up to the first NULL).
static struct study *with(const char *a, const char *b, const char *c)
{
    const char *settings[3] = {a, b, c};
    struct err err;
    struct study *study = parse(base_text, settings, a ? b ? c ? 3 : 2 : 1 : 0, &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    return study;
}

static void assert_refused(const char *setting, const char *text)
{
    struct err err;
    struct study *study = parse(base_text, &setting, 1, &err);
    ck_assert_msg(study == NULL, "%s was accepted", setting);
    char *line = mem_printf("--set %s: %s", setting, text);
    ck_assert_str_eq(err.text, line);
    ck_assert_int_eq(err.code, ERR_STUDY);
    mem_free(line);
}

// Defaults: random balancer, poisson arrivals, production sizes, static batches, no accelerator.
START_TEST(defaults)
{
    struct study *study = with(NULL, NULL, NULL);
    const struct fleet_config *fleet = &study->fleet;
    ck_assert_uint_eq(fleet->n_services, 1);
    ck_assert_uint_eq(fleet->n_cells, 2);
    ck_assert_int_eq(fleet->duration_ns, 10000000000);
    ck_assert_str_eq(policy_types[fleet->balancer.policy]->name, "random");
    ck_assert_str_eq(arrival_types[fleet->services[0].traffic.arrivals.process]->name, "poisson");
    ck_assert_double_eq(fleet->services[0].sla_quantile, 0.95);
    ck_assert_int_eq(fleet->services[0].sla_ns, 25000000);
    ck_assert(study->warmup_auto);
    // The largest production query, 999 items, split over 40 cores.
    ck_assert_int_eq(sched_dispatch(&fleet->groups[0], 0).batch_items, 25);
    // 1000 of the 10000 queries expected are sampled.
    ck_assert_double_eq_tol(fleet->sample_frac, 0.1, 1e-12);
    char *path = study_output_path(study);
    ck_assert_str_eq(path, "small.h5");
    mem_free(path);
    study_destroy(study);
}
END_TEST

// Inline keys change the catalogue's platform and model for this study only.
START_TEST(inline_overrides)
{
    struct study *study = with("fleet.groups[0].cores=8", "models=[{name: wnd, dim: 64}]",
                               "fleet.groups[0].accelerator={name: t4, streams: 2}");
    ck_assert_int_eq(study->groups[0].platform.cores, 8);
    ck_assert_int_eq(study->groups[0].platform.accelerator.streams, 2);
    ck_assert_uint_eq(study->n_models, 1);
    ck_assert_int_eq(study->models[0].dim, 64);
    ck_assert_int_eq(library_model(&library, "wnd")->dim, 32);
    ck_assert_int_eq(library_platform(&library, "skylake")->cores, 40);
    study_destroy(study);
}
END_TEST

// One service of a group may be run otherwise than the rest.
START_TEST(per_service_settings)
{
    struct study *study =
        with("traffic=[{service: a, rate: 1qps}, {service: b, rate: 1qps}]",
             "fleet.groups[0].cost={kind: synthetic, fixed: 1ms, services: [{service: b, "
             "per_item: 2us}]}",
             "fleet.groups[0].scheduler={batch_items: 64, services: [{service: b, batch_items: "
             "7}]}");
    const struct group_config *group = &study->fleet.groups[0];
    ck_assert_int_eq(sched_dispatch(group, 0).batch_items, 64);
    ck_assert_int_eq(sched_dispatch(group, 1).batch_items, 7);
    ck_assert_double_eq_tol(cost_cpu_s(group->costs[0], 100, 1), 1e-3, 1e-12);
    ck_assert_double_eq_tol(cost_cpu_s(group->costs[1], 100, 1), 1.2e-3, 1e-12);
    study_destroy(study);
}
END_TEST

static void assert_round_trip(struct study *study)
{
    struct err err;
    char *text = study_format(study);
    struct study *back = parse(text, NULL, 0, &err);
    ck_assert_msg(back != NULL, "%s in\n%s", err.text, text);
    char *again = study_format(back);
    ck_assert_str_eq(text, again);
    ck_assert_uint_eq(study_traffic_fingerprint(study), study_traffic_fingerprint(back));
    ck_assert_double_eq(cost_cpu_s(study->fleet.groups[0].costs[0], 64, 3),
                        cost_cpu_s(back->fleet.groups[0].costs[0], 64, 3));
    mem_free(text);
    mem_free(again);
    study_destroy(study);
    study_destroy(back);
}

// The resolved study reads back to the same study, with every kind of section in use.
START_TEST(resolved_round_trips)
{
    assert_round_trip(with(NULL, NULL, NULL));
    assert_round_trip(with("traffic[0].arrivals={process: mmpp, states: [0.5, 2], hold: [1s, 3s]}",
                           "traffic[0].sizes={distribution: lognormal, sigma: 0.67}",
                           "traffic[0].sla={p99.9: 1.5ms}"));
    assert_round_trip(with("fleet.groups[0].accelerator=t4",
                           "fleet.groups[0].scheduler={batch_items: 64, offload_items: 300}",
                           "fleet.groups[0].noise={distribution: lognormal, cv: 0.1}"));
    assert_round_trip(with("fleet.groups[0].cost={kind: synthetic, fixed: 0.1ms, per_item: 33ns}",
                           "name=\"a: odd \\\" name\"", "balancer.policy=size-aware"));
}
END_TEST

static uint64_t fingerprint(const char *setting)
{
    struct study *study = with(setting, NULL, NULL);
    uint64_t hash = study_traffic_fingerprint(study);
    study_destroy(study);
    return hash;
}

// The fingerprint follows the queries: not the policy, not the servers' number, but rate and seed.
START_TEST(fingerprint_follows_traffic)
{
    uint64_t hash = fingerprint(NULL);
    ck_assert_uint_eq(hash, fingerprint("balancer.policy=round-robin"));
    ck_assert_uint_eq(hash, fingerprint("fleet.groups[0].servers=8"));
    ck_assert_uint_ne(hash, fingerprint("fleet.groups[0].servers=5")); // cells of 3 and 2
    ck_assert_uint_ne(hash, fingerprint("traffic[0].rate=1001qps"));
    ck_assert_uint_ne(hash, fingerprint("seed=2"));
    ck_assert_uint_ne(hash, fingerprint("duration=11s"));
    ck_assert_uint_ne(hash, fingerprint("fleet.cells=1"));
}
END_TEST

// The results get every name and every server's place.
START_TEST(meta_is_complete)
{
    struct study *study = with("fleet.groups[0].servers=5", NULL, NULL);
    struct meta *meta = study_meta(study);
    ck_assert_str_eq(meta->study_name, "small");
    ck_assert_str_eq(meta->services[0].model, "wnd");
    ck_assert_uint_eq(meta->n_servers, 5);
    ck_assert_uint_eq(meta->server_cell[0], 0);
    ck_assert_uint_eq(meta->server_cell[4], 1);
    ck_assert_ptr_nonnull(strstr(meta->study_text, "platform: skylake"));
    // How the run is saved is no part of its results.
    ck_assert_ptr_null(strstr(meta->study_text, "checkpoint:"));
    meta_destroy(meta);
    study_destroy(study);
}
END_TEST

// Slow servers and correlated noise reach the fleet, the results and the resolved study; a time too
// short to tell is none.
START_TEST(slow_and_correlated)
{
    struct study *study =
        with("fleet.groups[0].slow_frac=40%", "fleet.groups[0].slow_factor=1.5",
             "fleet.groups[0].noise={distribution: gamma, cv: 0.3, correlation_time: 20ms, "
             "correlated_frac: 0.64}");
    const struct group_config *group = &study->fleet.groups[0];
    ck_assert_double_eq(group->slow.frac, 0.4);
    ck_assert_double_eq(group->slow.factor, 1.5);
    ck_assert_int_eq(group->noise.correlation_ns, 20000000);
    ck_assert_double_eq(group->noise.correlated_frac, 0.64);
    struct meta *meta = study_meta(study);
    uint32_t n_slow = 0;
    for (uint32_t i = 0; i < meta->n_servers; i++)
        n_slow += meta->server_slow[i];
    ck_assert_uint_eq(n_slow, slow_count(&group->slow, 0, group->n_servers));
    ck_assert_uint_gt(n_slow, 0);
    meta_destroy(meta);
    assert_round_trip(study);
    assert_refused("fleet.groups[0].noise={distribution: exponential, correlation_time: 1ns}",
                   "fleet.groups[0].noise.correlation_time: expected 0, or at least 1us");
}
END_TEST

// The model's own targets by name.
START_TEST(sla_words)
{
    struct study *study = with("traffic[0].sla=low", NULL, NULL);
    ck_assert_int_eq(study->services[0].sla_ns, 12500000);
    study_destroy(study);
    study = with("traffic[0].sla=none", NULL, NULL);
    ck_assert_int_eq(study->services[0].sla_ns, 0);
    study_destroy(study);
}
END_TEST

// Which single queries are kept: words of one text, each with its effect on the fleet.
START_TEST(queries_kept)
{
    struct study *study = with("output.queries=all", "output.sample=0", NULL);
    ck_assert(study->fleet.all_queries && study->fleet.sample_frac == 1);
    study_destroy(study);
    study = with("output.queries=slowest 250", NULL, NULL);
    ck_assert(!study->fleet.all_queries && study->fleet.n_slowest == 250);
    ck_assert_double_eq_tol(study->fleet.sample_frac, 0.1, 1e-12);
    study_destroy(study);
    study = with("output.queries=sample", NULL, NULL);
    ck_assert(!study->fleet.all_queries && study->fleet.n_slowest == 0);
    study_destroy(study);
    const char *const wrong[] = {"slowest",        "slowest 0",  "slowest -3",
                                 "slowest 100001", "slowest 5x", "fastest 5"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char *setting = mem_printf("output.queries=%s", wrong[i]);
        char *text =
            mem_printf("output.queries: expected sample, all, or slowest and a number up to "
                       "100000 such as \"slowest 100\", got \"%s\"",
                       wrong[i]);
        assert_refused(setting, text);
        mem_free(setting);
        mem_free(text);
    }
}
END_TEST

// As many cells as servers is the most.
START_TEST(one_server_per_cell)
{
    study_destroy(with("fleet.cells=4", NULL, NULL));
    assert_refused("fleet.cells=5",
                   "fleet.cells: expected at most one per server (4 in all), got 5");
}
END_TEST

// A rate beyond what the servers can do is a study like any other.
START_TEST(overload_is_allowed)
{
    study_destroy(with("traffic[0].rate=10Mqps", NULL, NULL));
}
END_TEST

// Keys of the chosen policy are its settings; those of others are read, checked and forgotten, so
// that one study can hold what several policies need.
START_TEST(keys_of_policies)
{
    struct study *study = with("balancer={policy: size-aware, large_items: 9, d: 5}", NULL, NULL);
    const struct settings *settings = &study->fleet.balancer.settings;
    ck_assert_int_eq(settings_whole(settings, "large_items"), 9);
    ck_assert_double_eq(settings_number(settings, "large_frac"), 0.5);
    ck_assert_ptr_null(settings_field(settings, "d"));
    char *text = study_print_all(study);
    ck_assert_ptr_nonnull(strstr(text, "large_items: 9"));
    ck_assert_ptr_null(strstr(text, "  d: 5"));
    mem_free(text);
    study_destroy(study);
    assert_refused("balancer={policy: size-aware, d: 17}",
                   "balancer.d: expected a whole number from 1 to 16, got \"17\"");
    assert_refused("balancer={policy: size-aware, larg_items: 9}",
                   "balancer.larg_items: unknown key; did you mean \"large_items\"?");
}
END_TEST

// A feedback policy needs time for its information to travel; others do not.
START_TEST(zero_delay)
{
    const char *const policies[] = {"power-of-d", "power-of-two", "join-shortest-queue",
                                    "least-work", "size-aware"};
    study_destroy(with("balancer={dispatch_delay: 0, status_delay: 0}", NULL, NULL));
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
        char *setting =
            mem_printf("balancer={policy: %s, dispatch_delay: 0, status_delay: 0s}", policies[i]);
        char *text = mem_printf("balancer.dispatch_delay: policy %s looks at its servers, so "
                                "dispatch_delay + status_delay must be above 0",
                                policies[i]);
        assert_refused(setting, text);
        mem_free(setting);
        mem_free(text);
    }
}
END_TEST

// Wrong values: unknown names, types, units, signs.
START_TEST(wrong_values)
{
    assert_refused("traffic[0].rate=fast",
                   "traffic[0].rate: expected a rate such as \"12000qps\", got \"fast\"");
    assert_refused("traffic.0.model=wndd",
                   "traffic[0].model: unknown model \"wndd\"; did you mean \"wnd\"?");
    assert_refused(
        "fleet.groups[0].platform=skylak",
        "fleet.groups[0].platform: unknown platform \"skylak\"; did you mean \"skylake\"?");
    assert_refused(
        "balancer.policy=random2",
        "balancer.policy: unknown balancer policy \"random2\"; did you mean \"random\"?");
    assert_refused("fleet.groups[0].serverz=3",
                   "fleet.groups[0].serverz: unknown key; did you mean \"servers\"?");
    assert_refused("traffic=[]", "traffic: empty; expected at least one service");
    assert_refused("warmup=10s", "warmup: expected less than the duration, got \"10s\"");
    assert_refused("duration=nan", "duration: expected a time such as \"25ms\", got \"nan\"");
    assert_refused("traffic[0].arrivals={process: replay, file: no/such.csv}",
                   "traffic[0].arrivals.file: no/such.csv: No such file or directory");
    assert_refused("fleet.groups[0].scheduler={policy: pul}",
                   "fleet.groups[0].scheduler.policy: expected one of static, fixed, pull, "
                   "coalesce, batch, got \"pul\"");
    assert_refused("fleet.groups[0].scheduler={policy: pull, max_delay: 1ms}",
                   "fleet.groups[0].scheduler.max_delay: only with policy: batch");
    assert_refused("fleet.groups[0].scheduler={batch_items: 4, policy: static}",
                   "fleet.groups[0].scheduler.batch_items: only with policy: fixed");
    assert_refused("fleet.groups[0].cost={kind: table}",
                   "fleet.groups[0].cost: no measured table of model \"wnd\" on platform "
                   "\"skylake\"; there are: zen5-2core-avx2, zen5-2core");
    assert_refused(
        "fleet.groups[0].cost={cold_factor: 0.5}",
        "fleet.groups[0].cost.cold_factor: expected a number from 1 to 100, got \"0.5\"");
    assert_refused(
        "fleet.groups[0].cost={cold_factor: 2}",
        "fleet.groups[0].cost: service feed: cooling_time: a cold_factor above 1 needs it above 0");
    static const char *const wrong[] = {"p100", "p099", "p+99", "p9e1", "p00.5", "p99%", "p99. "};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char setting[60], line[100];
        snprintf(setting, sizeof setting, "traffic[0].sla={\"%s\": 1ms}", wrong[i]);
        snprintf(line, sizeof line, "traffic[0].sla.%s: expected a percentile such as p95",
                 wrong[i]);
        assert_refused(setting, line);
    }
    assert_refused("name=\"\"", "name: expected text, got \"\"");
    assert_refused("traffic[0].service=\" \"", "traffic[0].service: expected text, got \" \"");
    assert_refused("fleet.groups[0].name=\"\"", "fleet.groups[0].name: expected a name, got \"\"");
    assert_refused("fleet.groups[0].platform=\"\"",
                   "fleet.groups[0].platform: expected a platform's name, got \"\"");
    assert_refused("models=[{name: \"\", like: wnd}]",
                   "models[0].name: expected a model's name, got \"\"");
}
END_TEST

// What is missing is named, at the place where it should be.
START_TEST(missing_keys)
{
    struct err err;
    ck_assert_ptr_null(parse("name: x\n", NULL, 0, &err));
    ck_assert_str_eq(err.text, "s.yaml:1:1: duration: missing; expected a time such as \"25ms\" "
                               "from 1us to 720h");
    ck_assert_ptr_null(parse("duration: 1s\ntraffic:\n  - {service: a}\n", NULL, 0, &err));
    ck_assert_str_eq(err.text,
                     "s.yaml:3:5: traffic[0].rate: missing; expected a rate such as \"12000qps\"");
    ck_assert_ptr_null(parse("[1]", NULL, 0, &err));
    ck_assert_str_eq(err.text,
                     "s.yaml:1:1: expected a map with keys such as \"traffic\", got a list");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("study");
    TCase *core = tcase_create("core"), *limits = tcase_create("limits"),
          *errors = tcase_create("errors");
    TCase *const cases[] = {core, limits, errors};
    tcase_add_test(core, defaults);
    tcase_add_test(core, inline_overrides);
    tcase_add_test(core, per_service_settings);
    tcase_add_test(core, resolved_round_trips);
    tcase_add_test(core, fingerprint_follows_traffic);
    tcase_add_test(core, meta_is_complete);
    tcase_add_test(core, slow_and_correlated);
    tcase_add_test(core, sla_words);
    tcase_add_test(core, queries_kept);
    tcase_add_test(limits, one_server_per_cell);
    tcase_add_test(limits, overload_is_allowed);
    tcase_add_test(errors, keys_of_policies);
    tcase_add_test(errors, zero_delay);
    tcase_add_test(errors, wrong_values);
    tcase_add_test(errors, missing_keys);
    for (size_t i = 0; i < 3; i++) {
        tcase_add_checked_fixture(cases[i], load, unload);
        suite_add_tcase(suite, cases[i]);
    }
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
