// SPDX-License-Identifier: Apache-2.0
#include "study/onnx_bag.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "study/onnx_bytes.h"
#include "support/suite.h"

// A table, one number of indices and of offsets, and bags as they are described.
static struct onnx_graph graph_of(const struct onnx_bytes_bag *bag)
{
    struct onnx_bytes bytes = {0};
    onnx_bytes_weights(&bytes, "t", 2, (int64_t[]){1000, 16});
    onnx_bytes_input(&bytes, "ids", ONNX_INT64, 1, (int64_t[]){30});
    onnx_bytes_input(&bytes, "at", ONNX_INT64, 1, (int64_t[]){5});
    onnx_bytes_input(&bytes, "w", ONNX_FLOAT, 1, (int64_t[]){30});
    onnx_bytes_bag(&bytes, bag);
    onnx_bytes_output(&bytes, bag->output);
    return onnx_bytes_graph(&bytes);
}

static const struct onnx_bytes_bag plain = {"t", "ids", "at", NULL, "y", "ReduceSum", 0, NULL};

static void has_inputs(const struct onnx_node *node, const char *names)
{
    char text[200] = "";
    for (size_t i = 0; i < node->n_inputs; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i > 0 ? " " : "",
                 node->inputs[i]);
    ck_assert_str_eq(text, names);
}

// A Loop over bags is one operator of table, indices and offsets; what only fed it is gone.
START_TEST(a_loop_over_bags_is_one_operator)
{
    static const char *const pools[] = {"ReduceSum", "ReduceMean", "ReduceMax"};
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++) {
        struct onnx_bytes_bag bag = plain;
        bag.pool = pools[i];
        struct onnx_graph graph = graph_of(&bag);
        ck_assert_uint_eq(graph.n_nodes, 7);
        ck_assert_uint_eq(onnx_bag_fold(&graph), 1);
        ck_assert_uint_eq(graph.n_nodes, 1);
        const struct onnx_node *node = &graph.nodes[0];
        ck_assert(onnx_bag_is(node));
        ck_assert_str_eq(node->name, "y_loop");
        ck_assert_str_eq(node->outputs[0], "y");
        has_inputs(node, "t ids at");
        ck_assert_int_eq(onnx_file_int(node, ONNX_BAG_HAS_END, 9), 0);
        ck_assert_int_eq(graph.inputs[0].role, ONNX_OF_BAGS);
        ck_assert_int_eq(graph.inputs[1].role, ONNX_PLAIN);
        onnx_file_release(&graph);
    }
}
END_TEST

// Offsets that hold their end and weights of samples are told from those that do not.
START_TEST(ends_and_weights_are_seen)
{
    struct onnx_bytes_bag bag = plain;
    bag.weights = "w";
    struct onnx_graph graph = graph_of(&bag);
    ck_assert_uint_eq(onnx_bag_fold(&graph), 1);
    has_inputs(&graph.nodes[0], "t ids at w");
    ck_assert_int_eq(graph.inputs[2].role, ONNX_OF_BAGS);
    onnx_file_release(&graph);
    bag.has_end = 1;
    graph = graph_of(&bag);
    ck_assert_uint_eq(onnx_bag_fold(&graph), 1);
    const struct onnx_node *node = &graph.nodes[graph.n_nodes - 1];
    has_inputs(node, "t ids y_starts w"); // what joins one list is left: nobody writes that
    ck_assert_int_eq(onnx_file_int(node, ONNX_BAG_HAS_END, 9), 1);
    onnx_file_release(&graph);
}
END_TEST

// Files that PyTorch wrote: bags of a ranker with three of them, for any and for two items; rows of
// indices; weights.
START_TEST(exported_files_are_understood)
{
    static const struct {
        const char *name;
        size_t n_bags, n_ends;
    } files[] = {{"bags-dlrm", 3, 1},
                 {"bags-fixed", 3, 1},
                 {"bags-rows", 1, 0},
                 {"bags-rows-fixed", 1, 0},
                 {"bags-weighted", 1, 0}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[1000];
        struct onnx_graph graph;
        struct err err = {0};
        size_t n_ends = 0;
        snprintf(path, sizeof path, "%s/%s.onnx", RF_CORPUS, files[i].name);
        ck_assert_msg(onnx_file_read(&graph, path, &err) == 0, "%s", err.text);
        ck_assert_uint_eq(onnx_bag_fold(&graph), files[i].n_bags);
        for (size_t n = 0; n < graph.n_nodes; n++) {
            ck_assert_str_ne(graph.nodes[n].op, "Loop");
            n_ends += (size_t)onnx_file_int(&graph.nodes[n], ONNX_BAG_HAS_END, 0);
        }
        ck_assert_uint_eq(n_ends, files[i].n_ends);
        onnx_file_release(&graph);
    }
}
END_TEST

