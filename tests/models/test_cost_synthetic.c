// SPDX-License-Identifier: Apache-2.0
#include "models/cost_synthetic.h"

#include "support/suite.h"

static const struct platform four = {.cores = 4, .sockets = 1, .power = {.gamma = 1}};
static const struct platform with_card = {.cores = 4,
                                          .sockets = 1,
                                          .power = {.gamma = 1},
                                          .has_accelerator = true,
                                          .accelerator = {.streams = 1, .power = {.gamma = 1}}};
static const struct platform one = {.cores = 1, .sockets = 1, .power = {.gamma = 1}};

static struct cost *made(struct cost_config *config, const struct platform *platform)
{
    struct err err = {0};
    config->kind = cost_type_find("synthetic");
    struct cost *cost = cost_create(config, NULL, platform, &err);
    ck_assert_msg(cost != NULL, "%s", err.text);
    return cost;
}

// 1/4 s + 1/8 s per item: sums of powers of two are exact.
START_TEST(time_is_affine_in_items)
{
    struct cost_config config = {.fixed_s = 0.25, .per_item_s = 0.125};
    struct cost *cost = made(&config, &four);
    ck_assert_double_eq(cost_cpu_s(cost, 1, 1), 0.375);
    ck_assert_double_eq(cost_cpu_s(cost, 1000, 4), 125.25);
    ck_assert(!cost_depends_on_busy(cost));
    cost_destroy(cost);
}
END_TEST

// Contention runs from none alone to all of it with every core busy: halves at 3 of 5 cores' steps.
START_TEST(contention_grows_with_busy_cores)
{
    struct platform five = {.cores = 5, .sockets = 1, .power = {.gamma = 1}};
    struct cost_config config = {.per_item_s = 1, .contention_frac = 0.5};
    struct cost *cost = made(&config, &five);
    ck_assert(cost_depends_on_busy(cost));
    ck_assert_double_eq(cost_cpu_s(cost, 2, 1), 2);
    ck_assert_double_eq(cost_cpu_s(cost, 2, 3), 2.5);
    ck_assert_double_eq(cost_cpu_s(cost, 2, 5), 3);
    cost_destroy(cost);
}
END_TEST

// An accelerator has numbers of its own, apart from the CPU's.
START_TEST(accelerator_has_its_own_numbers)
{
    struct cost_config config = {.per_item_s = 1,
                                 .accel_fixed_s = 0.5,
                                 .accel_per_item_s = 0.25,
                                 .accel_load_fixed_s = 2,
                                 .accel_load_per_item_s = 4};
    struct cost *cost = made(&config, &with_card);
    ck_assert(cost_has_accel(cost));
    ck_assert_double_eq(cost_accel_compute_s(cost, 2), 1);
    ck_assert_double_eq(cost_accel_load_s(cost, 2), 10);
    cost_destroy(cost);
}
END_TEST

// None of the four given: there is no accelerator to offload to.
START_TEST(without_numbers_there_is_no_accelerator)
{
    struct cost_config config = {.fixed_s = 1};
    struct cost *cost = made(&config, &with_card);
    ck_assert(!cost_has_accel(cost));
    cost_destroy(cost);
}
END_TEST

// Times of an accelerator do not make one: a study that takes it away (accelerator: none) keeps
// them.
START_TEST(without_accelerator_its_numbers_do_not_count)
{
    struct cost_config config = {.fixed_s = 1, .accel_fixed_s = 0.5};
    struct cost *cost = made(&config, &four);
    ck_assert(!cost_has_accel(cost));
    cost_destroy(cost);
}
END_TEST

// A lone core has nothing to contend with, and nothing is divided by zero cores.
START_TEST(one_core_has_no_contention)
{
    struct cost_config config = {.fixed_s = 1, .contention_frac = 0.5};
    struct cost *cost = made(&config, &one);
    ck_assert(!cost_depends_on_busy(cost));
    ck_assert_double_eq(cost_cpu_s(cost, 1, 1), 1);
    cost_destroy(cost);
}
END_TEST

// Work that takes no time is a forgotten key.
START_TEST(no_time_at_all_is_refused)
{
    struct cost_config config = {.kind = cost_type_find("synthetic"), .accel_fixed_s = 1};
    struct err err;
    ck_assert_ptr_null(cost_create(&config, NULL, &four, &err));
    ck_assert_str_eq(err.text, "fixed, per_item: a synthetic cost needs one of them above 0");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", time_is_affine_in_items},
        {"core", contention_grows_with_busy_cores},
        {"core", accelerator_has_its_own_numbers},
        {"core", without_numbers_there_is_no_accelerator},
        {"limits", without_accelerator_its_numbers_do_not_count},
        {"limits", one_core_has_no_contention},
        {"errors", no_time_at_all_is_refused},
    };
    return suite_run("cost_synthetic", tests, sizeof tests / sizeof *tests);
}
