// SPDX-License-Identifier: Apache-2.0
#include "study/study_tune.h"

#include <string.h>

#include "base/mem.h"
#include "study/study.h"
#include "support/suite.h"

#define HEAD                                                                                       \
    "duration: 1s\n"                                                                               \
    "traffic:\n"                                                                                   \
    "  - {service: feed, model: wnd, rate: 10qps, sla: {p95: 25ms}}\n"                             \
    "  - {service: ads, model: rmc1, rate: 10qps}\n"                                               \
    "fleet:\n"                                                                                     \
    "  groups:\n"                                                                                  \
    "    - {name: cpu, platform: skylake, servers: 1}\n"                                           \
    "    - {name: gpu, platform: skylake, accelerator: gtx1080ti, servers: 1}\n"

static struct study *parse(const char *tune, struct err *err)
{
    struct library library;
    char *text = mem_printf(HEAD "tune: %s\n", tune);
    *err = (struct err){0};
    ck_assert_int_eq(library_load(&library, err), 0);
    struct study *study = study_parse("s.yaml", text, strlen(text), NULL, 0, &library, true, err);
    library_release(&library);
    mem_free(text);
    return study;
}

static struct study *parsed(const char *tune)
{
    struct err err;
    struct study *study = parse(tune, &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    return study;
}

static void assert_refused(const char *tune, const char *line)
{
    struct err err;
    ck_assert_msg(parse(tune, &err) == NULL, "%s was accepted", tune);
    ck_assert_str_eq(err.text, line);
    ck_assert_int_eq(err.code, ERR_STUDY);
}

// The defaults: the baseline and the hill climb, one per cent, no further bound, built-in grids.
START_TEST(defaults)
{
    struct study *study = parsed("");
    const struct study_tune *tune = &study->tune;
    ck_assert_str_eq(tune->policies, "static, deeprecsched");
    ck_assert_str_eq(tune->service, "");
    ck_assert_str_eq(tune->group, "");
    ck_assert_double_eq(tune->p99_bound, 0);
    ck_assert_double_eq(tune->accuracy_frac, 0.01);
    ck_assert_int_eq(tune->queries, 30000);
    ck_assert_int_eq(tune->max_queries, 480000);
    ck_assert(tune->confirm);
    ck_assert_uint_eq(tune->batch_items.n + tune->offload_items.n, 0);
    ck_assert(!tune->has_sizes);
    ck_assert_ptr_null(tune->sizes_table);
    study_destroy(study);
}
END_TEST

// Every key is read into its member.
START_TEST(all_keys)
{
    struct study *study = parsed(
        "{policies: [exhaustive, static], service: feed, group: gpu, p99_bound: 2, accuracy: "
        "2%, queries: 1000, max_queries: 1000, confirm: false, batch_items: [1, 65535], "
        "offload_items: [20, 65536], sizes: {distribution: fixed, items: 9}}");
    const struct study_tune *tune = &study->tune;
    ck_assert_str_eq(tune->policies, "exhaustive, static");
    ck_assert(study_tune_has_service(study, 0) && !study_tune_has_service(study, 1));
    ck_assert(!study_tune_has_group(study, 0) && study_tune_has_group(study, 1));
    ck_assert_double_eq(tune->p99_bound, 2);
    ck_assert_double_eq(tune->accuracy_frac, 0.02);
    ck_assert_int_eq(tune->queries, 1000);
    ck_assert_int_eq(tune->max_queries, 1000);
    ck_assert(!tune->confirm);
    ck_assert_uint_eq(tune->batch_items.n, 2);
    ck_assert_double_eq(tune->batch_items.v[1], 65535);
    ck_assert_double_eq(tune->offload_items.v[1], 65536);
    ck_assert(tune->has_sizes);
    ck_assert_uint_eq(qsize_max_items(tune->sizes_table), 9);
    study_destroy(study);
}
END_TEST

// Without names all services and groups are tuned.
START_TEST(all_are_tuned)
{
    struct study *study = parsed("{}");
    for (size_t i = 0; i < 2; i++)
        ck_assert(study_tune_has_service(study, i) && study_tune_has_group(study, i));
    study_destroy(study);
}
END_TEST

// Policies come back one by one, in the order given; a single name needs no list.
START_TEST(policies_one_by_one)
{
    struct study *study = parsed("{policies: [reference, fixed]}");
    char name[32];
    ck_assert(study_tune_policy(&study->tune, 0, name, sizeof name));
    ck_assert_str_eq(name, "reference");
    ck_assert(study_tune_policy(&study->tune, 1, name, sizeof name));
    ck_assert_str_eq(name, "fixed");
    ck_assert(!study_tune_policy(&study->tune, 2, name, sizeof name));
    study_destroy(study);
    study = parsed("{policies: exhaustive}");
    ck_assert_str_eq(study->tune.policies, "exhaustive");
    study_destroy(study);
}
END_TEST

static void assert_round_trip(const char *tune)
{
    struct library library;
    struct err err = {0};
    struct study *study = parsed(tune);
    char *text = study_format(study);
    ck_assert_int_eq(library_load(&library, &err), 0);
    struct study *back = study_parse("r.yaml", text, strlen(text), NULL, 0, &library, true, &err);
    ck_assert_msg(back != NULL, "%s", err.text);
    char *again = study_format(back);
    ck_assert_str_eq(again, text);
    ck_assert_str_eq(back->tune.policies, study->tune.policies);
    ck_assert_uint_eq(back->tune.batch_items.n, study->tune.batch_items.n);
    ck_assert_int_eq(back->tune.has_sizes, study->tune.has_sizes);
    mem_free(again);
    mem_free(text);
    study_destroy(back);
    study_destroy(study);
    library_release(&library);
}

// The resolved study holds the section and reads back to the same.
START_TEST(round_trip)
{
    assert_round_trip("");
    assert_round_trip("{policies: [fixed, static], accuracy: 0.7%, group: gpu}");
    assert_round_trip("{batch_items: [1, 2, 3], sizes: {distribution: lognormal, mu: 4}}");
    assert_round_trip("{offload_items: [7], sizes: mlperf, confirm: false}");
}
END_TEST

// The ends of the ranges are inside, what lies beyond is not.
START_TEST(ranges)
{
    study_destroy(parsed("{accuracy: 0.1%, p99_bound: 1.001}"));
    study_destroy(parsed("{accuracy: 20%, p99_bound: 0}"));
    assert_refused("{accuracy: 0.05%}", "s.yaml:9:18: tune.accuracy: expected a fraction such as "
                                        "\"0.25\" or \"25%\" from 0.001 to 0.2, got \"0.05%\"");
    assert_refused("{accuracy: 30%}", "s.yaml:9:18: tune.accuracy: expected a fraction such as "
                                      "\"0.25\" or \"25%\" from 0.001 to 0.2, got \"30%\"");
    assert_refused("{p99_bound: 1}", "s.yaml:9:19: tune.p99_bound: expected 0 or more than 1 "
                                     "(times the target), got 1");
    assert_refused("{max_queries: 29999}",
                   "s.yaml:9:21: tune.max_queries: expected at least queries (30000), got 29999");
    assert_refused("{queries: 480001}",
                   "s.yaml:9:7: tune.max_queries: expected at least queries (480001), got 480000");
}
END_TEST

// A grid holds whole, ascending sizes in range, and at least one.
START_TEST(bad_grids)
{
    assert_refused("{batch_items: []}", "s.yaml:9:21: tune.batch_items: empty grid; expected at "
                                        "least one number of items");
    assert_refused("{offload_items: []}", "s.yaml:9:23: tune.offload_items: empty grid; expected "
                                          "at least one number of items");
    assert_refused("{batch_items: [2, 2]}",
                   "s.yaml:9:21: tune.batch_items: expected ascending items, got 2 after 2");
    assert_refused("{batch_items: [1.5]}",
                   "s.yaml:9:21: tune.batch_items: expected whole items, got 1.5");
    assert_refused("{batch_items: [1, 65536]}",
                   "s.yaml:9:21: tune.batch_items: element 1: expected a list, each a number of "
                   "items such as \"64\" from 1 to 65535, got \"65536\"");
    assert_refused("{offload_items: [0]}",
                   "s.yaml:9:23: tune.offload_items: element 0: expected a list, each a number of "
                   "items such as \"64\" from 1 to 65536, got \"0\"");
}
END_TEST

// Names are those of the study and of the policies.
START_TEST(bad_names)
{
    assert_refused("{policies: [static, exhaustiv]}",
                   "s.yaml:9:27: tune.policies[1]: unknown tuning policy \"exhaustiv\"; did you "
                   "mean \"exhaustive\"?");
    assert_refused("{policies: [static, static]}",
                   "s.yaml:9:27: tune.policies[1]: policy static is there already");
    assert_refused("{policies: []}",
                   "s.yaml:9:18: tune.policies: empty; expected at least one policy");
    assert_refused("{service: fed}", "s.yaml:9:17: tune.service: unknown service \"fed\"; did you "
                                     "mean \"feed\"?");
    assert_refused("{group: quantum}",
                   "s.yaml:9:15: tune.group: unknown group \"quantum\"; expected one of cpu, gpu");
    assert_refused("{polices: [static]}",
                   "s.yaml:9:8: tune.polices: unknown key; did you mean \"policies\"?");
    assert_refused("{sizes: {distribution: prod}}",
                   "s.yaml:9:30: tune.sizes.distribution: unknown size distribution \"prod\"; did "
                   "you mean \"production\"?");
    assert_refused("[static]", "s.yaml:9:7: tune: expected a map, got a list");
}
END_TEST

static void assert_untunable(const char *tune, const char *line)
{
    struct err err;
    struct study *study = parsed(tune);
    ck_assert_int_eq(study_tune_check(study, &err), -1);
    ck_assert_str_eq(err.text, line);
    ck_assert_int_eq(err.code, ERR_STUDY);
    study_destroy(study);
}

// A study without a target can be run, but not tuned; a service that is not tuned needs none.
START_TEST(needs_a_target)
{
    struct err err;
    assert_untunable("{}", "s.yaml: tune: service \"ads\" has no latency target; give "
                           "traffic[1].sla");
    struct study *study = parsed("{service: feed}");
    ck_assert_int_eq(study_tune_check(study, &err), 0);
    study_destroy(study);
}
END_TEST

// Thresholds are for groups with an accelerator.
START_TEST(thresholds_need_an_accelerator)
{
    struct err err;
    assert_untunable("{service: feed, group: cpu, offload_items: [100]}",
                     "s.yaml: tune.offload_items: no group that is tuned has an accelerator that "
                     "its services can "
                     "use");
    struct study *study = parsed("{service: feed, group: gpu, offload_items: [100]}");
    ck_assert_int_eq(study_tune_check(study, &err), 0);
    study_destroy(study);
    study = parsed("{service: feed, offload_items: [100]}");
    ck_assert_int_eq(study_tune_check(study, &err), 0);
    study_destroy(study);
}
END_TEST

// What `exhaustive` tries must not be beyond the largest query: said before hours of work.
START_TEST(grids_end_at_the_largest_query)
{
    struct err err;
    assert_untunable("{service: feed, policies: exhaustive, sizes: {distribution: fixed, items: "
                     "9}, batch_items: [1, 10]}",
                     "s.yaml: tune.batch_items: expected 1 .. 9 (the largest query), got 10");
    assert_untunable("{service: feed, policies: exhaustive, sizes: {distribution: fixed, items: "
                     "9}, accel_items: [577]}",
                     "s.yaml: tune.accel_items: expected 1 .. 576 (64 times the largest query), "
                     "got 577");
    struct study *study = parsed("{service: feed, policies: exhaustive, sizes: {distribution: "
                                 "fixed, items: 9}, batch_items: [1, 9]}");
    ck_assert_int_eq(study_tune_check(study, &err), 0);
    study_destroy(study);
}
END_TEST

// Runs too short to decide anything would call every target unreachable.
START_TEST(runs_must_be_able_to_decide)
{
    struct err err;
    struct study *study = parsed("{service: feed, p99_bound: 2, queries: 1000}");
    double least = study_tune_least_queries(study);
    // 250 beyond the p99 of nine tenths of the run, of this service's share of it.
    ck_assert_double_ge(least, 250 / 0.01 / 0.9);
    study->tune.max_queries = (int64_t)least;
    ck_assert_int_eq(study_tune_check(study, &err), 0);
    study->tune.max_queries = (int64_t)least - 1;
    ck_assert_int_eq(study_tune_check(study, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "tune.max_queries"));
    study_destroy(study);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", defaults},
        {"core", all_keys},
        {"core", all_are_tuned},
        {"core", policies_one_by_one},
        {"core", round_trip},
        {"limits", ranges},
        {"errors", bad_grids},
        {"errors", bad_names},
        {"errors", needs_a_target},
        {"errors", thresholds_need_an_accelerator},
        {"errors", grids_end_at_the_largest_query},
        {"errors", runs_must_be_able_to_decide},
    };
    return suite_run("study_tune", tests, sizeof tests / sizeof *tests);
}
