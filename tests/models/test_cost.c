// SPDX-License-Identifier: Apache-2.0
#include "models/cost.h"

#include <string.h>

#include "support/suite.h"

// Every kind is found by its name and has what the interface calls.
START_TEST(kinds_are_found_by_name)
{
    int n = 0;
    for (; cost_types[n]; n++) {
        const struct cost_type *type = cost_types[n];
        ck_assert_int_eq(cost_type_find(type->name), n);
        ck_assert(type->help && type->fields && type->check && type->has_accel);
        ck_assert(type->cpu_s && type->accel_load_s && type->accel_compute_s);
        ck_assert(type->depends_on_busy != NULL);
    }
    ck_assert_int_eq(n, 3);
    ck_assert_int_ge(cost_type_find("roofline"), 0);
    ck_assert_int_ge(cost_type_find("table"), 0);
    ck_assert_int_ge(cost_type_find("synthetic"), 0);
}
END_TEST

// Names stand in the order of the enum.
START_TEST(spreads_are_named)
{
    ck_assert_str_eq(cost_spread_names[SPREAD_NONE], "none");
    ck_assert_str_eq(cost_spread_names[SPREAD_EXPONENTIAL], "exponential");
    ck_assert_str_eq(cost_spread_names[SPREAD_GAMMA], "gamma");
    ck_assert_str_eq(cost_spread_names[SPREAD_LOGNORMAL], "lognormal");
    ck_assert_ptr_null(cost_spread_names[N_SPREADS]);
}
END_TEST

// A cost borrows: what it was made from is what it shows.
START_TEST(a_cost_shows_what_it_was_made_from)
{
    struct cost_config config = {.kind = cost_type_find("synthetic"), .fixed_s = 1};
    struct platform platform = {.cores = 1, .sockets = 1, .power = {.gamma = 1}};
    struct cost *cost = cost_create(&config, NULL, &platform, NULL);
    ck_assert_ptr_eq(cost_config_of(cost), &config);
    ck_assert_ptr_eq(cost_platform_of(cost), &platform);
    ck_assert_ptr_null(cost_model_of(cost));
    ck_assert_double_eq(cost_work_of(cost)->lookups_per_item, 0);
    ck_assert_str_eq(cost_type_of(cost)->name, "synthetic");
    cost_destroy(cost);
}
END_TEST

// Cold cores are asked for by a factor above 1; the cost itself stays that of a warm core.
START_TEST(cold_is_beside_the_cost)
{
    struct cost_config config = {.kind = cost_type_find("synthetic"), .fixed_s = 1};
    struct platform platform = {.cores = 1, .sockets = 1, .power = {.gamma = 1}};
    struct cost *cost = cost_create(&config, NULL, &platform, NULL);
    ck_assert(!cost_has_cold(cost));
    config.cold_factor = 1;
    ck_assert(!cost_has_cold(cost));
    cost_destroy(cost);
    config.cold_factor = 1.83;
    config.cooling_s = 9.6e-3;
    config.warming_s = 1.3e-3;
    cost = cost_create(&config, NULL, &platform, NULL);
    ck_assert(cost_has_cold(cost));
    ck_assert_double_eq(cost_cpu_s(cost, 1, 1), 1);
    cost_destroy(cost);
}
END_TEST

// Every kind takes the keys of the cold core.
START_TEST(every_kind_can_be_cold)
{
    for (int i = 0; cost_types[i]; i++) {
        int n = 0;
        for (const struct field *f = cost_types[i]->fields; f->key; f++)
            n += strcmp(f->key, "cold_factor") == 0 || strcmp(f->key, "cooling_time") == 0 ||
                 strcmp(f->key, "warming_time") == 0;
        ck_assert_int_eq(n, 3);
    }
}
END_TEST

// Destroying nothing does nothing.
START_TEST(destroy_takes_null)
{
    cost_destroy(NULL);
}
END_TEST

// Unknown kinds are not found.
START_TEST(unknown_kinds_are_not_found)
{
    ck_assert_int_eq(cost_type_find("roof"), -1);
    ck_assert_int_eq(cost_type_find(""), -1);
}
END_TEST

// A core that is cold, but never cools or never warms, is a key forgotten.
START_TEST(cold_needs_its_times)
{
    struct cost_config config = {
        .kind = cost_type_find("synthetic"), .fixed_s = 1, .cold_factor = 1.5};
    struct platform platform = {.cores = 1, .sockets = 1, .power = {.gamma = 1}};
    struct err err;
    ck_assert_ptr_null(cost_create(&config, NULL, &platform, &err));
    ck_assert_str_eq(err.text, "cooling_time: a cold_factor above 1 needs it above 0");
    config.cooling_s = 1;
    ck_assert_ptr_null(cost_create(&config, NULL, &platform, &err));
    ck_assert_str_eq(err.text, "warming_time: a cold_factor above 1 needs it above 0");
}
END_TEST

// A contradiction in the platform or the model is an error of the cost, before its kind looks.
START_TEST(parts_are_checked)
{
    struct cost_config config = {.kind = cost_type_find("synthetic"), .fixed_s = 1};
    struct platform platform = {.cores = 1, .sockets = 2, .power = {.gamma = 1}};
    struct model empty = {0};
    struct err err;
    ck_assert_ptr_null(cost_create(&config, NULL, &platform, &err));
    ck_assert_str_eq(err.text, "sockets: expected 1 to the cores (1), got 2");
    platform.sockets = 1;
    ck_assert_ptr_null(cost_create(&config, &empty, &platform, &err));
    ck_assert_str_eq(err.text, "tables: expected at least one group");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", kinds_are_found_by_name},
        {"core", spreads_are_named},
        {"core", a_cost_shows_what_it_was_made_from},
        {"core", cold_is_beside_the_cost},
        {"core", every_kind_can_be_cold},
        {"limits", destroy_takes_null},
        {"errors", unknown_kinds_are_not_found},
        {"errors", parts_are_checked},
        {"errors", cold_needs_its_times},
    };
    return suite_run("cost", tests, sizeof tests / sizeof *tests);
}
