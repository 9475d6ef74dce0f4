// SPDX-License-Identifier: Apache-2.0
#include "study/study_checkpoint.h"

#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "study/study.h"
#include "support/suite.h"

static struct study *parse(const char *section, struct err *err)
{
    struct library library;
    char *text = mem_printf("duration: 1s\n"
                            "traffic: [{service: a, rate: 1qps}]\n"
                            "fleet: {groups: [{cores: 2, servers: 1, "
                            "cost: {kind: synthetic, fixed: 1ms}}]}\n"
                            "checkpoint: %s\n",
                            section);
    *err = (struct err){0};
    ck_assert_int_eq(library_load(&library, err), 0);
    struct study *study = study_parse("s.yaml", text, strlen(text), NULL, 0, &library, true, err);
    library_release(&library);
    mem_free(text);
    return study;
}

static struct study *parsed(const char *section)
{
    struct err err;
    struct study *study = parse(section, &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    return study;
}

// Without the section a run is saved every ten minutes, beside its results.
START_TEST(defaults)
{
    struct study *study = parsed("");
    char *path = study_checkpoint_path(study, "out/day.h5");
    ck_assert_int_eq(study->checkpoint.every_ns, 600 * SIMTIME_S);
    ck_assert_str_eq(path, "out/day.h5.checkpoint");
    mem_free(path);
    study_destroy(study);
}
END_TEST

// Both keys are read, and the file is used as it was given.
START_TEST(all_keys)
{
    struct study *study = parsed("{every: 1.5s, file: scratch/x}");
    char *path = study_checkpoint_path(study, "day.h5");
    ck_assert_int_eq(study->checkpoint.every_ns, 1500 * SIMTIME_MS);
    ck_assert_str_eq(path, "scratch/x");
    mem_free(path);
    study_destroy(study);
}
END_TEST

// The resolved study holds the section, so that the file says how it was made.
START_TEST(section_is_printed)
{
    struct study *study = parsed("{every: 0}");
    char *text = study_format(study);
    ck_assert_msg(strstr(text, "checkpoint:\n  every: 0s\n  file: \"\"\n") != NULL, "%s", text);
    mem_free(text);
    study_destroy(study);
}
END_TEST

// Never is allowed (a signal still asks), less than that is not.
START_TEST(zero_is_the_least)
{
    struct err err;
    struct study *study = parsed("{every: 0}");
    ck_assert_int_eq(study->checkpoint.every_ns, 0);
    study_destroy(study);
    ck_assert_ptr_null(parse("{every: -1s}", &err));
    ck_assert_ptr_nonnull(strstr(err.text, "s.yaml:4:21: checkpoint.every: expected a time"));
}
END_TEST

// An unknown key, and something that is no map, are errors with their place.
START_TEST(mistakes_have_their_place)
{
    struct err err;
    ck_assert_ptr_null(parse("{evry: 1s}", &err));
    ck_assert_ptr_nonnull(
        strstr(err.text, "s.yaml:4:14: checkpoint.evry: unknown key; did you mean \"every\"?"));
    ck_assert_ptr_null(parse("10min", &err));
    ck_assert_ptr_nonnull(strstr(err.text, "s.yaml:4:13: checkpoint: expected a map"));
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", defaults},
                                       {"core", all_keys},
                                       {"core", section_is_printed},
                                       {"limits", zero_is_the_least},
                                       {"errors", mistakes_have_their_place}};
    return suite_run("study_checkpoint", tests, sizeof tests / sizeof *tests);
}
