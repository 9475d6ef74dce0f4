// SPDX-License-Identifier: Apache-2.0
#include "results/file/tuning_result.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/fixture_tuning.h"
#include "support/suite.h"

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

// Every (cell, policy) has an outcome of its own.
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
        step.batch_items = i;
        tuning_result_add_step(t, &step);
    }
    ck_assert_uint_eq(t->n_steps, 1000);
    for (uint32_t i = 0; i < 1000; i++)
        ck_assert_uint_eq(t->steps[i].batch_items, i);
    tuning_result_destroy(t);
}
END_TEST

// Cells are named by their labels, policies found by name.
START_TEST(names)
{
    struct tuning_result *t = fixture_tuning(2), *least = fixture_tuning_least();
    char *name = tuning_result_point_name(t, 5), *none = tuning_result_point_name(least, 0);
    ck_assert_str_eq(name, "model=rmc2, target=low, platform=cpu + gpu, ti");
    ck_assert_str_eq(none, "");
    ck_assert_str_eq(tuning_result_label(t, 2, 1), "medium");
    ck_assert_int_eq(tuning_result_find_policy(t, "exhaustive"), 2);
    ck_assert_int_eq(tuning_result_find_policy(t, "exhaust"), -1);
    mem_free(name);
    mem_free(none);
    tuning_result_destroy(t);
    tuning_result_destroy(least);
}
END_TEST

// NULL is destroyed without effect, and so is one whose names were never filled in.
START_TEST(destroys_anything)
{
    tuning_result_destroy(NULL);
    tuning_result_destroy(tuning_result_create(4, 1, 2));
    struct tuning_result *empty = tuning_result_create(0, 0, 0);
    ck_assert_uint_eq(empty->n_cells, 0);
    tuning_result_destroy(empty);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", starts_unknown},
                                       {"core", outcomes_apart},
                                       {"core", steps_grow},
                                       {"core", names},
                                       {"limits", destroys_anything}};
    return suite_run("tuning_result", tests, sizeof tests / sizeof *tests);
}
