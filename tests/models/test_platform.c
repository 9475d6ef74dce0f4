// SPDX-License-Identifier: Apache-2.0
#include "models/platform.h"

#include "base/mem.h"
#include "support/suite.h"

static struct platform made(int64_t cores, int64_t sockets)
{
    struct platform platform = {0};
    schema_defaults(platform_fields, &platform);
    platform.cores = cores;
    platform.sockets = sockets;
    return platform;
}

static struct accelerator made_accelerator(const char *name)
{
    struct accelerator accelerator = {0};
    schema_defaults(accelerator_fields, &accelerator);
    mem_free(accelerator.name);
    accelerator.name = mem_strdup(name);
    return accelerator;
}

// A platform of which nothing is said serves the synthetic cost: it is valid.
START_TEST(defaults_are_valid)
{
    struct platform platform = made(1, 1);
    ck_assert_int_eq(platform_check(&platform, NULL), 0);
    ck_assert(!platform.has_accelerator);
    ck_assert_double_eq(platform.power.gamma, 1);
    platform_release(&platform);
}
END_TEST

// Attaching copies: the original may go, the platform keeps name and numbers.
START_TEST(attached_accelerators_are_copies)
{
    struct platform platform = made(4, 1);
    struct accelerator accelerator = made_accelerator("t4");
    accelerator.gather_bw = 110e9;
    platform_attach(&platform, &accelerator);
    accelerator_release(&accelerator);
    ck_assert(platform.has_accelerator);
    ck_assert_str_eq(platform.accelerator.name, "t4");
    ck_assert_str_eq(platform.accelerator_name, "t4");
    ck_assert_double_eq(platform.accelerator.gather_bw, 110e9);
    platform_release(&platform);
}
END_TEST

// A second one replaces the first, none takes it away.
START_TEST(accelerators_can_be_replaced)
{
    struct platform platform = made(4, 1);
    struct accelerator first = made_accelerator("t4"), second = made_accelerator("gtx1080ti");
    platform_attach(&platform, &first);
    platform_attach(&platform, &second);
    ck_assert_str_eq(platform.accelerator.name, "gtx1080ti");
    platform_attach(&platform, NULL);
    ck_assert(!platform.has_accelerator);
    ck_assert_ptr_null(platform.accelerator.name);
    accelerator_release(&first);
    accelerator_release(&second);
    platform_release(&platform);
}
END_TEST

// A copy owns its strings, those of the accelerator included.
START_TEST(copies_stand_alone)
{
    struct platform platform = made(4, 2);
    struct accelerator accelerator = made_accelerator("t4");
    platform_attach(&platform, &accelerator);
    struct platform copy = platform_copy(&platform);
    platform_release(&platform);
    ck_assert_int_eq(copy.sockets, 2);
    ck_assert_str_eq(copy.accelerator.name, "t4");
    accelerator_release(&accelerator);
    platform_release(&copy);
}
END_TEST

// Keys reach their members: a wrong offset would put a number elsewhere. Every real gets a value of
// its own, and reads back as that.
START_TEST(keys_reach_their_members)
{
    struct platform platform = made(1, 1);
    const struct field *field = schema_find(platform_fields, "gather_socket_bandwidth");
    ck_assert_int_eq(schema_parse(field, "42GB/s", &platform, NULL), 0);
    ck_assert_double_eq(platform.gather_socket_bw, 42e9);
    field = schema_find(platform_fields, "busy_power");
    ck_assert_int_eq(schema_parse(field, "250W", &platform, NULL), 0);
    ck_assert_double_eq(platform.power.busy_w, 250);
    field = schema_find(platform_fields, "fc_half_items");
    ck_assert_int_eq(schema_parse(field, "8", &platform, NULL), 0);
    ck_assert_double_eq(platform.fc.half_items, 8);
    platform_release(&platform);
}
END_TEST

static void keys_are_apart(const struct field *fields)
{
    for (const struct field *a = fields; a->key; a++)
        for (const struct field *b = fields; b < a; b++) {
            ck_assert_str_ne(a->key, b->key);
            ck_assert_msg(a->offset != b->offset, "%s and %s share a member", a->key, b->key);
        }
}

// No two keys of a table have one name or fill one member.
START_TEST(no_two_keys_share_a_member)
{
    keys_are_apart(platform_fields);
    keys_are_apart(accelerator_fields);
}
END_TEST

// Sockets fill evenly: the fullest one has the rounded-up share.
START_TEST(busy_cores_spread_over_sockets)
{
    struct platform platform = made(40, 2);
    ck_assert_double_eq(platform_socket_busy(&platform, 1), 1);
    ck_assert_double_eq(platform_socket_busy(&platform, 2), 1);
    ck_assert_double_eq(platform_socket_busy(&platform, 3), 2);
    ck_assert_double_eq(platform_socket_busy(&platform, 40), 20);
    platform_release(&platform);
}
END_TEST

// Releasing nothing, or twice, does nothing.
START_TEST(release_is_forgiving)
{
    struct platform platform = made(1, 1);
    platform_release(NULL);
    accelerator_release(NULL);
    platform_release(&platform);
    platform_release(&platform);
    ck_assert_ptr_null(platform.name);
}
END_TEST

static void refused(const struct platform *platform, const char *text)
{
    struct err err;
    ck_assert_int_eq(platform_check(platform, &err), -1);
    ck_assert_str_eq(err.text, text);
}

// Rules that no range of one key can say.
START_TEST(contradictions_are_refused)
{
    struct platform platform = made(4, 8);
    refused(&platform, "sockets: expected 1 to the cores (4), got 8");
    platform.sockets = 1;
    platform.gather_bw = 6e9;
    platform.gather_socket_bw = 5e9;
    refused(&platform,
            "gather_socket_bandwidth: expected at least one core's 6e+09 B/s, got 5e+09 B/s");
    platform.gather_socket_bw = 0; // not given: no limit
    platform.power.idle_w = 3;
    refused(&platform, "busy_power: expected at least idle_power (3 W), got 0 W");
    platform.power.idle_w = 0;
    struct accelerator accelerator = made_accelerator("t4");
    accelerator.streams = 0;
    platform_attach(&platform, &accelerator);
    refused(&platform, "accelerator: streams: expected 1 to 64, got 0");
    accelerator_release(&accelerator);
    platform_release(&platform);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", defaults_are_valid},
        {"core", attached_accelerators_are_copies},
        {"core", accelerators_can_be_replaced},
        {"core", copies_stand_alone},
        {"core", keys_reach_their_members},
        {"core", no_two_keys_share_a_member},
        {"core", busy_cores_spread_over_sockets},
        {"limits", release_is_forgiving},
        {"errors", contradictions_are_refused},
    };
    return suite_run("platform", tests, sizeof tests / sizeof *tests);
}
