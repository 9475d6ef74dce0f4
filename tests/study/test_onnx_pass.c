// SPDX-License-Identifier: Apache-2.0
#include "study/onnx_pass.h"

#include <string.h>

#include "base/mem.h"
#include "study/onnx_bytes.h"
#include "support/suite.h"

static struct onnx_op *passed(const struct onnx_graph *graph, const struct onnx_pass_input *inputs)
{
    struct onnx_op *ops = mem_calloc(graph->n_nodes, sizeof *ops);
    struct err err = {0};
    ck_assert_msg(onnx_pass_run(graph, inputs, ops, &err) == 0, "%s", err.text);
    return ops;
}

// A parameter that two operators use is counted once, whatever it is called in between.
START_TEST(parameters_count_once)
{
    struct onnx_bytes bytes = {0};
    onnx_bytes_input(&bytes, "x", ONNX_FLOAT, 2, (int64_t[]){3, 8});
    onnx_bytes_weights(&bytes, "w", 2, (int64_t[]){8, 8});
    onnx_bytes_node(&bytes, "Identity", "w", "same");
    onnx_bytes_node(&bytes, "MatMul", "x w", "a");
    onnx_bytes_node(&bytes, "MatMul", "a same", "b");
    struct onnx_graph graph = onnx_bytes_graph(&bytes);
    struct onnx_op *ops = passed(&graph, &(struct onnx_pass_input){{3, 8}});
    ck_assert(!ops[0].is_work);
    ck_assert_double_eq(ops[1].weight_bytes, 256);
    ck_assert_double_eq(ops[2].weight_bytes, 0);
    mem_free(ops);
    onnx_file_release(&graph);
}
END_TEST

// What depends on no input is done before: rows at places that the file says are parameters.
START_TEST(what_is_constant_costs_nothing)
{
    struct onnx_bytes bytes = {0};
    onnx_bytes_input(&bytes, "x", ONNX_FLOAT, 3, (int64_t[]){3, 2, 8});
    onnx_bytes_weights(&bytes, "positions", 2, (int64_t[]){100, 8});
    onnx_bytes_ints(&bytes, "first", 2, (int64_t[]){0, 1});
    onnx_bytes_node(&bytes, "Gather", "positions first", "p");
    onnx_bytes_node(&bytes, "Add", "x p", "y");
    struct onnx_graph graph = onnx_bytes_graph(&bytes);
    struct onnx_op *ops = passed(&graph, &(struct onnx_pass_input){{3, 2, 8}});
    ck_assert(!ops[0].is_work);
    ck_assert_double_eq(ops[0].lookups, 0);
    ck_assert_double_eq(ops[1].weight_bytes, 2 * 8 * 4);
    ck_assert_double_eq(ops[1].flop, 48);
    mem_free(ops);
    onnx_file_release(&graph);
}
END_TEST

// Products around a softmax are attention, on both sides of it; the projections before are not,
// nor is a product of two values far from any.
START_TEST(products_around_a_softmax_are_attention)
{
    struct onnx_bytes bytes = {0};
    onnx_bytes_input(&bytes, "x", ONNX_FLOAT, 3, (int64_t[]){3, 5, 8});
    onnx_bytes_input(&bytes, "mask", ONNX_FLOAT, 2, (int64_t[]){5, 5});
    onnx_bytes_weights(&bytes, "w", 2, (int64_t[]){8, 8});
    onnx_bytes_weights(&bytes, "scale", 1, (int64_t[]){1});
    onnx_bytes_node(&bytes, "MatMul", "x w", "q");
    onnx_bytes_node_list(&bytes, "Transpose", "x", "k", "perm", 3, (int64_t[]){0, 2, 1});
    onnx_bytes_node(&bytes, "MatMul", "q k", "scores");
    onnx_bytes_node(&bytes, "Mul", "scores scale", "scaled");
    onnx_bytes_node(&bytes, "Add", "mask scaled", "masked");
    onnx_bytes_node(&bytes, "Softmax", "masked", "weights");
    onnx_bytes_node(&bytes, "MatMul", "weights x", "out");
    onnx_bytes_node(&bytes, "MatMul", "x k", "dots");
    struct onnx_graph graph = onnx_bytes_graph(&bytes);
    struct onnx_op *ops = passed(&graph, (struct onnx_pass_input[]){{{3, 5, 8}}, {{5, 5}}});
    ck_assert_int_eq(ops[0].class, WORK_FC);
    ck_assert_int_eq(ops[2].class, WORK_ATTENTION);
    ck_assert_int_eq(ops[5].class, WORK_SOFTMAX);
    ck_assert_double_eq(ops[5].flop, 20 * 3 * 5 * 5);
    ck_assert_int_eq(ops[6].class, WORK_ATTENTION);
    ck_assert_int_eq(ops[7].class, WORK_FC);
    mem_free(ops);
    onnx_file_release(&graph);
}
END_TEST

