// SPDX-License-Identifier: Apache-2.0
#include "cluster/config.h"

#include <string.h>

#include "base/simtime.h"
#include "support/suite.h"

// The defaults that a study without a line about the balancer gets.
START_TEST(defaults)
{
    struct balancer_config config = {.policy = 5};
    schema_defaults(balancer_fields, &config);
    ck_assert_int_eq(config.policy, 5); // not a field: whoever reads studies sets it
    ck_assert_int_eq(config.d, 2);
    ck_assert_int_eq(config.load, LOAD_QUERIES);
    ck_assert_int_eq(config.dispatch_delay_ns, 50 * SIMTIME_US);
    ck_assert_int_eq(config.return_delay_ns, 0);
    ck_assert_int_eq(config.status_delay_ns, 50 * SIMTIME_US);
    ck_assert_int_eq(config.report_period_ns, 0);
    ck_assert_int_eq(config.large_items, 256);
    ck_assert_double_eq(config.large_frac, 0.5); // a power of two is read exactly
}
END_TEST

// Every member but the policy has one row, with help and a default, and rows do not share members.
START_TEST(rows)
{
    int n = 0;
    for (const struct field *a = balancer_fields; a->key; a++, n++) {
        ck_assert_ptr_nonnull(a->dflt);
        ck_assert(strlen(a->help) > 0);
        ck_assert_uint_lt(a->offset, sizeof(struct balancer_config));
        for (const struct field *b = a + 1; b->key; b++) {
            ck_assert_str_ne(a->key, b->key);
            ck_assert_uint_ne(a->offset, b->offset);
        }
    }
    ck_assert_int_eq(n, 8);
}
END_TEST

// A load unit is written by its name, in the order of the enum.
START_TEST(load_units)
{
    static const char *const names[N_LOAD_UNITS] = {"queries", "requests", "items", "work"};
    const struct field *field = schema_find(balancer_fields, "load");
    for (int unit = 0; unit < N_LOAD_UNITS; unit++) {
        struct balancer_config config = {0};
        ck_assert_str_eq(load_unit_names[unit], names[unit]);
        ck_assert_int_eq(schema_parse(field, names[unit], &config, NULL), 0);
        ck_assert_int_eq(config.load, unit);
    }
    ck_assert_ptr_null(load_unit_names[N_LOAD_UNITS]);
}
END_TEST

// The ends of the ranges are accepted.
START_TEST(ends_of_ranges)
{
    static const char *const good[][2] = {{"d", "1"},
                                          {"d", "16"},
                                          {"status_delay", "10s"},
                                          {"return_delay", "0"},
                                          {"large_items", "1"},
                                          {"large_items", "65535"},
                                          {"large_frac", "0"},
                                          {"large_frac", "1"},
                                          {"report_period", "0"}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct balancer_config config = {0};
        struct err err = {0};
        int rc = schema_parse(schema_find(balancer_fields, good[i][0]), good[i][1], &config, &err);
        ck_assert_msg(rc == 0, "%s: %s: %s", good[i][0], good[i][1], err.text);
    }
}
END_TEST

// Beyond them, and in another unit, it is the user's mistake.
START_TEST(beyond_ranges)
{
    static const char *const bad[][2] = {{"d", "0"},
                                         {"d", "17"},
                                         {"load", "watts"},
                                         {"dispatch_delay", "-1us"},
                                         {"dispatch_delay", "11s"},
                                         {"dispatch_delay", "50"},
                                         {"large_items", "0"},
                                         {"large_items", "65536"},
                                         {"large_frac", "1.01"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct balancer_config config = {0};
        struct err err = {0};
        int rc = schema_parse(schema_find(balancer_fields, bad[i][0]), bad[i][1], &config, &err);
        ck_assert_msg(rc == -1, "%s: %s was accepted", bad[i][0], bad[i][1]);
        ck_assert_int_eq(err.code, ERR_STUDY);
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", defaults},
                                       {"core", rows},
                                       {"core", load_units},
                                       {"limits", ends_of_ranges},
                                       {"errors", beyond_ranges}};
    return suite_run("config", tests, sizeof tests / sizeof *tests);
}
