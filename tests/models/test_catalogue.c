// SPDX-License-Identifier: Apache-2.0
#include "models/catalogue.h"

#include <string.h>

#include "support/suite.h"

// Architectures by hand, from the reference repository's configurations (harvard-acc/DeepRecSys,
// models/configs); the data files are compared with the same figures where they can be read.
static struct model rm1(void)
{
    static double dense[] = {128, 64, 32}, top[] = {256, 64, 1};
    static double tables[] = {8}, rows[] = {4e6}, lookups[] = {80};
    return (struct model){.dense_mlp = {3, dense},
                          .tables = {1, tables},
                          .rows = {1, rows},
                          .lookups = {1, lookups},
                          .dim = 32,
                          .gates = 1,
                          .top_mlp = {3, top},
                          .tasks = 1};
}

static struct model ncf(void)
{
    static double top[] = {256, 256, 128, 64}, joined[] = {64};
    static double tables[] = {2, 2}, rows[] = {140000, 28000}, lookups[] = {1, 1};
    return (struct model){.interaction = INTERACT_TWO_BRANCH,
                          .tables = {2, tables},
                          .rows = {2, rows},
                          .lookups = {2, lookups},
                          .dim = 64,
                          .gates = 1,
                          .top_mlp = {4, top},
                          .task_mlp = {1, joined},
                          .tasks = 1};
}

static struct model mtwnd(int64_t tasks)
{
    static double top[] = {1024, 512}, task[] = {256, 128};
    static double tables[] = {41, 2}, rows[] = {5e5, 5e6}, lookups[] = {1, 1};
    return (struct model){.dense_inputs = 512,
                          .tables = {2, tables},
                          .rows = {2, rows},
                          .lookups = {2, lookups},
                          .dim = 32,
                          .gates = 1,
                          .top_mlp = {2, top},
                          .task_mlp = {2, task},
                          .tasks = tasks};
}

static struct model din(double *tables)
{
    static double top[] = {200, 80, 2}, unit[] = {1, 32};
    static double rows[] = {1e6, 1e5, 1e7}, lookups[] = {3, 3, 3};
    return (struct model){.interaction = INTERACT_ATTENTION,
                          .tables = {3, tables},
                          .rows = {3, rows},
                          .lookups = {3, lookups},
                          .dim = 32,
                          .behaviour_tables = (int64_t)tables[1],
                          .behaviours = (int64_t)tables[1],
                          .attention_mlp = {2, unit},
                          .gates = 1,
                          .top_mlp = {3, top},
                          .tasks = 1};
}

static struct model dien(int64_t gates)
{
    static double top[] = {200, 80, 2};
    static double tables[] = {41, 2}, rows[] = {5e5, 5e6}, lookups[] = {1, 1};
    return (struct model){.interaction = INTERACT_RECURRENT,
                          .tables = {2, tables},
                          .rows = {2, rows},
                          .lookups = {2, lookups},
                          .dim = 32,
                          .behaviour_tables = 40,
                          .behaviours = 40,
                          .hidden = 64,
                          .gates = gates,
                          .top_mlp = {3, top},
                          .tasks = 1};
}

static struct model_work derived(const struct model *model)
{
    struct err err = {0};
    struct model_work work;
    ck_assert_msg(model_check(model, &err) == 0, "%s", err.text);
    model_derive(model, &work);
    return work;
}

static double layer_flop(const struct model_work *work)
{
    return work->by_class[WORK_FC].flop_per_item + work->by_class[WORK_ATTENTION].flop_per_item +
           work->by_class[WORK_RECURRENT].flop_per_item;
}

static double activation_bytes(const struct model_work *work, double pooled_values)
{
    double bytes = 4 * pooled_values;
    for (int i = 0; i < N_WORK_CLASSES; i++)
        if (i != WORK_EMBEDDING)
            bytes += work->by_class[i].bytes_per_item;
    return bytes;
}

// DLRM: multiply-adds counted by hand, dense 128*64 + 64*32, top (8+1)*32 wide in front.
START_TEST(concatenating_models)
{
    struct model model = rm1();
    struct model_work work = derived(&model);
    double macs = 128 * 64 + 64 * 32 + 288 * 256 + 256 * 64 + 64;
    ck_assert_double_eq(layer_flop(&work), 2 * macs);
    ck_assert_double_eq(work_weight_bytes(&work), 4 * (macs + 64 + 32 + 256 + 64 + 1));
    ck_assert_double_eq(work.lookups_per_item, 640);
    ck_assert_double_eq(work.by_class[WORK_EMBEDDING].bytes_per_item, 81920);
    ck_assert_double_eq(work.by_class[WORK_EMBEDDING].flop_per_item, 640 * 32);
    ck_assert_double_eq(work.index_bytes_per_item, 5120);
    ck_assert_double_eq(work.dense_bytes_per_item, 512);
    ck_assert_double_eq(work.table_bytes, 8 * 4e6 * 128);
    ck_assert_double_eq(work.n_inputs, 9);
}
END_TEST

