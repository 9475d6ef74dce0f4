// SPDX-License-Identifier: Apache-2.0
#include "study/onnx_infer.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "study/onnx_bag.h"
#include "study/onnx_bytes.h"
#include "study/onnx_pass.h"
#include "support/suite.h"

// One graph and what its operators are, for 4 items: "n" of an input is 4.
struct seen {
    struct onnx_graph graph;
    struct onnx_op *ops;
};

static int try_it(struct seen *seen, struct onnx_bytes *bytes, struct err *err)
{
    struct onnx_pass_input inputs[8];
    seen->graph = onnx_bytes_graph(bytes);
    onnx_bag_fold(&seen->graph);
    seen->ops = mem_calloc(seen->graph.n_nodes, sizeof *seen->ops);
    ck_assert_uint_le(seen->graph.n_inputs, 8);
    for (size_t i = 0; i < seen->graph.n_inputs; i++)
        for (size_t d = 0; d < seen->graph.inputs[i].rank; d++)
            inputs[i].dims[d] =
                seen->graph.inputs[i].sizes[d] < 0 ? 4 : seen->graph.inputs[i].sizes[d];
    return onnx_pass_run(&seen->graph, inputs, seen->ops, err);
}

static struct seen see(struct onnx_bytes *bytes)
{
    struct seen seen;
    struct err err = {0};
    ck_assert_msg(try_it(&seen, bytes, &err) == 0, "%s", err.text);
    return seen;
}

static void release(struct seen *seen)
{
    onnx_file_release(&seen->graph);
    mem_free(seen->ops);
}

static void has_shape(const struct seen *seen, size_t at, size_t rank, const int64_t *dims)
{
    ck_assert_uint_eq(seen->ops[at].rank, rank);
    for (size_t d = 0; d < rank; d++)
        ck_assert_msg(seen->ops[at].dims[d] == dims[d], "operator %zu, dimension %zu: %lld", at, d,
                      (long long)seen->ops[at].dims[d]);
}

// A fully connected layer is 2 m n for each item, whichever way its matrix is written down.
START_TEST(layers_are_two_m_n)
{
    struct onnx_bytes bytes = {0};
    onnx_bytes_input(&bytes, "x", ONNX_FLOAT, 2, (int64_t[]){ONNX_OPEN, 10});
    onnx_bytes_weights(&bytes, "w", 2, (int64_t[]){10, 3});
    onnx_bytes_weights(&bytes, "v", 2, (int64_t[]){3, 10});
    onnx_bytes_weights(&bytes, "b", 1, (int64_t[]){3});
    onnx_bytes_node(&bytes, "MatMul", "x w", "a");
    onnx_bytes_node_with(&bytes, "Gemm", "x v b", "c", "transB", 1);
    onnx_bytes_node(&bytes, "Add", "a b", "d");
    struct seen seen = see(&bytes);
    for (size_t i = 0; i < 2; i++) {
        const struct onnx_op *op = &seen.ops[i];
        has_shape(&seen, i, 2, (int64_t[]){4, 3});
        ck_assert_int_eq(op->class, WORK_FC);
        ck_assert_double_eq(op->flop, 4 * 2 * 10 * 3);
        ck_assert_double_eq(op->read_bytes, 4 * 10 * 4);
        ck_assert_double_eq(op->written_bytes, 4 * 3 * 4);
    }
    ck_assert_double_eq(seen.ops[0].weight_bytes, 4 * 30);
    ck_assert_double_eq(seen.ops[1].weight_bytes, 4 * 33);
    ck_assert_double_eq(seen.ops[2].weight_bytes, 0); // the bias was read before
    ck_assert_double_eq(seen.ops[2].flop, 4 * 3);
    ck_assert_int_eq(seen.ops[2].class, WORK_ELEMENTWISE);
    release(&seen);
}
END_TEST

