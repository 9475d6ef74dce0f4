// SPDX-License-Identifier: Apache-2.0
#include "results/file/tuning_result.h"

#include <math.h>
#include <unistd.h>

#include "results/file/dataset_read.h"
#include "results/file/dataset_write.h"
#include "results/file/fixture_tuning.h"
#include "results/file/same_artefact.h"
#include "results/fixture.h"
#include "support/suite.h"

#define PATH "test_tuning_result.h5"

// A new tuning knows nothing: reals are NaN and nothing was asked, but counts and seconds are 0.
START_TEST(starts_unknown)
{
    struct tuning_result *t = tuning_result_create(1, 2, 3);
    struct tuning_outcome *o = tuning_result_outcome_at(t, 1, 2);
    ck_assert_double_nan(o->qps);
    ck_assert_double_nan(o->floor_s);
    ck_assert_int_eq(o->confirmed, VERDICT_NOT_ASKED);
    ck_assert_int_eq(o->at_qps.stable, VERDICT_NOT_ASKED);
    ck_assert_uint_eq(o->n_queries, 0);
    ck_assert_double_eq(o->wall_s, 0);
    ck_assert_uint_eq(t->n_steps, 0);
    tuning_result_destroy(t);
}
END_TEST

// Every (point, policy) has an outcome of its own.
START_TEST(outcomes_apart)
{
    struct tuning_result *t = tuning_result_create(0, 3, 2);
    for (uint32_t i = 0; i < 6; i++)
        tuning_result_outcome_at(t, i / 2, i % 2)->qps = i;
    for (uint32_t i = 0; i < 6; i++)
        ck_assert_double_eq(t->outcomes[i].qps, i);
    tuning_result_destroy(t);
}
END_TEST

// Steps are copied and keep their order, beyond any first allocation.
START_TEST(steps_grow)
{
    struct tuning_result *t = tuning_result_create(0, 1, 1);
    struct tuning_step step = {0};
    for (uint32_t i = 0; i < 1000; i++) {
        step.settings[0] = i;
        tuning_result_add_step(t, &step);
    }
    ck_assert_uint_eq(t->n_steps, 1000);
    for (uint32_t i = 0; i < 1000; i++)
        ck_assert_uint_eq(t->steps[i].settings[0], i);
    tuning_result_destroy(t);
}
END_TEST

// Policies are found by name.
START_TEST(names)
{
    struct tuning_result *t = fixture_tuning(2);
    ck_assert_int_eq(tuning_result_find_policy(t, "exhaustive"), 2);
    ck_assert_int_eq(tuning_result_find_policy(t, "exhaust"), -1);
    tuning_result_destroy(t);
}
END_TEST

// Every member of a row is named once, but the settings, which the scheduler names, the wall time,
// which stands in /run, the queries of a held rate, which no search counts, and the compiler's
// gaps.
START_TEST(layout_is_complete)
{
    same_artefact_layout(&tuning_result_layout, sizeof(struct tuning_outcome));
}
END_TEST

// A grid, and a study without one, come back from their files, but for the settings: those are for
// other programs.
START_TEST(round_trips)
{
    struct tuning_result *sets[] = {fixture_tuning(2), fixture_tuning_least()};
    for (int i = 0; i < 2; i++) {
        struct run_info run = fixture_run();
        struct tuning_result back;
        struct err err = {0};
        int rc = dataset_write(&tuning_result_layout, sets[i], &run, PATH, true, &err);
        ck_assert_msg(rc == 0, "%s", err.text);
        rc = dataset_read(&tuning_result_layout, PATH, DATASET_ALL, &back, NULL, &err);
        ck_assert_msg(rc == 0, "%s", err.text);
        same_artefact(&tuning_result_layout, sets[i], &back);
        ck_assert_uint_eq(back.outcomes[0].settings[0], 0);
        dataset_destroy(&tuning_result_layout, &back);
        tuning_result_destroy(sets[i]);
    }
    unlink(PATH);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", starts_unknown},     {"core", outcomes_apart},
                                       {"core", steps_grow},         {"core", names},
                                       {"core", layout_is_complete}, {"core", round_trips}};
    return suite_run("tuning_result", tests, sizeof tests / sizeof *tests);
}