// NCF: half of the tables bypass the stack and join before the last layer, 64 + 64 wide.
START_TEST(two_branches_join)
{
    struct model model = ncf();
    struct model_work work = derived(&model);
    double macs = 128 * 256 + 256 * 256 + 256 * 128 + 128 * 64 + 128 * 64;
    ck_assert_double_eq(layer_flop(&work), 2 * macs);
    ck_assert_double_eq(work.by_class[WORK_SUM].flop_per_item, 64);
    ck_assert_double_eq(work.by_class[WORK_CONCAT].n_ops, 2);
    ck_assert_double_eq(work.dense_bytes_per_item, 0);
    ck_assert_double_eq(work.n_inputs, 4);
}
END_TEST

// MT-WnD: the top stack is shared, each task adds 512-256-128 and its weights.
START_TEST(tasks_multiply_their_stack_only)
{
    struct model one = mtwnd(1), eight = mtwnd(8);
    struct model_work first = derived(&one), all = derived(&eight);
    double shared = 1888 * 1024 + 1024 * 512, task = 512 * 256 + 256 * 128;
    ck_assert_double_eq(layer_flop(&first), 2 * (shared + task));
    ck_assert_double_eq(layer_flop(&all), 2 * (shared + 8 * task));
    ck_assert_double_eq(work_weight_bytes(&all) - work_weight_bytes(&first),
                        7 * 4 * (task + 256 + 128));
}
END_TEST

// DIN: attention units share weights, so work grows with the behaviours and weights do not. Each
// unit adds 96 -> 1 -> 32 and a sum of 32.
START_TEST(attention_shares_its_weights)
{
    double shipped[] = {1, 1, 2}, meant[] = {1, 251, 2};
    struct model small = din(shipped), large = din(meant);
    struct model_work one = derived(&small), many = derived(&large);
    ck_assert_double_eq(one.by_class[WORK_ATTENTION].flop_per_item, 2 * (96 + 32));
    ck_assert_double_eq(many.by_class[WORK_ATTENTION].flop_per_item, 251 * (2 * (96 + 32)));
    ck_assert_double_eq(many.by_class[WORK_SUM].n_ops, 252);
    ck_assert_double_eq(many.by_class[WORK_CONCAT].n_parts, 251 * 3 + 4);
    ck_assert_double_eq(work_weight_bytes(&one), work_weight_bytes(&many));
    ck_assert_double_eq(one.by_class[WORK_FC].flop_per_item, many.by_class[WORK_FC].flop_per_item);
    ck_assert_double_eq(many.lookups_per_item, 762);
}
END_TEST

// DIEN: 40 steps of 32 -> 64 and of 64 -> 64, a 64 x 64 layer on each; a GRU has three matrices.
START_TEST(recurrence_walks_the_history)
{
    struct model plain = dien(1), gated = dien(3);
    struct model_work one = derived(&plain), three = derived(&gated);
    double steps = 40.0 * 2 * ((32 + 64) * 64 + (64 + 64) * 64);
    ck_assert_double_eq(one.by_class[WORK_RECURRENT].flop_per_item, steps);
    ck_assert_double_eq(three.by_class[WORK_RECURRENT].flop_per_item, 3 * steps);
    ck_assert_double_eq(one.by_class[WORK_ATTENTION].flop_per_item, 40 * 2 * 64 * 64);
    // One operator each over all steps, as the reference runs them.
    ck_assert_double_eq(one.by_class[WORK_SOFTMAX].n_ops, 1);
    ck_assert_double_eq(one.by_class[WORK_ATTENTION].n_ops, 1);
}
END_TEST