// Products of higher rank multiply matrices, one for each place before them.
START_TEST(products_go_side_by_side)
{
    struct onnx_bytes bytes = {0};
    onnx_bytes_input(&bytes, "q", ONNX_FLOAT, 4, (int64_t[]){ONNX_OPEN, 2, 5, 8});
    onnx_bytes_input(&bytes, "k", ONNX_FLOAT, 3, (int64_t[]){2, 8, 6});
    onnx_bytes_input(&bytes, "v", ONNX_FLOAT, 1, (int64_t[]){6});
    onnx_bytes_node(&bytes, "MatMul", "q k", "s");
    onnx_bytes_node(&bytes, "MatMul", "s v", "t");
    struct seen seen = see(&bytes);
    has_shape(&seen, 0, 4, (int64_t[]){4, 2, 5, 6});
    ck_assert_double_eq(seen.ops[0].flop, 2.0 * 4 * 2 * 5 * 6 * 8);
    has_shape(&seen, 1, 3, (int64_t[]){4, 2, 5});
    release(&seen);
}
END_TEST

// A GRU projects every step of every sequence: 2 (in + hidden) 3 hidden, each way.
START_TEST(recurrent_layers_count_steps)
{
    struct onnx_bytes bytes = {0};
    onnx_bytes_input(&bytes, "x", ONNX_FLOAT, 3, (int64_t[]){20, ONNX_OPEN, 8});
    onnx_bytes_weights(&bytes, "w", 3, (int64_t[]){1, 18, 8});
    onnx_bytes_weights(&bytes, "r", 3, (int64_t[]){1, 18, 6});
    onnx_bytes_node_with(&bytes, "GRU", "x w r", "- last", "hidden_size", 6);
    onnx_bytes_node(&bytes, "Identity", "last", "y");
    struct seen seen = see(&bytes);
    ck_assert_int_eq(seen.ops[0].class, WORK_RECURRENT);
    ck_assert_double_eq(seen.ops[0].flop, 4 * 20 * 2 * (8 + 6) * 18);
    ck_assert_double_eq(seen.ops[0].n_ops, 41);
    ck_assert_double_eq(seen.ops[0].weight_bytes, 4 * 18 * (8 + 6));
    has_shape(&seen, 0, 4, (int64_t[]){20, 1, 4, 6});
    has_shape(&seen, 1, 3, (int64_t[]){1, 4, 6});
    release(&seen);
}
END_TEST

// A Gather of rows of an initializer is lookups; the sum of them is a part of it, and makes one row
// of each bag. Over the row's own numbers it is a sum of another kind.
START_TEST(bags_are_lookups)
{
    struct onnx_bytes bytes = {0};
    onnx_bytes_weights(&bytes, "t", 2, (int64_t[]){1000, 16});
    onnx_bytes_input(&bytes, "i", ONNX_INT64, 2, (int64_t[]){ONNX_OPEN, 7});
    onnx_bytes_node(&bytes, "Gather", "t i", "r");
    onnx_bytes_node_list(&bytes, "ReduceMean", "r", "p", "axes", 1, (int64_t[]){1});
    onnx_bytes_node(&bytes, "Gather", "t i", "s");
    onnx_bytes_node_list(&bytes, "ReduceSum", "s", "q", "axes", 1, (int64_t[]){-1});
    struct seen seen = see(&bytes);
    ck_assert_int_eq(seen.ops[0].table, 0);
    ck_assert_double_eq(seen.ops[0].lookups, 4 * 7);
    ck_assert_double_eq(seen.ops[0].rows, 4);
    ck_assert_double_eq(seen.ops[0].weight_bytes, 0);
    ck_assert_int_eq(seen.ops[1].class, WORK_EMBEDDING);
    ck_assert_double_eq(seen.ops[1].flop, 4 * 7 * 16);
    ck_assert_double_eq(seen.ops[1].n_ops, 0);
    has_shape(&seen, 1, 3, (int64_t[]){4, 1, 16});
    ck_assert_double_eq(seen.ops[2].rows, 4 * 7);
    ck_assert_int_eq(seen.ops[3].class, WORK_SUM);
    ck_assert_double_eq(seen.ops[3].n_ops, 1);
    release(&seen);
}
END_TEST

