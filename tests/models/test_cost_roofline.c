// SPDX-License-Identifier: Apache-2.0
#include "models/cost_roofline.h"

#include "support/suite.h"

// One table of 4 rows of 2 numbers, 1 lookup, one layer 2 -> 2. Small enough to count by hand:
// fc 8 flop, 8 B, weights 24 B; gather 8 B; concatenation 8 B; activation 2 flop, 8 B; 4 operators.
static double one[] = {1}, four[] = {4}, two[] = {2};

static struct model small_model(void)
{
    return (struct model){.tables = {1, one},
                          .rows = {1, four},
                          .lookups = {1, one},
                          .dim = 2,
                          .gates = 1,
                          .top_mlp = {1, two},
                          .tasks = 1};
}

// Rates of powers of two, so that every expected value is exact.
static struct platform small_platform(void)
{
    return (struct platform){.cores = 4,
                             .sockets = 1,
                             .fc = {8, 2},
                             .vector_flops = 2,
                             .weight_bw = 8,
                             .gather_bw = 8,
                             .gather_socket_bw = 16,
                             .stream_bw = 8,
                             .request_s = 0.5,
                             .operator_s = 0.25,
                             .l3_bytes = 1024,
                             .power = {.gamma = 1}};
}

static double at(const struct model *model, const struct platform *platform, uint32_t items,
                 uint32_t busy)
{
    struct cost_config config = {.kind = cost_type_find("roofline")};
    struct err err = {0};
    struct cost *cost = cost_create(&config, model, platform, &err);
    ck_assert_msg(cost != NULL, "%s", err.text);
    double s = cost_cpu_s(cost, items, busy);
    cost_destroy(cost);
    return s;
}

// 0.5 + 4 * 0.25 fixed; weights 24 / 8 = 3; fc (b + 2) + b; gather b; concatenation b; activation
// b + b.
START_TEST(terms_add_up)
{
    struct model model = small_model();
    struct platform platform = small_platform();
    ck_assert_double_eq(at(&model, &platform, 1, 1), 0.5 + 1 + 3 + (3 + 1) + 1 + 1 + 2);
    ck_assert_double_eq(at(&model, &platform, 10, 1), 0.5 + 1 + 3 + (12 + 10) + 10 + 10 + 20);
}
END_TEST

// Lookups have a half-batch of their own: 3 items' worth more here.
START_TEST(lookups_have_a_half_batch)
{
    struct model model = small_model();
    struct platform platform = small_platform();
    double before = at(&model, &platform, 10, 1);
    platform.gather_half_items = 3;
    ck_assert_double_eq(at(&model, &platform, 10, 1) - before, 3);
}
END_TEST

// A socket gives 16 B/s: two busy cores still draw 8 each, four draw 4, so 1 s of gather is 2 s.
START_TEST(busy_cores_share_the_socket)
{
    struct model model = small_model();
    struct platform platform = small_platform();
    double alone = at(&model, &platform, 1, 1);
    ck_assert_double_eq(at(&model, &platform, 1, 2), alone);
    ck_assert_double_eq(at(&model, &platform, 1, 4), alone + 1);
    platform.sockets = 2; // two on each: enough for all
    ck_assert_double_eq(at(&model, &platform, 1, 4), alone);
}
END_TEST

// Half as much again with every core busy, on gather alone (1 s here) or on the layers alone.
START_TEST(contention_stretches_its_class)
{
    struct model model = small_model();
    struct platform platform = small_platform();
    platform.gather_socket_bw = 0;
    double alone = at(&model, &platform, 1, 1);
    platform.gather_contention_frac = 0.5;
    ck_assert_double_eq(at(&model, &platform, 1, 1), alone);
    ck_assert_double_eq(at(&model, &platform, 1, 4), alone + 0.5);
    platform.gather_contention_frac = 0;
    platform.fc_contention_frac = 0.5;
    // weights 3, fc 4, concatenation 1, activation 2 stretch by half
    ck_assert_double_eq(at(&model, &platform, 1, 4), alone + 5);
}
END_TEST

// 24 B of weights: free from an L2 that holds them; 8 B beyond it from L3; what the L3 share
// (16 B over 4 cores) does not hold comes from memory, at 1 B/s here against 8.
START_TEST(weights_come_from_the_nearest_level)
{
    struct model model = small_model();
    struct platform platform = small_platform();
    platform.gather_socket_bw = 0;
    double all_l3 = at(&model, &platform, 1, 1);
    platform.l2_bytes = 24;
    ck_assert_double_eq(all_l3 - at(&model, &platform, 1, 1), 3);
    platform.l2_bytes = 16;
    ck_assert_double_eq(all_l3 - at(&model, &platform, 1, 1), 2);
    platform.l3_bytes = 16;
    platform.stream_bw = 8;
    platform.stream_socket_bw = 8;
    // With 4 busy the stream share is 2 B/s: activations of 24 B take 12 s, not 3; 4 B of weights
    // come from L3 in 0.5 s and 4 B from memory in 2 s, where all 8 took 1 s.
    ck_assert_double_eq(at(&model, &platform, 1, 4) - at(&model, &platform, 1, 1), 9 + 1.5);
}
END_TEST