// Operators that the reference's code runs, and kilobytes of what they write, counted when the nine
// models were run on 2026-11-22 (DIEN: 296 there, where its layer and its softmax ran step by step;
// the reference has one operator for all 40). Kilobytes are printed to 0.01, so within half of
// that.
START_TEST(operators_and_activations_are_as_run)
{
    double shipped[] = {1, 1, 2}, meant[] = {1, 251, 2};
    const struct {
        struct model model;
        double n_ops, kib, pooled;
    } runs[] = {
        {rm1(), 19, 5.38, 256},           {ncf(), 17, 8.25, 256},
        {mtwnd(1), 52, 27.75, 1376},      {din(shipped), 18, 4.09, 128},
        {din(meant), 1768, 224.79, 8128}, {dien(1), 218, 63.20, 1376},
    };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        struct model_work work = derived(&runs[i].model);
        ck_assert_double_eq(work_n_ops(&work), runs[i].n_ops);
        ck_assert_double_eq_tol(activation_bytes(&work, runs[i].pooled) / 1024, runs[i].kib,
                                0.0051);
    }
}
END_TEST

// Totals are sums over the classes, embedding additions included.
START_TEST(totals_cover_every_class)
{
    struct model model = rm1();
    struct model_work work = derived(&model);
    double activations = 64 + 32 + 256 + 64 + 1;
    ck_assert_double_eq(work_flop_per_item(&work), layer_flop(&work) + 640 * 32 + activations);
    ck_assert_double_eq(work_weight_bytes(&work), work.by_class[WORK_FC].weight_bytes);
}
END_TEST

// The least model: one table, one lookup, one layer of one output. One number in, one weight.
START_TEST(the_least_model)
{
    double unit[] = {1};
    struct model model = {.tables = {1, unit},
                          .rows = {1, unit},
                          .lookups = {1, unit},
                          .dim = 1,
                          .gates = 1,
                          .top_mlp = {1, unit},
                          .tasks = 1};
    struct model_work work = derived(&model);
    ck_assert_double_eq(layer_flop(&work), 2);
    ck_assert_double_eq(work_weight_bytes(&work), 8);
    ck_assert_double_eq(work.n_inputs, 1);
    ck_assert_double_eq(work_n_ops(&work), 4);
}
END_TEST

// Releasing nothing, or a model that owns nothing, does nothing.
START_TEST(release_is_forgiving)
{
    struct model model = {0};
    schema_defaults(model_fields, &model);
    model_release(NULL);
    model_release(&model);
    model_release(&model);
    ck_assert_ptr_null(model.name);
}
END_TEST

// A model whose work is given: two groups of tables and two classes of layers.
static struct model given(double *lists)
{
    const double values[] = {2, 3, 0, 0,  1, 0, 0, 0, 100, 7, 0, 0, 0, 0,  0,  0, 8, 0, 0, 0,  4,
                             0, 0, 0, 50, 0, 0, 0, 0, 0,   0, 0, 2, 1, 10, 20, 5, 0, 0, 3, 64, 16};
    memcpy(lists, values, sizeof values);
    return (struct model){.interaction = INTERACT_GIVEN,
                          .format = FORMAT_FP16,
                          .given_operators = {8, lists},
                          .given_flop = {8, lists + 8},
                          .given_written_bytes = {8, lists + 16},
                          .given_weight_bytes = {8, lists + 24},
                          .tables = {2, lists + 32},
                          .rows = {2, lists + 34},
                          .lookups = {2, lists + 36},
                          .request_lookups = {2, lists + 38},
                          .row_bytes = {2, lists + 40},
                          .given_parts = 4,
                          .given_inputs = 3,
                          .given_index_bytes = 40,
                          .given_request_feature_bytes = 12,
                          .gates = 1,
                          .tasks = 1};
}

// Work that is given is taken as it is, in bytes whatever the format; what tables and lookups say
// is derived.
START_TEST(given_work_is_taken)
{
    double lists[42];
    struct model model = given(lists);
    struct model_work work = derived(&model);
    ck_assert_double_eq(work.by_class[WORK_FC].flop_per_item, 100);
    ck_assert_double_eq(work.by_class[WORK_FC].bytes_per_item, 8);
    ck_assert_double_eq(work.by_class[WORK_FC].weight_bytes, 50);
    ck_assert_double_eq(work.by_class[WORK_CONCAT].n_parts, 4);
    ck_assert_double_eq(work.by_class[WORK_EMBEDDING].n_ops, 3);
    ck_assert_double_eq(work.by_class[WORK_EMBEDDING].flop_per_item, 7);
    ck_assert_double_eq(work.by_class[WORK_EMBEDDING].bytes_per_item, 2 * 5 * 64);
    ck_assert_double_eq(work.by_class[WORK_EMBEDDING].request.bytes, 1 * 3 * 16);
    ck_assert_double_eq(work.lookups_per_item, 10);
    ck_assert_double_eq(work.lookups_per_request, 3);
    ck_assert_double_eq(work.rows_per_item, 2);
    ck_assert_double_eq(work.table_bytes, 2 * 10 * 64 + 20 * 16);
    ck_assert_double_eq(work.n_inputs, 3);
    ck_assert_double_eq(work.index_bytes_per_item, 40);
    ck_assert_double_eq(work.dense_bytes_per_request, 12);
}
END_TEST