// Operators that are not known are named once each, with their number; the list has an end.
START_TEST(unknown_operators_are_listed)
{
    static const char *const names[] = {"A", "B", "C", "D", "E", "F", "G", "H", "I", "J"};
    struct onnx_bytes bytes = {0};
    struct err err = {0};
    onnx_bytes_input(&bytes, "x", ONNX_FLOAT, 1, (int64_t[]){1});
    struct onnx_bytes node = {0};
    onnx_bytes_text(&node, 3, "scan");
    onnx_bytes_text(&node, 4, "Loop");
    onnx_bytes_message(&bytes, 1, &node);
    struct onnx_graph graph = onnx_bytes_graph(&bytes);
    ck_assert_uint_eq(onnx_pass_unknown(&graph, &err), 1);
    ck_assert_str_eq(err.text, "operators that are not known: Loop \"scan\" (1)");
    onnx_file_release(&graph);
    onnx_bytes_input(&bytes, "x", ONNX_FLOAT, 1, (int64_t[]){1});
    onnx_bytes_node(&bytes, "Loop", "x", "a");
    onnx_bytes_node(&bytes, "Relu", "x", "b");
    onnx_bytes_node(&bytes, "Loop", "x", "c");
    onnx_bytes_text(&node, 4, "Attention");
    onnx_bytes_text(&node, 7, "com.microsoft");
    onnx_bytes_message(&bytes, 1, &node);
    graph = onnx_bytes_graph(&bytes);
    ck_assert_uint_eq(onnx_pass_unknown(&graph, &err), 2);
    ck_assert_str_eq(err.text,
                     "operators that are not known: Loop (2), com.microsoft.Attention (1)");
    onnx_file_release(&graph);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        onnx_bytes_node(&bytes, names[i], "x", names[i]);
    graph = onnx_bytes_graph(&bytes);
    ck_assert_uint_eq(onnx_pass_unknown(&graph, &err), 8);
    ck_assert_ptr_nonnull(strstr(err.text, "H (1), and 2 more"));
    onnx_file_release(&graph);
}
END_TEST

// A name that two operators give is an error, as is an operator that gives none.
START_TEST(graphs_that_are_none_are_refused)
{
    struct onnx_bytes bytes = {0};
    struct onnx_op ops[2];
    struct err err = {0};
    onnx_bytes_input(&bytes, "x", ONNX_FLOAT, 1, (int64_t[]){1});
    onnx_bytes_node(&bytes, "Relu", "x", "y");
    onnx_bytes_node(&bytes, "Relu", "x", "y");
    struct onnx_graph graph = onnx_bytes_graph(&bytes);
    ck_assert_int_eq(onnx_pass_run(&graph, &(struct onnx_pass_input){{1}}, ops, &err), -1);
    ck_assert_str_eq(err.text, "value \"y\" is made twice");
    onnx_file_release(&graph);
    onnx_bytes_input(&bytes, "x", ONNX_FLOAT, 1, (int64_t[]){1});
    onnx_bytes_node(&bytes, "Relu", "x", "");
    graph = onnx_bytes_graph(&bytes);
    ck_assert_int_eq(onnx_pass_run(&graph, &(struct onnx_pass_input){{1}}, ops, &err), -1);
    ck_assert_str_eq(err.text, "operator Relu \"\": it has no output");
    onnx_file_release(&graph);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", parameters_count_once},
        {"core", what_is_constant_costs_nothing},
        {"core", products_around_a_softmax_are_attention},
        {"limits", unknown_operators_are_listed},
        {"errors", graphs_that_are_none_are_refused},
    };
    return suite_run("onnx_pass", tests, sizeof tests / sizeof *tests);
}
