// SPDX-License-Identifier: Apache-2.0
#include "study/onnx_file.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "study/onnx_bytes.h"
#include "support/suite.h"

// What is kept of a file is what was put into it: names, sizes, attributes, integers in both of
// their forms, and of weights nothing but their dimensions.
START_TEST(a_graph_is_read)
{
    struct onnx_bytes bytes = {0};
    onnx_bytes_input(&bytes, "x", ONNX_FLOAT, 3, (int64_t[]){ONNX_OPEN, 5, 7});
    onnx_bytes_weights(&bytes, "w", 2, (int64_t[]){7, 1000000000});
    onnx_bytes_ints(&bytes, "one", 1, (int64_t[]){-3});
    onnx_bytes_ints(&bytes, "two", 2, (int64_t[]){4, -1});
    onnx_bytes_node_with(&bytes, "Softmax", "x", "s", "axis", -1);
    onnx_bytes_node(&bytes, "MatMul", "s w", "y");
    onnx_bytes_output(&bytes, "y");
    struct onnx_graph graph = onnx_bytes_graph(&bytes);
    ck_assert_str_eq(graph.producer, "a test");
    ck_assert_int_eq(graph.opset, 13);
    ck_assert_uint_eq(graph.n_inputs, 1);
    ck_assert_int_eq(graph.inputs[0].sizes[0], -1);
    ck_assert_str_eq(graph.inputs[0].names[0], "n");
    ck_assert_int_eq(graph.inputs[0].sizes[2], 7);
    ck_assert_uint_eq(graph.n_initializers, 3);
    ck_assert_int_eq(graph.initializers[0].dims[1], 1000000000);
    ck_assert_ptr_null(graph.initializers[0].ints);
    ck_assert_int_eq(graph.initializers[1].ints[0], -3);
    ck_assert_int_eq(graph.initializers[2].ints[1], -1);
    ck_assert_str_eq(graph.nodes[1].inputs[1], "w");
    ck_assert_int_eq(onnx_file_int(&graph.nodes[0], "axis", 9), -1);
    ck_assert_int_eq(onnx_file_int(&graph.nodes[1], "axis", 9), 9);
    ck_assert_str_eq(graph.outputs[0], "y");
    onnx_file_release(&graph);
    onnx_file_release(&graph);
}
END_TEST

// Old files list their initializers among the inputs; a request does not bring those.
START_TEST(initializers_are_no_inputs)
{
    struct onnx_bytes bytes = {0};
    onnx_bytes_input(&bytes, "w", ONNX_FLOAT, 1, (int64_t[]){3});
    onnx_bytes_input(&bytes, "x", ONNX_FLOAT, 2, (int64_t[]){ONNX_OPEN, 3});
    onnx_bytes_weights(&bytes, "w", 1, (int64_t[]){3});
    onnx_bytes_node(&bytes, "Add", "x w", "y");
    struct onnx_graph graph = onnx_bytes_graph(&bytes);
    ck_assert_uint_eq(graph.n_inputs, 1);
    ck_assert_str_eq(graph.inputs[0].name, "x");
    onnx_file_release(&graph);
}
END_TEST

// Of graphs in the graph the body of a Loop is kept, and none inside it; a body that cannot be read
// is none, and the file is still one.
START_TEST(bodies_of_loops_are_kept)
{
    static const char *const ops[] = {"Loop", "Loop", "If"};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        struct onnx_bytes bytes = {0}, body = {0}, inner = {0}, with = {0}, node = {0};
        onnx_bytes_text(&node, 4, "Loop");
        onnx_bytes_node(&inner, "Relu", "x", "z");
        onnx_bytes_text(&with, 1, "body");
        onnx_bytes_message(&with, 6, &inner);
        onnx_bytes_message(&node, 5, &with);
        onnx_bytes_input(&body, "i", ONNX_INT64, 0, NULL);
        onnx_bytes_message(&body, 1, &node);
        onnx_bytes_output(&body, "z");
        if (i == 1)
            onnx_bytes_weights(&body, "w", 1, (int64_t[]){-5});
        onnx_bytes_text(&with, 1, "body");
        onnx_bytes_message(&with, 6, &body);
        onnx_bytes_text(&node, 4, ops[i]);
        onnx_bytes_message(&node, 5, &with);
        onnx_bytes_message(&bytes, 1, &node);
        struct onnx_graph graph = onnx_bytes_graph(&bytes);
        ck_assert_int_eq(graph.nodes[0].body != NULL, i == 0);
        if (i == 0) {
            ck_assert_str_eq(graph.nodes[0].body->inputs[0].name, "i");
            ck_assert_str_eq(graph.nodes[0].body->outputs[0], "z");
            ck_assert_str_eq(graph.nodes[0].body->nodes[0].op, "Loop");
            ck_assert_ptr_null(graph.nodes[0].body->nodes[0].body);
        }
        onnx_file_release(&graph);
    }
}
END_TEST

