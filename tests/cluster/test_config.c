// SPDX-License-Identifier: Apache-2.0
#include "cluster/config.h"

#include <string.h>

#include "base/simtime.h"
#include "cluster/fixture.h"
#include "cluster/policy.h"
#include "support/suite.h"

// The defaults that a study without a line about the balancer gets.
START_TEST(defaults)
{
    struct balancer_config config = {.policy = 5};
    schema_defaults(balancer_fields, &config);
    ck_assert_int_eq(config.policy, 5); // not a field: whoever reads studies sets it
    ck_assert_int_eq(config.load, LOAD_QUERIES);
    ck_assert_int_eq(config.dispatch_delay_ns, 50 * SIMTIME_US);
    ck_assert_int_eq(config.return_delay_ns, 0);
    ck_assert_int_eq(config.status_delay_ns, 50 * SIMTIME_US);
    ck_assert_int_eq(config.report_period_ns, 0);
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
    ck_assert_int_eq(n, 5);
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

// Servers can be out of service by crashes, by events or by schedule, of any group, and else never.
START_TEST(causes_of_outages)
{
    static const uint32_t n_on[] = {4};
    const struct outage_event event = {.for_ns = 1};
    struct fixture fixture;
    fixture_init(&fixture, 1, 2);
    struct fleet_config *config = &fixture.config;
    ck_assert(!fleet_has_outages(config));
    config->outages = (struct outage_config){.retries = 1, .detect_delay_ns = 1, .failover = true};
    ck_assert(!fleet_has_outages(config));
    config->outages = (struct outage_config){.mtbf_s = 1};
    ck_assert(fleet_has_outages(config));
    config->outages = (struct outage_config){.events = &event, .n_events = 1};
    ck_assert(fleet_has_outages(config));
    config->outages = (struct outage_config){0};
    fixture.groups[1].on = (struct on_schedule){.n_on = n_on, .n_steps = 1, .step_ns = 1};
    ck_assert(fleet_has_outages(config));
}
END_TEST

// Balancers are told of completions when their policy looks at servers, and parcels are answered
// then or where servers can lose queries.
START_TEST(who_is_told)
{
    struct fixture fixture;
    fixture_init(&fixture, 1, 1);
    struct fleet_config *config = &fixture.config;
    config->balancer.policy = policy_find("power-of-two");
    ck_assert(fleet_has_feedback(config) && fleet_wants_answers(config));
    config->balancer.policy = policy_find("random");
    ck_assert(!fleet_has_feedback(config) && !fleet_wants_answers(config));
    config->outages.retries = 1;
    ck_assert(!fleet_wants_answers(config));
    config->outages.mtbf_s = 1;
    ck_assert(!fleet_has_feedback(config) && fleet_wants_answers(config));
    config->outages.retries = 0;
    ck_assert(fleet_wants_answers(config));
}
END_TEST

// The ends of the ranges are accepted.
START_TEST(ends_of_ranges)
{
    static const char *const good[][2] = {
        {"status_delay", "10s"}, {"return_delay", "0"}, {"report_period", "0"}};
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
    static const char *const bad[][2] = {{"load", "watts"},
                                         {"dispatch_delay", "-1us"},
                                         {"dispatch_delay", "11s"},
                                         {"dispatch_delay", "50"}};
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
    const struct suite_test tests[] = {{"core", defaults},       {"core", rows},
                                       {"core", load_units},     {"core", causes_of_outages},
                                       {"core", who_is_told},    {"limits", ends_of_ranges},
                                       {"errors", beyond_ranges}};
    return suite_run("config", tests, sizeof tests / sizeof *tests);
}