// Inclusive: the L2's copies take their room in the L3, so more comes from memory.
START_TEST(inclusion_takes_room)
{
    struct model model = small_model();
    struct platform platform = small_platform();
    platform.weight_bw = 8;
    platform.stream_bw = 4;
    platform.l2_bytes = 8;
    platform.l3_bytes = 16;
    double exclusive = at(&model, &platform, 1, 1);
    platform.l3_inclusive = true; // 8 B of L3 are left: 8 B more from memory, 2 s for 1 s
    ck_assert_double_eq(at(&model, &platform, 1, 1) - exclusive, 1);
}
END_TEST

// On the accelerator: load = link + inputs + items * (inputs + bytes / bandwidth); compute as on
// a core, with launches and memory bandwidth.
START_TEST(accelerators_load_and_compute)
{
    struct model model = small_model();
    struct platform platform = small_platform();
    platform.has_accelerator = true;
    platform.accelerator = (struct accelerator){.fc = {16, 2},
                                                .vector_flops = 4,
                                                .memory_bw = 16,
                                                .gather_bw = 16,
                                                .launch_s = 0.5,
                                                .link_bw = 8,
                                                .link_fixed_s = 0.25,
                                                .input_fixed_s = 2,
                                                .input_item_s = 0.125,
                                                .streams = 1,
                                                .power = {.gamma = 1}};
    struct cost_config config = {.kind = cost_type_find("roofline")};
    struct cost *cost = cost_create(&config, &model, &platform, NULL);
    ck_assert(cost_has_accel(cost));
    // One input tensor, one 8-byte index per item.
    ck_assert_double_eq(cost_accel_load_s(cost, 4), 0.25 + 2 + 4 * (0.125 + 1));
    // 4 launches; weights 1.5; fc (b + 2) / 2 + b / 2; gather, concatenation b / 2; activation b.
    ck_assert_double_eq(cost_accel_compute_s(cost, 4), 2 + 1.5 + (3 + 2) + 2 + 2 + (2 + 2));
    cost_destroy(cost);
    // Two dense features are a second tensor of 8 bytes per item.
    model.dense_inputs = 2;
    cost = cost_create(&config, &model, &platform, NULL);
    ck_assert_double_eq(cost_accel_load_s(cost, 4), 0.25 + 2 * 2 + 4 * (2 * 0.125 + 2));
    cost_destroy(cost);
}
END_TEST

// One core has no contention, and a lone item costs what the formula says.
START_TEST(one_core_alone)
{
    struct model model = small_model();
    struct platform platform = small_platform();
    platform.cores = 1;
    platform.fc_contention_frac = 1;
    struct cost_config config = {.kind = cost_type_find("roofline")};
    struct cost *cost = cost_create(&config, &model, &platform, NULL);
    ck_assert(!cost_depends_on_busy(cost));
    ck_assert(!cost_has_accel(cost));
    ck_assert_double_eq(cost_cpu_s(cost, 1, 1), 12.5);
    cost_destroy(cost);
}
END_TEST

static void refused(const struct model *model, const struct platform *platform, const char *text)
{
    struct cost_config config = {.kind = cost_type_find("roofline")};
    struct err err;
    ck_assert_ptr_null(cost_create(&config, model, platform, &err));
    ck_assert_str_eq(err.text, text);
}

// A rate that the model uses must be given, one that it does not use need not be; so must a model.
START_TEST(missing_rates_are_named)
{
    char name[] = "bare";
    struct model model = small_model();
    struct platform platform = small_platform();
    platform.name = name;
    platform.attention.peak_flops = 0; // not used
    refused(NULL, &platform, "model: the roofline cost needs one");
    platform.gather_bw = platform.gather_socket_bw = 0;
    refused(&model, &platform, "gather_bandwidth: the roofline cost needs it above 0 on \"bare\"");
    platform = small_platform();
    model.interaction = INTERACT_RECURRENT;
    model.behaviours = model.behaviour_tables = model.hidden = 1;
    platform.attention.peak_flops = 1;
    refused(&model, &platform, "recurrent_peak: the roofline cost needs it above 0 on \"\"");
    model = small_model();
    platform.has_accelerator = true;
    platform.accelerator = (struct accelerator){.streams = 1, .power = {.gamma = 1}};
    refused(&model, &platform, "accelerator.fc_peak: the roofline cost needs it above 0 on \"\"");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", terms_add_up},
        {"core", lookups_have_a_half_batch},
        {"core", busy_cores_share_the_socket},
        {"core", contention_stretches_its_class},
        {"core", weights_come_from_the_nearest_level},
        {"core", inclusion_takes_room},
        {"core", accelerators_load_and_compute},
        {"limits", one_core_alone},
        {"errors", missing_rates_are_named},
    };
    return suite_run("cost_roofline", tests, sizeof tests / sizeof *tests);
}