// Names stand in the order of the enums.
START_TEST(names_follow_the_enums)
{
    ck_assert_str_eq(work_class_names[WORK_SOFTMAX], "softmax");
    ck_assert_ptr_null(work_class_names[N_WORK_CLASSES]);
    ck_assert_str_eq(model_interaction_names[INTERACT_RECURRENT], "recurrent");
    ck_assert_ptr_null(model_interaction_names[N_INTERACTIONS]);
    ck_assert_str_eq(model_interaction_names[INTERACT_GIVEN], "given");
    ck_assert_str_eq(model_variant_names[VARIANT_REPO], "repo");
    ck_assert_ptr_null(model_variant_names[N_VARIANTS]);
    ck_assert_str_eq(model_bound_names[BOUND_RECURRENT], "recurrent");
    ck_assert_ptr_null(model_bound_names[N_BOUNDS]);
}
END_TEST

static void refused(const struct model *model, const char *text)
{
    struct err err;
    ck_assert_int_eq(model_check(model, &err), -1);
    ck_assert_str_eq(err.text, text);
}

// Given work that contradicts itself, each with its key.
START_TEST(contradictions_of_given_work_are_refused)
{
    double lists[42];
    struct model model = given(lists);
    ck_assert_int_eq(model_check(&model, NULL), 0);
    model.given_flop.n = 7;
    refused(&model, "given_flop: expected 8 values, one for each class of operator, got 7");
    model = given(lists);
    lists[8 + WORK_SOFTMAX] = 1;
    refused(&model, "given_flop: expected 0 of softmax, which has no operators");
    model = given(lists);
    lists[16 + WORK_EMBEDDING] = 1;
    refused(&model,
            "given_written: expected 0 of embedding, whose bytes are rows: row_size, lookups");
    model = given(lists);
    model.row_bytes.n = 1;
    refused(&model, "row_size: expected 2 values, as tables has, got 1");
    model = given(lists);
    lists[WORK_EMBEDDING] = lists[8 + WORK_EMBEDDING] = 0;
    refused(&model, "given_operators: expected some of embedding, for the tables");
    model = given(lists);
    model.history_lookups = model.lookups;
    refused(&model, "history_lookups: given work has no part by the history");
    model = given(lists);
    model.given_operators.n = model.given_flop.n = 0;
    model.given_written_bytes.n = model.given_weight_bytes.n = 0;
    refused(&model, "given_operators: expected some of one class");
}
END_TEST

// Shapes that contradict themselves, each with the key to mend.
START_TEST(contradictions_are_refused)
{
    double half[] = {2.5};
    double shipped[] = {1, 1, 2};
    struct model model = rm1();
    model.rows.n = 0;
    refused(&model, "rows: expected 1 values, as tables has, got 0");
    model = rm1();
    model.lookups.v = half;
    refused(&model, "lookups: expected whole numbers from 1, got 2.5");
    model = rm1();
    model.top_mlp.n = 0;
    refused(&model, "top_mlp: expected at least one width");
    model = rm1();
    model.sla_low_ns = 2;
    refused(&model, "sla_low, sla_medium, sla_high: expected to ascend");
    model = din(shipped);
    model.behaviour_tables = 5;
    refused(&model, "behaviour_tables: expected 1 to the tables (4), got 5");
    model = din(shipped);
    model.attention_mlp.n = 0;
    refused(&model, "attention_mlp: expected at least one width");
    model = dien(1);
    model.hidden = 0;
    refused(&model, "hidden: expected at least 1, got 0");
    model = dien(1);
    model.behaviours = 0;
    refused(&model, "behaviours: expected at least 1, got 0");
    model = ncf();
    model.tables.n = model.rows.n = model.lookups.n = 1;
    double three[] = {3};
    model.tables.v = three;
    refused(&model, "tables: two branches need an even number, got 3");
}
END_TEST

