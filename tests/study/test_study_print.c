// SPDX-License-Identifier: Apache-2.0
#include "study/study_print.h"

#include <string.h>

#include "base/mem.h"
#include "support/suite.h"

static struct study *parsed(const struct library *library, const char *path, const char *text)
{
    struct err err = {0};
    struct study *study = study_parse(path, text, strlen(text), NULL, 0, library, false, &err);
    ck_assert_msg(study != NULL, "%s in\n%s", err.text, text);
    return study;
}

// The text of a study printed, and printed again after reading that; caller mem_free()s.
static char *printed(const char *path, const char *text)
{
    struct library library;
    ck_assert_int_eq(library_load(&library, NULL), 0);
    struct study *study = parsed(&library, path, text);
    char *first = study_print_all(study);
    struct study *back = parsed(&library, path, first);
    char *second = study_print_all(back);
    ck_assert_str_eq(first, second);
    mem_free(second);
    study_destroy(study);
    study_destroy(back);
    library_release(&library);
    return first;
}

static const char *const plain = "duration: 1s\n"
                                 "traffic: [{service: a, rate: 1qps}, {service: b, rate: 2qps}]\n"
                                 "fleet: {groups: [{cores: 2, servers: 1, "
                                 "cost: {kind: synthetic, fixed: 1ms}}]}\n";

// Every default stands there with its value.
START_TEST(defaults_are_written)
{
    char *text = printed("s.yaml", plain);
    const char *const lines[] = {"seed: 1\n",
                                 "warmup: auto\n",
                                 "    sla: none\n",
                                 "  policy: random\n",
                                 "  sample: 1000\n",
                                 "        kind: synthetic\n",
                                 "        fixed: 1ms\n",
                                 "      process: poisson\n"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        ck_assert_msg(strstr(text, lines[i]) != NULL, "no %s in\n%s", lines[i], text);
    mem_free(text);
}
END_TEST

// A service's histories are a distribution like its sizes, and not there where it has none.
START_TEST(histories_are_written)
{
    char *text = printed("s.yaml", "duration: 1s\n"
                                   "traffic: [{service: a, rate: 1qps, history: {distribution: "
                                   "lognormal, mu: 5, max_items: 900}}, {service: b, rate: 2qps}]\n"
                                   "fleet: {groups: [{cores: 2, servers: 1, cost: {kind: "
                                   "synthetic, fixed: 1ms}}]}\n");
    const char *at = strstr(text, "    history:\n      distribution: lognormal\n");
    ck_assert_ptr_nonnull(at);
    ck_assert_ptr_nonnull(strstr(at, "max_items: 900\n"));
    ck_assert_ptr_null(strstr(at + 1, "    history:"));
    mem_free(text);
}
END_TEST

// Services that are run as the first one is are not listed; the others are.
START_TEST(exceptions_are_listed)
{
    char *text = printed("s.yaml", plain);
    ck_assert_ptr_null(strstr(text, "services:"));
    mem_free(text);
    text = printed("s.yaml",
                   "duration: 1s\n"
                   "traffic: [{service: a, rate: 1qps}, {service: b, rate: 2qps}]\n"
                   "fleet: {groups: [{cores: 2, servers: 1, cost: {kind: synthetic, per_item: 1us, "
                   "services: [{service: b, fixed: 1ms}]}}]}\n");
    ck_assert_ptr_nonnull(strstr(text, "        services:\n        -\n          service: b\n"));
    mem_free(text);
}
END_TEST

// A file beside the study is written as the study had it, wherever the study lies.
START_TEST(files_stay_relative)
{
    char *text =
        printed("deep/folder/s.yaml",
                "duration: 1s\n"
                "traffic: [{service: a, rate: 1qps, "
                "arrivals: {process: diurnal, curve_file: sub/day.csv}, "
                "sizes: {distribution: empirical, file: sub/sizes.csv}}]\n"
                "fleet: {groups: [{cores: 2, servers: 1, cost: {kind: synthetic, fixed: 1s}}]}\n");
    ck_assert_ptr_nonnull(strstr(text, "      file: sub/sizes.csv\n"));
    ck_assert_ptr_nonnull(strstr(text, "      curve_file: sub/day.csv\n"));
    mem_free(text);
}
END_TEST

// Names that YAML would read as something else are quoted.
START_TEST(odd_names)
{
    char *text = printed("s.yaml", "name: \"a: \\\"b\\\" \\\\ #\"\n"
                                   "duration: 1s\n"
                                   "traffic: [{service: \"null\", rate: 1qps}]\n"
                                   "fleet: {groups: [{cores: 2, servers: 1, "
                                   "cost: {kind: synthetic, fixed: 1s}}]}\n");
    ck_assert_ptr_nonnull(strstr(text, "name: \"a: \\\"b\\\" \\\\ #\"\n"));
    ck_assert_ptr_nonnull(strstr(text, "service: \"null\"\n"));
    mem_free(text);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", defaults_are_written},
                                       {"core", histories_are_written},
                                       {"core", exceptions_are_listed},
                                       {"core", files_stay_relative},
                                       {"limits", odd_names}};
    return suite_run("study_print", tests, sizeof tests / sizeof *tests);
}