// What something else uses, too, is not taken away, nor is what fed no Loop.
START_TEST(what_is_used_stays)
{
    struct onnx_bytes bytes = {0};
    onnx_bytes_weights(&bytes, "t", 2, (int64_t[]){1000, 16});
    onnx_bytes_input(&bytes, "ids", ONNX_INT64, 1, (int64_t[]){30});
    onnx_bytes_input(&bytes, "at", ONNX_INT64, 1, (int64_t[]){5});
    onnx_bytes_bag(&bytes, &plain);
    onnx_bytes_node(&bytes, "Neg", "y_starts", "z");
    onnx_bytes_node(&bytes, "Neg", "at", "nobody");
    onnx_bytes_output(&bytes, "y");
    onnx_bytes_output(&bytes, "z");
    struct onnx_graph graph = onnx_bytes_graph(&bytes);
    ck_assert_uint_eq(onnx_bag_fold(&graph), 1);
    ck_assert_uint_eq(graph.n_nodes, 6); // Shape, Gather, Concat, the bag, two Neg
    ck_assert_uint_eq(onnx_bag_fold(&graph), 0);
    ck_assert_uint_eq(graph.n_nodes, 6);
    onnx_file_release(&graph);
}
END_TEST

// Every part of the form is asked for: a Loop that differs in one of them stays.
START_TEST(other_loops_stay)
{
    static const char *const odd[] = {"empty", "keeps", "stops",   "rows",
                                      "shift", "trips", "carries", "axis"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct onnx_bytes_bag bag = plain;
        bag.odd = odd[i];
        struct onnx_graph graph = graph_of(&bag);
        ck_assert_msg(onnx_bag_fold(&graph) == 0, "%s", odd[i]);
        ck_assert_uint_eq(graph.n_nodes, 7);
        ck_assert_str_eq(graph.nodes[6].op, "Loop");
        onnx_file_release(&graph);
    }
    struct onnx_bytes_bag bag = plain;
    bag.pool = "ReduceProd";
    struct onnx_graph graph = graph_of(&bag);
    ck_assert_uint_eq(onnx_bag_fold(&graph), 0);
    onnx_file_release(&graph);
}
END_TEST

// A Loop without a body, one whose body has nothing and one whose values run in a circle.
START_TEST(broken_loops_stay)
{
    for (int i = 0; i < 3; i++) {
        struct onnx_bytes bytes = {0}, body = {0}, with = {0}, node = {0};
        onnx_bytes_input(&bytes, "x", ONNX_INT64, 1, (int64_t[]){1});
        onnx_bytes_node(&bytes, "Cast", "go", "go");
        if (i == 2) {
            onnx_bytes_input(&body, "i", ONNX_INT64, 0, NULL);
            onnx_bytes_input(&body, "c", ONNX_BOOL, 0, NULL);
            onnx_bytes_node(&body, "Identity", "b", "a");
            onnx_bytes_node(&body, "Identity", "a", "b");
            onnx_bytes_node(&body, "ReduceSum", "s", "s");
            onnx_bytes_output(&body, "a");
            onnx_bytes_output(&body, "s");
        }
        onnx_bytes_text(&node, 1, "x");
        onnx_bytes_text(&node, 1, i == 0 ? "" : "go");
        onnx_bytes_text(&node, 2, "y");
        onnx_bytes_text(&node, 4, "Loop");
        if (i > 0) {
            onnx_bytes_text(&with, 1, "body");
            onnx_bytes_message(&with, 6, &body);
            onnx_bytes_message(&node, 5, &with);
        }
        onnx_bytes_message(&bytes, 1, &node);
        struct onnx_graph graph = onnx_bytes_graph(&bytes);
        ck_assert_uint_eq(onnx_bag_fold(&graph), 0);
        ck_assert_uint_eq(graph.n_nodes, 2);
        onnx_file_release(&graph);
        onnx_bytes_release(&body);
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", a_loop_over_bags_is_one_operator},
        {"core", ends_and_weights_are_seen},
        {"core", exported_files_are_understood},
        {"limits", what_is_used_stays},
        {"errors", other_loops_stay},
        {"errors", broken_loops_stay},
    };
    return suite_run("onnx_bag", tests, sizeof tests / sizeof *tests);
}