// What is computed once per request is not per item: dense features and the tables of the user.
// Weights and operators are the same, the row of the user's table is read once.
START_TEST(once_per_request)
{
    double tables[] = {1, 1}, rows[] = {10, 10}, both[] = {1, 1}, item[] = {1, 0}, user[] = {0, 1};
    double dense[] = {4, 2}, top[] = {1};
    struct model model = {.dense_mlp = {2, dense},
                          .tables = {2, tables},
                          .rows = {2, rows},
                          .lookups = {2, both},
                          .dim = 8,
                          .gates = 1,
                          .top_mlp = {1, top},
                          .tasks = 1};
    struct model_work all = derived(&model);
    model.dense_once = true;
    model.lookups.v = item;
    model.request_lookups = (struct reals){2, user};
    struct model_work shared = derived(&model);
    const struct work *fc = &shared.by_class[WORK_FC], *rows_of = &shared.by_class[WORK_EMBEDDING];
    ck_assert_double_eq(fc->request.flop, 2 * 4 * 2);
    ck_assert_double_eq(fc->flop_per_item + fc->request.flop, all.by_class[WORK_FC].flop_per_item);
    ck_assert_double_eq(rows_of->bytes_per_item, 32);
    ck_assert_double_eq(rows_of->request.bytes, 32);
    ck_assert_double_eq(shared.dense_bytes_per_request, 16);
    ck_assert_double_eq(shared.dense_bytes_per_item, 0);
    ck_assert_double_eq(work_weight_bytes(&shared), work_weight_bytes(&all));
    ck_assert_double_eq(work_n_ops(&shared), work_n_ops(&all));
    ck_assert(!work_has_history(&shared));
    model.format = FORMAT_INT8; // a quarter of all that is moved, but not of what comes in
    struct model_work narrow = derived(&model);
    ck_assert_double_eq(work_weight_bytes(&narrow), work_weight_bytes(&all) / 4);
    ck_assert_double_eq(narrow.by_class[WORK_EMBEDDING].request.bytes, 8);
    ck_assert_double_eq(narrow.table_bytes, all.table_bytes / 4);
    ck_assert_double_eq(narrow.dense_bytes_per_request, 16);
    ck_assert_double_eq(work_flop_per_item(&narrow), work_flop_per_item(&shared));
}
END_TEST

// What the newer interactions need.
START_TEST(newer_contradictions_are_refused)
{
    double two[] = {1, 2}, none[] = {0};
    struct model model = rm1();
    model.interaction = INTERACT_DOT;
    model.dense_mlp.n = 2;
    refused(&model, "dense_mlp: dot products need it to end with dim, 32, and no dense_inputs");
    model = rm1();
    model.interaction = INTERACT_CROSS;
    model.cross_layers = 3;
    refused(&model, "cross_rank: expected at least 1, got 0");
    model = rm1();
    model.interaction = INTERACT_MASK;
    refused(&model, "mask_blocks: expected at least 1, got 0");
    model = rm1();
    model.interaction = INTERACT_TARGET;
    refused(&model, "blocks: expected at least 1, got 0");
    model.blocks = model.heads = model.key_dim = model.value_dim = model.output_parts = 1;
    refused(&model, "history_lookups: missing; expected those of a history item");
    model.history_lookups = (struct reals){1, none};
    refused(&model, "history_lookups: missing; expected those of a history item");
    model.history_lookups = (struct reals){2, two};
    refused(&model, "history_lookups: expected 1 values, as tables has, got 2");
    model.history_lookups = (struct reals){1, two};
    model.block_mlp = (struct reals){2, two};
    refused(&model, "block_mlp: expected it to end with dim, 32");
    model = rm1();
    model.lookups.v = none;
    refused(&model, "lookups: expected whole numbers from 1, got 0");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", concatenating_models},
        {"core", two_branches_join},
        {"core", tasks_multiply_their_stack_only},
        {"core", attention_shares_its_weights},
        {"core", recurrence_walks_the_history},
        {"core", operators_and_activations_are_as_run},
        {"core", totals_cover_every_class},
        {"core", once_per_request},
        {"core", given_work_is_taken},
        {"limits", the_least_model},
        {"limits", release_is_forgiving},
        {"limits", names_follow_the_enums},
        {"errors", contradictions_are_refused},
        {"errors", contradictions_of_given_work_are_refused},
        {"errors", newer_contradictions_are_refused},
    };
    return suite_run("catalogue", tests, sizeof tests / sizeof *tests);
}
