// SPDX-License-Identifier: Apache-2.0
#include "models/cost_roofline.h"

#include "models/cost_table.h"
#include "support/suite.h"

// One table of 4 rows of 2 numbers, 1 lookup, one layer 2 -> 2. Small enough to count by hand:
// fc 8 flop, 16 B moved, weights 24 B; gather 8 B; concatenation 8 B; activation 2 flop, 8 B; 4
// operators, 24 B written. A lone item has no half-batch to lose.
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
                             .fixed = {.operator_s = 0.25},
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

static double bare_of(const struct model *model, const struct platform *platform)
{
    return at(model, platform, 1, 1); // no history is set
}

// 0.5 + 4 * 0.25 fixed; weights 24 / 8 = 3; fc b + 2 (b - 1) / b + 2 b; gather b; concatenation b;
// activation b + b. The L3 holds all of it. Beyond the L2 go 8 b B read, 8 b B written and read
// before, by each of layer, concatenation and activation: 72 b B at 8 B/s.
START_TEST(terms_add_up)
{
    struct model model = small_model();
    struct platform platform = small_platform();
    ck_assert_double_eq(at(&model, &platform, 1, 1), 0.5 + 1 + 3 + (1 + 2) + 1 + 1 + 2 + 9);
    ck_assert_double_eq(at(&model, &platform, 10, 1),
                        0.5 + 1 + 3 + (10 + 1.8 + 20) + 10 + 10 + 20 + 90);
}
END_TEST

// A narrower format halves or quarters what is moved, and speeds layers up where the platform says
// so: fixed times stay, additions and activations take their time still.
START_TEST(formats_move_and_compute_less)
{
    struct model model = small_model();
    struct platform platform = small_platform();
    platform.formats = (struct platform_formats){.bf16_speedup = 2, .int8_speedup = 4};
    model.format = FORMAT_BF16; // weights 12 B; fc 8 / 16, 8 / 8; gather 4 / 8; concat 4 / 8;
                                // activation 2 / 2, 4 / 8; beyond the L2 36 / 8
    ck_assert_double_eq(at(&model, &platform, 1, 1),
                        0.5 + 1 + 1.5 + (0.5 + 1) + 0.5 + 0.5 + (1 + 0.5) + 4.5);
    model.format = FORMAT_INT8;
    ck_assert_double_eq(at(&model, &platform, 1, 1),
                        0.5 + 1 + 0.75 + (0.25 + 0.5) + 0.25 + 0.25 + (1 + 0.25) + 2.25);
    platform.formats = (struct platform_formats){0}; // as fast as fp32
    model.format = FORMAT_FP16;
    ck_assert_double_eq(at(&model, &platform, 1, 1),
                        0.5 + 1 + 1.5 + (1 + 1) + 0.5 + 0.5 + (1 + 0.5) + 4.5);
}
END_TEST