// Bags of one table are a Gather and its sum: a lookup for each index, a row for each bag, twice
// the arithmetic with weights. The last of the offsets may be the end, and offsets that are numbers
// in the file say how many indices a bag has.
START_TEST(flat_bags_are_lookups)
{
    static const struct {
        int has_end;
        const char *offsets, *weights;
    } cases[] = {{0, "open", NULL}, {1, "ends", "w"}, {0, "three", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct onnx_bytes bytes = {0};
        onnx_bytes_weights(&bytes, "t", 2, (int64_t[]){1000, 16});
        onnx_bytes_input(&bytes, "ids", ONNX_INT64, 1, (int64_t[]){28});
        onnx_bytes_input(&bytes, "open", ONNX_INT64, 1, (int64_t[]){ONNX_OPEN});
        onnx_bytes_input(&bytes, "ends", ONNX_INT64, 1, (int64_t[]){5});
        onnx_bytes_input(&bytes, "w", ONNX_FLOAT, 1, (int64_t[]){28});
        onnx_bytes_ints(&bytes, "three", 3, (int64_t[]){0, 7, 14});
        onnx_bytes_bag(&bytes,
                       &(struct onnx_bytes_bag){"t", "ids", cases[i].offsets, cases[i].weights, "y",
                                                "ReduceSum", cases[i].has_end, NULL});
        onnx_bytes_output(&bytes, "y");
        struct seen seen = see(&bytes);
        size_t last = seen.graph.n_nodes - 1;
        const struct onnx_op *op = &seen.ops[last];
        has_shape(&seen, last, 2, (int64_t[]){4, 16});
        ck_assert_int_eq(op->class, WORK_EMBEDDING);
        ck_assert_int_eq(op->table, 0);
        ck_assert_double_eq(op->lookups, 28);
        ck_assert_double_eq(op->rows, 4);
        ck_assert_double_eq(op->flop, (cases[i].weights ? 2 : 1) * 28 * 16);
        ck_assert_double_eq(op->n_ops, 1);
        ck_assert_double_eq(op->weight_bytes + op->written_bytes + op->read_bytes, 0);
        release(&seen);
    }
}
END_TEST

// Every way to give a value another shape, and what it moves: nothing, or all of it.
START_TEST(shapes_follow_the_rules)
{
    struct onnx_bytes bytes = {0};
    onnx_bytes_input(&bytes, "x", ONNX_FLOAT, 3, (int64_t[]){ONNX_OPEN, 6, 1});
    onnx_bytes_ints(&bytes, "shape", 3, (int64_t[]){0, -1, 2});
    onnx_bytes_ints(&bytes, "from", 1, (int64_t[]){-3});
    onnx_bytes_ints(&bytes, "to", 1, (int64_t[]){INT64_MAX});
    onnx_bytes_ints(&bytes, "axis", 1, (int64_t[]){1});
    onnx_bytes_ints(&bytes, "two", 1, (int64_t[]){2});
    onnx_bytes_ints(&bytes, "parts", 2, (int64_t[]){2, 4});
    onnx_bytes_ints(&bytes, "wide", 3, (int64_t[]){1, 1, 9});
    onnx_bytes_ints(&bytes, "twice", 3, (int64_t[]){1, 2, 1});
    onnx_bytes_node(&bytes, "Reshape", "x shape", "a");                                   // 0
    onnx_bytes_node(&bytes, "Flatten", "x", "b");                                         // 1
    onnx_bytes_node_list(&bytes, "Squeeze", "x", "c", "axes", 1, (int64_t[]){-1});        // 2
    onnx_bytes_node_list(&bytes, "Unsqueeze", "c", "d", "axes", 2, (int64_t[]){0, 3});    // 3
    onnx_bytes_node_list(&bytes, "Transpose", "x", "e", "perm", 3, (int64_t[]){2, 0, 1}); // 4
    onnx_bytes_node(&bytes, "Slice", "x from to axis two", "f");                          // 5
    onnx_bytes_node_with(&bytes, "Split", "x parts", "g h", "axis", 1);                   // 6
    onnx_bytes_node(&bytes, "Neg", "h", "i");                                             // 7
    onnx_bytes_node(&bytes, "Expand", "x wide", "j");                                     // 8
    onnx_bytes_node(&bytes, "Tile", "x twice", "k");                                      // 9
    onnx_bytes_node_with(&bytes, "Concat", "x k", "l", "axis", 1);                        // 10
    onnx_bytes_node_with(&bytes, "Cast", "x", "m", "to", ONNX_FLOAT16);                   // 11
    onnx_bytes_node_list(&bytes, "Pad", "c", "o", "pads", 4, (int64_t[]){0, 1, 0, 2});    // 12
    struct seen seen = see(&bytes);
    has_shape(&seen, 0, 3, (int64_t[]){4, 3, 2});
    has_shape(&seen, 1, 2, (int64_t[]){4, 6});
    has_shape(&seen, 2, 2, (int64_t[]){4, 6});
    has_shape(&seen, 3, 4, (int64_t[]){1, 4, 6, 1});
    has_shape(&seen, 4, 3, (int64_t[]){1, 4, 6});
    has_shape(&seen, 5, 3, (int64_t[]){4, 2, 1});
    has_shape(&seen, 6, 3, (int64_t[]){4, 2, 1});
    has_shape(&seen, 7, 3, (int64_t[]){4, 4, 1});
    has_shape(&seen, 8, 3, (int64_t[]){4, 6, 9});
    has_shape(&seen, 9, 3, (int64_t[]){4, 12, 1});
    has_shape(&seen, 10, 3, (int64_t[]){4, 18, 1});
    has_shape(&seen, 12, 2, (int64_t[]){4, 9});
    for (size_t i = 0; i < 4; i++)
        ck_assert(!seen.ops[i].is_work);
    ck_assert_double_eq(seen.ops[6].written_bytes, 4 * 6 * 4);
    ck_assert_double_eq(seen.ops[10].n_parts, 2);
    ck_assert_int_eq(seen.ops[10].class, WORK_CONCAT);
    ck_assert_double_eq(seen.ops[11].written_bytes, 4 * 6 * 2);
    release(&seen);
}
END_TEST

// A shape that is computed from a shape, as exporters write "flatten all but the first".
START_TEST(shapes_are_computed)
{
    struct onnx_bytes good = {0};
    onnx_bytes_input(&good, "x", ONNX_FLOAT, 3, (int64_t[]){ONNX_OPEN, 5, 3});
    onnx_bytes_ints(&good, "zero", 1, (int64_t[]){0});
    onnx_bytes_ints(&good, "rest", 1, (int64_t[]){-1});
    onnx_bytes_ints(&good, "five", 1, (int64_t[]){5});
    onnx_bytes_node(&good, "Shape", "x", "s");
    onnx_bytes_node(&good, "Gather", "s zero", "n");
    onnx_bytes_node(&good, "Mul", "n five", "m");
    onnx_bytes_node_with(&good, "Concat", "m rest", "to", "axis", 0);
    onnx_bytes_node(&good, "Reshape", "x to", "y");
    onnx_bytes_node(&good, "ConstantOfShape", "s", "z");
    struct seen seen = see(&good);
    has_shape(&seen, 4, 2, (int64_t[]){20, 3});
    has_shape(&seen, 5, 3, (int64_t[]){4, 5, 3});
    for (size_t i = 0; i < 6; i++)
        ck_assert_double_eq(seen.ops[i].n_ops, 0);
    release(&seen);
}
END_TEST

static void fails(struct onnx_bytes *bytes, const char *text)
{
    struct seen seen;
    struct err err = {0};
    ck_assert_int_eq(try_it(&seen, bytes, &err), -1);
    ck_assert_str_eq(err.text, text);
    release(&seen);
}

// Shapes that do not fit name the operator.
START_TEST(misfits_name_the_operator)
{
    static const struct {
        const char *op, *inputs, *text;
    } cases[] = {
        {"MatMul", "x w", "the shapes of its inputs do not fit together"},
        {"Gemm", "x w", "the shapes of its inputs do not fit together"},
        {"Add", "x w", "the shapes of its inputs do not fit together"},
        {"Concat", "x w", "the shapes of its inputs do not fit together"},
        {"Reshape", "x s", "its shape does not fit its input"},
        {"Reshape", "x x", "its shape is not known before it runs"},
        {"Squeeze", "x s", "an axis that it takes away is not 1"},
        {"Gemm", "x", "an input is missing"},
        {"Gather", "w x", "nothing before it gives its input \"later\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct onnx_bytes bytes = {0};
        char want[200];
        bool late = strstr(cases[i].text, "later") != NULL;
        onnx_bytes_input(&bytes, "x", ONNX_FLOAT, 2, (int64_t[]){ONNX_OPEN, 5});
        onnx_bytes_weights(&bytes, "w", 2, (int64_t[]){7, 3});
        onnx_bytes_ints(&bytes, "s", 1, (int64_t[]){1});
        onnx_bytes_node(&bytes, cases[i].op, late ? "w later" : cases[i].inputs, "y");
        if (late)
            onnx_bytes_node(&bytes, "Neg", "x", "later");
        snprintf(want, sizeof want, "operator %s \"y\": %s", cases[i].op, cases[i].text);
        fails(&bytes, want);
    }
}
END_TEST

// Offsets that the file has as numbers must fit the indices: they rise, end where those do, and cut
// them in whole bags.
START_TEST(offsets_fit_their_indices)
{
    static const int64_t wrong[][2] = {{5, 0}, {-1, 6}, {0, 8}, {0, INT64_MAX}, {3, 29}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct onnx_bytes bytes = {0};
        onnx_bytes_weights(&bytes, "t", 2, (int64_t[]){1000, 16});
        onnx_bytes_input(&bytes, "ids", ONNX_INT64, 1, (int64_t[]){28});
        onnx_bytes_ints(&bytes, "at", 2, wrong[i]);
        onnx_bytes_bag(&bytes,
                       &(struct onnx_bytes_bag){"t", "ids", "at", NULL, "y", "ReduceSum", 0, NULL});
        onnx_bytes_output(&bytes, "y");
        fails(&bytes, "operator EmbeddingBag \"y_loop\": its offsets do not fit its indices");
    }
}
END_TEST

// Sizes that multiply beyond what can be counted are refused before anything overflows.
START_TEST(sizes_do_not_overflow)
{
    struct onnx_bytes bytes = {0};
    onnx_bytes_input(&bytes, "x", ONNX_FLOAT, 2, (int64_t[]){ONNX_OPEN, 1});
    onnx_bytes_ints(&bytes, "huge", 2, (int64_t[]){1000000000000, 1000000000000});
    onnx_bytes_node(&bytes, "Tile", "x huge", "y");
    fails(&bytes, "operator Tile \"y\": its shape is wrong");
    onnx_bytes_input(&bytes, "x", ONNX_FLOAT, 2, (int64_t[]){1, 1});
    onnx_bytes_ints(&bytes, "huge", 2, (int64_t[]){1000000000000, 1000000000000});
    onnx_bytes_node(&bytes, "Expand", "x huge", "y");
    fails(&bytes, "operator Expand \"y\": its output is too large");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", layers_are_two_m_n},           {"core", products_go_side_by_side},
        {"core", recurrent_layers_count_steps}, {"core", bags_are_lookups},
        {"core", shapes_follow_the_rules},      {"core", shapes_are_computed},
        {"core", flat_bags_are_lookups},        {"errors", offsets_fit_their_indices},
        {"limits", sizes_do_not_overflow},      {"errors", misfits_name_the_operator},
    };
    return suite_run("onnx_infer", tests, sizeof tests / sizeof *tests);
}