// A file is read as its bytes are; one that is not there, or is a folder, is one line.
START_TEST(files_are_read)
{
    struct onnx_bytes bytes = onnx_bytes_rmc1(), file = onnx_bytes_file(&bytes);
    struct onnx_graph graph;
    struct err err;
    FILE *out = fopen("test_onnx_file.onnx", "w");
    fwrite(file.at, 1, file.n, out);
    fclose(out);
    ck_assert_int_eq(onnx_file_read(&graph, "test_onnx_file.onnx", &err), 0);
    ck_assert_uint_eq(graph.n_nodes, 2 * 5 + 2 * 8 + 1);
    onnx_file_release(&graph);
    remove("test_onnx_file.onnx");
    ck_assert_int_eq(onnx_file_read(&graph, "test_onnx_file.onnx", &err), -1);
    ck_assert_str_eq(err.text, "test_onnx_file.onnx: cannot be read: No such file or directory");
    ck_assert_int_eq(onnx_file_read(&graph, ".", &err), -1);
    ck_assert_str_eq(err.text, ".: is not a file");
    onnx_bytes_release(&file);
}
END_TEST

static void refused(struct onnx_bytes *graph, const char *text)
{
    struct onnx_bytes file = onnx_bytes_file(graph);
    struct onnx_graph read;
    struct err err = {0};
    ck_assert_int_eq(onnx_file_parse(&read, "m.onnx", file.at, file.n, &err), -1);
    ck_assert_str_eq(err.text, text);
    ck_assert_int_eq(err.code, ERR_STUDY);
    ck_assert_ptr_null(read.nodes);
    onnx_bytes_release(&file);
}

// Sizes that no memory holds, shapes without an end and graphs of nothing are one line each.
START_TEST(impossible_graphs_are_refused)
{
    struct onnx_bytes bytes = {0};
    onnx_bytes_weights(&bytes, "w", 1, (int64_t[]){-5});
    refused(&bytes, "m.onnx: tensor \"w\" has a dimension of -5");
    onnx_bytes_weights(&bytes, "w", 9, (int64_t[]){1, 1, 1, 1, 1, 1, 1, 1, 1});
    refused(&bytes, "m.onnx: tensor \"w\" has 9 dimensions, more than 8");
    onnx_bytes_weights(&bytes, "w", 3, (int64_t[]){0, 1000000000000, 1000000000000});
    refused(&bytes, "m.onnx: tensor \"w\" has too many values");
    onnx_bytes_input(&bytes, "x", ONNX_FLOAT, 1, (int64_t[]){INT64_MAX});
    refused(&bytes, "m.onnx: input \"x\" has a dimension of 9223372036854775807");
    onnx_bytes_text(&bytes, 2, "a name alone");
    refused(&bytes, "m.onnx: the graph has no operators");
    struct onnx_bytes info = {0};
    onnx_bytes_text(&info, 1, "x\nx");
    onnx_bytes_message(&bytes, 11, &info);
    refused(&bytes, "m.onnx: input \"x x\" is not a tensor with a shape");
}
END_TEST

// Messages in messages, as deep as a file likes: the library would run out of stack.
START_TEST(bottomless_files_are_refused)
{
    struct onnx_bytes graph = {0};
    for (int i = 0; i < 2000; i++) { // a graph as an attribute of a node of a graph ...
        struct onnx_bytes attribute = {0}, node = {0};
        onnx_bytes_message(&attribute, 6, &graph);
        onnx_bytes_message(&node, 5, &attribute);
        onnx_bytes_message(&graph, 1, &node);
    }
    refused(&graph, "m.onnx: is not an ONNX model, or is cut off");
}
END_TEST

// A file of empty messages promises a struct of hundreds of bytes for each two.
START_TEST(room_is_bounded)
{
    struct onnx_bytes graph = {0}, empty = {0};
    onnx_bytes_message(&graph, 1, &empty);
    size_t n = 4 << 20;
    graph.at = mem_realloc(graph.at, n, 1);
    for (; graph.n + 2 < n; graph.n += 2)
        memcpy(graph.at + graph.n, graph.at, 2);
    refused(&graph, "m.onnx: is not an ONNX model, or is cut off");
}
END_TEST

// Whatever a file is cut to and whichever of its bits are wrong: a graph or one line, no more.
START_TEST(damage_is_survived)
{
    struct onnx_bytes bytes = onnx_bytes_rmc1(), file = onnx_bytes_file(&bytes);
    uint32_t random = 1;
    size_t n_lines = 0;
    for (size_t i = 0; i < file.n + 3000; i++) {
        size_t n = i < file.n ? i : file.n;
        uint8_t *copy = mem_alloc(n + 1);
        memcpy(copy, file.at, n);
        for (int k = 0; k < 3 && i >= file.n; k++) {
            random = random * 1664525 + 1013904223;
            copy[(random >> 8) % n] ^= (uint8_t)(1 << (random >> 29));
        }
        struct onnx_graph graph;
        struct err err = {0};
        if (onnx_file_parse(&graph, "m.onnx", copy, n, &err) == 0) {
            onnx_file_release(&graph);
        } else {
            ck_assert_ptr_null(strchr(err.text, '\n'));
            ck_assert_int_eq(strncmp(err.text, "m.onnx: ", 8), 0);
            n_lines++;
        }
        mem_free(copy);
    }
    ck_assert_uint_gt(n_lines, file.n / 2);
    onnx_bytes_release(&file);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", a_graph_is_read},
        {"core", initializers_are_no_inputs},
        {"core", files_are_read},
        {"core", bodies_of_loops_are_kept},
        {"limits", bottomless_files_are_refused},
        {"limits", room_is_bounded},
        {"errors", impossible_graphs_are_refused},
        {"errors", damage_is_survived},
    };
    return suite_run("onnx_file", tests, sizeof tests / sizeof *tests);
}