// A history costs by its items, their pairs, and their pairs with candidates; caches take their
// parts away. One block of width 2, one head of 1 + 1: a token's layers are 2 -> 3 and 1 -> 2 (16
// flop, 4 * 8 = 32 B), a pair 4 flop. fc 16 / 8 + 32 / 8; five of a normalised value and one of a
// sum, 2 * (5 + 1) / 2, and 16 B; one value of attention, 4 B; its row 8 B.
START_TEST(histories_cost_their_own)
{
    struct model model = small_model();
    struct platform platform = small_platform();
    struct cost_config config = {.kind = cost_type_find("roofline")};
    model.interaction = INTERACT_TARGET;
    model.history_lookups = (struct reals){1, one};
    model.blocks = model.heads = model.key_dim = model.value_dim = model.output_parts = 1;
    platform.attention.peak_flops = 4;
    struct cost *cost = cost_create(&config, &model, &platform, NULL);
    ck_assert_ptr_nonnull(cost);
    struct cost_history of = cost_history(cost, COST_CPU, 1);
    ck_assert_double_eq(of.item_s, 2 + 4 + 6 + 2 + 0.5 + 1);
    ck_assert_double_eq(of.square_s, 0.5);
    ck_assert_double_eq(of.item_history_s, 1);
    double bare = cost_bare_s(cost, COST_CPU, 3, 1);
    ck_assert_double_eq(cost_cpu_s(cost, 3, 1), bare); // until a mean is set
    cost_set_history(cost, 10, 104);
    ck_assert_double_eq(cost_cpu_s(cost, 3, 1), bare + 15.5 * 10 + 0.5 * 104 + 1 * 30);
    cost_destroy(cost);
    config.history_hit_frac = 0.75;
    config.embedding_hit_frac = 0.5;
    cost = cost_create(&config, &model, &platform, NULL);
    of = cost_history(cost, COST_CPU, 1);
    ck_assert_double_eq(of.item_s, 0.25 * (14.5 + 0.5));
    ck_assert_double_eq(of.square_s, 0.25 * 0.5);
    ck_assert_double_eq(of.item_history_s, 1);
    ck_assert_double_eq(cost_bare_s(cost, COST_CPU, 1, 1), bare_of(&model, &platform) - 0.5);
    cost_destroy(cost);
    struct err err;
    double one[] = {1};
    struct cost_table table = {
        .batches_items = {1, one}, .busy_cores = {1, one}, .seconds_s = {1, one}};
    config = (struct cost_config){.kind = cost_type_find("table"), .measured = &table};
    ck_assert_ptr_null(cost_create(&config, &model, &platform, &err));
    ck_assert_str_eq(err.text,
                     "the model \"\" reads a history, of which the times of the measured table "
                     "\"\" say nothing; recfleet profile measures those of cores");
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

// What a full machine takes away, half of it here, stretches by half of the fraction.
START_TEST(lost_caches_stretch_their_class)
{
    struct model model = small_model();
    struct platform platform = small_platform();
    platform.gather_socket_bw = 0;
    double alone = at(&model, &platform, 1, 1);
    // A table of 32 B has 1/16 B of page-table entries; a quarter of an L3 of 1/8 B holds half.
    // (Caches and memory give the same 8 B/s, so their sizes move nothing else.)
    platform.gather_contention_frac = 0.5;
    platform.l3_bytes = 0.125;
    ck_assert_double_eq(at(&model, &platform, 1, 1), alone);
    ck_assert_double_eq(at(&model, &platform, 1, 4), alone + 0.25);
    // Through an L3 of 48 B go four sets of 24 B of weights, of which half survives, and four of
    // the layer's 24 B and 16 B, of which 0.3 do.
    platform.gather_contention_frac = 0;
    platform.fc_contention_frac = 0.5;
    platform.l3_bytes = 48;
    ck_assert_double_eq(at(&model, &platform, 1, 4), alone); // not inclusive: the L2 keeps its own
    platform.l3_inclusive = true;
    ck_assert_double_eq(at(&model, &platform, 1, 1), alone);
    // 3 s of weights stretch by a half of a half, 2 s of the layer's bytes by a half of 0.7; its
    // arithmetic waits for nothing.
    ck_assert_double_eq_tol(at(&model, &platform, 1, 4), alone + 0.75 + 0.7, 1e-12);
}
END_TEST

// 24 B of weights are free from an L2 that holds them, 8 B beyond it come from L3. What an operator
// moves costs nothing more for the part of its own set that the L2 holds: 40 B of the layer, 8 B of
// the concatenation and of the activation.
START_TEST(bytes_come_from_the_nearest_level)
{
    struct model model = small_model();
    struct platform platform = small_platform();
    platform.gather_socket_bw = 0;
    double all_l3 = at(&model, &platform, 1, 1);
    platform.l2_bytes = 24;
    ck_assert_double_eq_tol(all_l3 - at(&model, &platform, 1, 1), 3 + 3 * 24.0 / 40 + 3 + 3, 1e-12);
    platform.l2_bytes = 16;
    ck_assert_double_eq_tol(all_l3 - at(&model, &platform, 1, 1), 2 + 3 * 16.0 / 40 + 3 + 3, 1e-12);
    platform.l3_bytes = 16;
    platform.stream_socket_bw = 8;
    // With 4 busy a core streams 2 B/s and holds 4 B of L3: 4 B of weights take 0.5 s and 4 B from
    // memory 2 s, where 8 B took 1 s; of the layer's 24 B moved 4/40 come at 8 B/s and 20/40 at
    // 2 B/s, where 24/40 came at 8 B/s (what was in memory then did too).
    double alone = at(&model, &platform, 1, 1);
    ck_assert_double_eq_tol(at(&model, &platform, 1, 4) - alone,
                            1.5 + 24 * (0.1 / 8 + 0.5 / 2 - 0.6 / 8), 1e-12);
}
END_TEST

// Inclusive: the L2's copies take their room in the L3, so more comes from memory: 8 B of weights
// at 4 B/s for 8, and 8 of 40 parts of the layer's 24 B moved.
START_TEST(inclusion_takes_room)
{
    struct model model = small_model();
    struct platform platform = small_platform();
    platform.stream_bw = 4;
    platform.l2_bytes = 8;
    platform.l3_bytes = 16;
    double exclusive = at(&model, &platform, 1, 1);
    platform.l3_inclusive = true;
    ck_assert_double_eq_tol(at(&model, &platform, 1, 1) - exclusive, 1 + 24 * 8.0 / 40 / 8, 1e-12);
}
END_TEST

// 1 index and 1 length at 1/8 s, one tensor at 2 s; 2 features are 8 B, read and written at 8 B/s.
// The whole stored input is converted whatever the request's items.
START_TEST(conversion_is_the_hosts)
{
    struct model model = small_model();
    struct platform platform = small_platform();
    struct cost_config config = {.kind = cost_type_find("roofline"), .input_conversion_s = 0.125};
    double off = at(&model, &platform, 4, 1);
    platform.input_fixed_s = 2;
    ck_assert_double_eq(at(&model, &platform, 4, 1), off);
    struct cost *cost = cost_create(&config, &model, &platform, NULL);
    ck_assert_double_eq(cost_cpu_s(cost, 4, 1) - off, 2 + 4 * 0.25);
    cost_destroy(cost);
    config.convert_whole_input = true;
    config.stored_items = 16;
    cost = cost_create(&config, &model, &platform, NULL);
    ck_assert_double_eq(cost_cpu_s(cost, 4, 1) - off, 2 + 16 * 0.25);
    cost_destroy(cost);
    config.stored_items = 0; // nobody filled it: 1024
    cost = cost_create(&config, &model, &platform, NULL);
    ck_assert_double_eq(cost_cpu_s(cost, 4, 1) - off, 2 + 1024 * 0.25);
    cost_destroy(cost);
    model.unused_inputs = 2;
    config.convert_whole_input = false;
    cost = cost_create(&config, &model, &platform, NULL);
    ck_assert_double_eq(cost_cpu_s(cost, 4, 1) - off, 2 * 2 + 4 * (0.25 + 2));
    cost_destroy(cost);
}
END_TEST

// Seven units of attention: their bytes stream, whatever the layers of a stack move at, and an L2
// of 64 B, which holds the set of one unit (4 + 28 B) and all weights (52 B), is enough for all
// seven.
START_TEST(attention_is_many_small_operators)
{
    static double all[] = {7}, unit[] = {1};
    struct model model = small_model();
    struct platform platform = small_platform();
    model.interaction = INTERACT_ATTENTION;
    model.tables.v = all;
    model.behaviour_tables = model.behaviours = 7;
    model.attention_mlp = (struct reals){1, unit};
    platform.attention.peak_flops = 8;
    struct cost_roofline_parts slow, fast, far, near;
    const double activation_bw[] = {1, 8};
    struct cost_roofline_parts *parts[] = {&slow, &fast, &far, &near};
    // A unit is 6 -> 1: 28 B of weights, 24 B read and 4 B written an item.
    for (int i = 0; i < 4; i++) {
        struct cost_config config = {.kind = cost_type_find("roofline")};
        platform.activation_bw = activation_bw[i < 2 ? i : 1];
        platform.l2_bytes = i == 3 ? 64 : 0;
        struct cost *cost = cost_create(&config, &model, &platform, NULL);
        cost_roofline_cpu_parts(cost, 1, 1, parts[i]);
        cost_destroy(cost);
    }
    ck_assert_double_eq(slow.class_s[WORK_ATTENTION], fast.class_s[WORK_ATTENTION]);
    ck_assert_double_gt(slow.class_s[WORK_FC], fast.class_s[WORK_FC]);
    // 12 flop, 28 B at 8 B/s and 32 B beyond an L2 of nothing, seven times; its weights once.
    ck_assert_double_eq(far.class_s[WORK_ATTENTION],
                        7 * (0.25 + 12.0 / 8 + 28.0 / 8 + 32.0 / 8) + 28.0 / 8);
    ck_assert_double_eq(near.class_s[WORK_ATTENTION], 7 * (0.25 + 12.0 / 8 + 28.0 / 8));
}
END_TEST

// Twice the fixed times add the request's 0.5 s and four operators' 0.25 s; scales multiply all.
START_TEST(scales_multiply)
{
    struct model model = small_model();
    struct platform platform = small_platform();
    double base = at(&model, &platform, 4, 1);
    struct cost_config config = {.kind = cost_type_find("roofline"), .fixed_scale = 2};
    struct cost *cost = cost_create(&config, &model, &platform, NULL);
    ck_assert_double_eq(cost_cpu_s(cost, 4, 1), base + 1.5);
    cost_destroy(cost);
    config.fixed_scale = 0;
    config.cpu_scale = 2;
    cost = cost_create(&config, &model, &platform, NULL);
    ck_assert_double_eq(cost_cpu_s(cost, 4, 1), 2 * base);
    cost_destroy(cost);
}
END_TEST

// Parts are the whole, class by class.
START_TEST(parts_add_up)
{
    struct model model = small_model();
    struct platform platform = small_platform();
    struct cost_config config = {.kind = cost_type_find("roofline")};
    struct cost *cost = cost_create(&config, &model, &platform, NULL);
    struct cost_roofline_parts parts;
    cost_roofline_cpu_parts(cost, 4, 2, &parts);
    double sum = parts.request_s + parts.input_s;
    for (int i = 0; i < N_WORK_CLASSES; i++)
        sum += parts.class_s[i];
    ck_assert_double_eq_tol(sum, cost_cpu_s(cost, 4, 2), 1e-12);
    ck_assert_double_eq(parts.class_s[WORK_EMBEDDING], 0.25 + 4);
    cost_destroy(cost);
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
                                                .fixed = {.operator_s = 0.5},
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
    // 4 launches; weights 1.5; fc b / 2 + (b - 1) / b + b; gather, concatenation b / 2;
    // activation b.
    ck_assert_double_eq(cost_accel_compute_s(cost, 4), 2 + 1.5 + (2 + 0.75 + 4) + 2 + 2 + (2 + 2));
    cost_destroy(cost);
    // What the host does to inputs it does for a load as for a request of its own: 2 s a tensor,
    // 1/8 s an index and a length.
    platform.input_fixed_s = 2;
    cost = cost_create(&config, &model, &platform, NULL);
    ck_assert_double_eq(cost_accel_load_s(cost, 4), 0.25 + 2 + 4 * (0.125 + 1));
    cost_destroy(cost);
    config.input_conversion_s = 0.125;
    cost = cost_create(&config, &model, &platform, NULL);
    ck_assert_double_eq(cost_accel_load_s(cost, 4), 0.25 + 2 + 2 + 4 * (0.125 + 1 + 0.25));
    cost_destroy(cost);
    config.input_conversion_s = 0;
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
    ck_assert_double_eq(cost_cpu_s(cost, 1, 1), 20.5);
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
    platform.cores_per_worker = 2;
    refused(
        &model, &platform,
        "cores_per_worker: the roofline cost is of requests of one core each; expected 1, got 2 "
        "on \"bare\"; measured times (kind: table) may be of more");
    platform.cores_per_worker = 1;
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
        {"core", formats_move_and_compute_less},
        {"core", histories_cost_their_own},
        {"core", lookups_have_a_half_batch},
        {"core", busy_cores_share_the_socket},
        {"core", lost_caches_stretch_their_class},
        {"core", bytes_come_from_the_nearest_level},
        {"core", conversion_is_the_hosts},
        {"core", attention_is_many_small_operators},
        {"core", scales_multiply},
        {"core", parts_add_up},
        {"core", inclusion_takes_room},
        {"core", accelerators_load_and_compute},
        {"limits", one_core_alone},
        {"errors", missing_rates_are_named},
    };
    return suite_run("cost_roofline", tests, sizeof tests / sizeof *tests);
}
