// SPDX-License-Identifier: Apache-2.0
#include "study/onnx_bytes.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "support/suite.h"

static void put(struct onnx_bytes *to, const void *bytes, size_t n)
{
    to->at = mem_realloc(to->at, to->n + n + 1, 1);
    if (n > 0)
        memcpy(to->at + to->n, bytes, n);
    to->n += n;
}

static void put_varint(struct onnx_bytes *to, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        put(to, &(uint8_t){(uint8_t)(value | 0x80)}, 1);
    put(to, &(uint8_t){(uint8_t)value}, 1);
}

void onnx_bytes_number(struct onnx_bytes *to, unsigned field, int64_t value)
{
    put_varint(to, (uint64_t)field << 3);
    put_varint(to, (uint64_t)value);
}

static void put_bytes(struct onnx_bytes *to, unsigned field, const void *bytes, size_t n)
{
    put_varint(to, (uint64_t)field << 3 | 2);
    put_varint(to, n);
    put(to, bytes, n);
}

void onnx_bytes_text(struct onnx_bytes *to, unsigned field, const char *text)
{
    put_bytes(to, field, text, strlen(text));
}

void onnx_bytes_message(struct onnx_bytes *to, unsigned field, struct onnx_bytes *message)
{
    put_bytes(to, field, message->at, message->n);
    onnx_bytes_release(message);
}

void onnx_bytes_release(struct onnx_bytes *bytes)
{
    mem_free(bytes->at);
    *bytes = (struct onnx_bytes){0};
}

void onnx_bytes_input(struct onnx_bytes *graph, const char *name, int type, size_t rank,
                      const int64_t *dims)
{
    struct onnx_bytes shape = {0}, tensor = {0}, any = {0}, info = {0};
    for (size_t d = 0; d < rank; d++) {
        struct onnx_bytes dim = {0};
        if (dims[d] == ONNX_OPEN)
            onnx_bytes_text(&dim, 2, "n");
        else
            onnx_bytes_number(&dim, 1, dims[d]);
        onnx_bytes_message(&shape, 1, &dim);
    }
    onnx_bytes_number(&tensor, 1, type);
    onnx_bytes_message(&tensor, 2, &shape);
    onnx_bytes_message(&any, 1, &tensor);
    onnx_bytes_text(&info, 1, name);
    onnx_bytes_message(&info, 2, &any);
    onnx_bytes_message(graph, 11, &info);
}

void onnx_bytes_output(struct onnx_bytes *graph, const char *name)
{
    struct onnx_bytes info = {0};
    onnx_bytes_text(&info, 1, name);
    onnx_bytes_message(graph, 12, &info);
}

void onnx_bytes_weights(struct onnx_bytes *graph, const char *name, size_t rank,
                        const int64_t *dims)
{
    struct onnx_bytes tensor = {0}, where = {0};
    for (size_t d = 0; d < rank; d++)
        onnx_bytes_number(&tensor, 1, dims[d]);
    onnx_bytes_number(&tensor, 2, ONNX_FLOAT);
    onnx_bytes_text(&tensor, 8, name);
    onnx_bytes_text(&where, 1, "location");
    onnx_bytes_text(&where, 2, "weights.bin");
    onnx_bytes_message(&tensor, 13, &where);
    onnx_bytes_number(&tensor, 14, 1);
    onnx_bytes_message(graph, 5, &tensor);
}

// Raw for one, as integers for the other half of the files: there are both in the wild.
void onnx_bytes_ints(struct onnx_bytes *graph, const char *name, size_t n, const int64_t *ints)
{
    struct onnx_bytes tensor = {0};
    onnx_bytes_number(&tensor, 1, (int64_t)n);
    onnx_bytes_number(&tensor, 2, ONNX_INT64);
    for (size_t i = 0; n % 2 == 0 && i < n; i++)
        onnx_bytes_number(&tensor, 7, ints[i]);
    onnx_bytes_text(&tensor, 8, name);
    if (n % 2 == 1)
        put_bytes(&tensor, 9, ints, n * sizeof *ints);
    onnx_bytes_message(graph, 5, &tensor);
}

static void put_names(struct onnx_bytes *node, unsigned field, const char *names)
{
    char name[64];
    int used;
    for (; sscanf(names, "%63s%n", name, &used) == 1; names += used)
        onnx_bytes_text(node, field, strcmp(name, "-") == 0 ? "" : name);
}

static struct onnx_bytes node_of(const char *op, const char *inputs, const char *outputs)
{
    struct onnx_bytes node = {0};
    put_names(&node, 1, inputs);
    put_names(&node, 2, outputs);
    onnx_bytes_text(&node, 4, op);
    return node;
}

void onnx_bytes_node(struct onnx_bytes *graph, const char *op, const char *inputs,
                     const char *outputs)
{
    struct onnx_bytes node = node_of(op, inputs, outputs);
    onnx_bytes_message(graph, 1, &node);
}

void onnx_bytes_node_with(struct onnx_bytes *graph, const char *op, const char *inputs,
                          const char *outputs, const char *attribute, int64_t value)
{
    struct onnx_bytes node = node_of(op, inputs, outputs), with = {0};
    onnx_bytes_text(&with, 1, attribute);
    onnx_bytes_number(&with, 3, value);
    onnx_bytes_number(&with, 20, 2);
    onnx_bytes_message(&node, 5, &with);
    onnx_bytes_message(graph, 1, &node);
}

void onnx_bytes_node_list(struct onnx_bytes *graph, const char *op, const char *inputs,
                          const char *outputs, const char *attribute, size_t n,
                          const int64_t *values)
{
    struct onnx_bytes node = node_of(op, inputs, outputs), with = {0};
    onnx_bytes_text(&with, 1, attribute);
    for (size_t i = 0; i < n; i++)
        onnx_bytes_number(&with, 8, values[i]);
    onnx_bytes_number(&with, 20, 7);
    onnx_bytes_message(&node, 5, &with);
    onnx_bytes_message(graph, 1, &node);
}

// What the bag's values are called: its output and a letter; "" or more names may follow.
static const char *named(char text[160], const struct onnx_bytes_bag *bag, const char *form)
{
    char *to = text;
    for (const char *at = form; *at; at++) {
        if (*at == '$')
            to += snprintf(to, (size_t)(text + 160 - to), "%s_", bag->output);
        else if (to < text + 158)
            *to++ = *at;
    }
    *to = '\0';
    return text;
}

static int is_odd(const struct onnx_bytes_bag *bag, const char *what)
{
    return bag->odd && strcmp(bag->odd, what) == 0;
}

static struct onnx_bytes bag_body(const struct onnx_bytes_bag *bag)
{
    struct onnx_bytes body = {0};
    char in[160], out[160];
    onnx_bytes_input(&body, named(in, bag, "$i"), ONNX_INT64, 0, NULL);
    onnx_bytes_input(&body, named(in, bag, "$c"), ONNX_BOOL, 0, NULL);
    onnx_bytes_node(&body, "Gather", named(in, bag, "$starts $i"), named(out, bag, "$a0"));
    onnx_bytes_node(&body, "Gather",
                    named(in, bag, is_odd(bag, "empty") ? "$starts $i" : "$ends $i"),
                    named(out, bag, "$b0"));
    onnx_bytes_node(&body, "Unsqueeze", named(in, bag, "$a0 $zero"), named(out, bag, "$a"));
    onnx_bytes_node(&body, "Unsqueeze", named(in, bag, "$b0 $zero"), named(out, bag, "$b"));
    char cut[240];
    snprintf(cut, sizeof cut, "%s %s", bag->indices, named(in, bag, "$a $b $zero"));
    onnx_bytes_node(&body, "Slice", cut, named(out, bag, "$cut"));
    snprintf(cut, sizeof cut, "%s %s", bag->table, named(in, bag, "$cut"));
    onnx_bytes_node(&body, "Gather", cut, named(out, bag, "$rows"));
    if (bag->weights) {
        snprintf(cut, sizeof cut, "%s %s", bag->weights, named(in, bag, "$a $b $zero"));
        onnx_bytes_node(&body, "Slice", cut, named(out, bag, "$w0"));
        onnx_bytes_node(&body, "Unsqueeze", named(in, bag, "$w0 $one"), named(out, bag, "$w"));
        onnx_bytes_node(&body, "Mul", named(in, bag, "$rows $w"), named(out, bag, "$scaled"));
    }
    onnx_bytes_node_with(&body, bag->pool,
                         named(in, bag,
                               is_odd(bag, "axis") ? "$rows $one"
                               : bag->weights      ? "$scaled $zero"
                                                   : "$rows $zero"),
                         named(out, bag, "$bag"), "keepdims", is_odd(bag, "keeps"));
    onnx_bytes_node_with(&body, "Cast", named(in, bag, is_odd(bag, "stops") ? "$zero" : "$one"),
                         named(out, bag, "$go"), "to", ONNX_BOOL);
    onnx_bytes_output(&body, named(in, bag, "$go"));
    onnx_bytes_output(&body, named(in, bag, is_odd(bag, "rows") ? "$rows" : "$bag"));
    return body;
}

void onnx_bytes_bag(struct onnx_bytes *graph, const struct onnx_bytes_bag *bag)
{
    struct onnx_bytes body = bag_body(bag), with = {0};
    char in[160], out[160], join[240];
    onnx_bytes_ints(graph, named(in, bag, "$zero"), 1, (int64_t[]){0});
    onnx_bytes_ints(graph, named(in, bag, "$one"), 1, (int64_t[]){1});
    onnx_bytes_ints(graph, named(in, bag, "$first"), 1, (int64_t[]){is_odd(bag, "shift") ? 2 : 1});
    onnx_bytes_ints(graph, named(in, bag, "$max"), 1, (int64_t[]){INT64_MAX});
    onnx_bytes_node(graph, "Shape", bag->indices, named(out, bag, "$shape"));
    onnx_bytes_node(graph, "Gather", named(in, bag, "$shape $zero"), named(out, bag, "$n"));
    snprintf(join, sizeof join, "%s%s", bag->offsets, bag->has_end ? "" : named(in, bag, " $n"));
    onnx_bytes_node_with(graph, "Concat", join, named(out, bag, "$starts"), "axis", 0);
    onnx_bytes_node(graph, "Slice", named(in, bag, "$starts $first $max $zero"),
                    named(out, bag, "$ends"));
    onnx_bytes_node(graph, "Shape", named(in, bag, is_odd(bag, "trips") ? "$starts" : "$ends"),
                    named(out, bag, "$size"));
    onnx_bytes_node(graph, "Gather", named(in, bag, "$size $zero"), named(out, bag, "$trips"));
    onnx_bytes_text(&with, 1, "body");
    onnx_bytes_message(&with, 6, &body);
    onnx_bytes_number(&with, 20, 5);
    struct onnx_bytes node = node_of(
        "Loop", named(in, bag, is_odd(bag, "carries") ? "$trips $one $zero" : "$trips $one"),
        bag->output);
    onnx_bytes_text(&node, 3, named(in, bag, "$loop"));
    onnx_bytes_message(&node, 5, &with);
    onnx_bytes_message(graph, 1, &node);
}

struct onnx_bytes onnx_bytes_file(struct onnx_bytes *graph)
{
    struct onnx_bytes file = {0}, opset = {0};
    onnx_bytes_number(&file, 1, 8);
    onnx_bytes_text(&file, 2, "a test");
    onnx_bytes_message(&file, 7, graph);
    onnx_bytes_number(&opset, 2, 13);
    onnx_bytes_message(&file, 8, &opset);
    return file;
}

struct onnx_graph onnx_bytes_graph(struct onnx_bytes *graph)
{
    struct onnx_bytes file = onnx_bytes_file(graph);
    struct onnx_graph read;
    struct err err = {0};
    int rc = onnx_file_parse(&read, "test.onnx", file.at, file.n, &err);
    onnx_bytes_release(&file);
    ck_assert_msg(rc == 0, "%s", err.text);
    return read;
}

// A stack of layers over `x`, whose values begin with a prefix; fills the name of what comes out.
static void add_stack(struct onnx_bytes *graph, char *x, int64_t in, const char *prefix,
                      const int64_t *widths, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char w[16], b[16], y[16], inputs[64];
        snprintf(w, sizeof w, "%sw%zu", prefix, i);
        snprintf(b, sizeof b, "%sb%zu", prefix, i);
        snprintf(y, sizeof y, "%sy%zu", prefix, i);
        snprintf(inputs, sizeof inputs, "%s %s %s", x, w, b);
        onnx_bytes_weights(graph, w, 2, (int64_t[]){widths[i], in});
        onnx_bytes_weights(graph, b, 1, &widths[i]);
        onnx_bytes_node_with(graph, "Gemm", inputs, y, "transB", 1);
        snprintf(x, 16, "%sa%zu", prefix, i);
        onnx_bytes_node(graph, i + 1 < n ? "Relu" : "Sigmoid", y, x);
        in = widths[i];
    }
}

struct onnx_bytes onnx_bytes_rmc1(void)
{
    struct onnx_bytes graph = {0};
    char x[16] = "x", parts[256];
    onnx_bytes_input(&graph, "x", ONNX_FLOAT, 2, (int64_t[]){ONNX_OPEN, 128});
    add_stack(&graph, x, 128, "d", (int64_t[]){64, 32}, 2);
    onnx_bytes_ints(&graph, "axis", 1, (int64_t[]){1});
    size_t n = (size_t)snprintf(parts, sizeof parts, "%s", x);
    for (int t = 0; t < 8; t++) {
        char table[16], index[16], inputs[40], rows[16], pooled[16];
        snprintf(table, sizeof table, "t%d", t);
        snprintf(index, sizeof index, "i%d", t);
        snprintf(inputs, sizeof inputs, "%s %s", table, index);
        snprintf(rows, sizeof rows, "r%d", t);
        snprintf(pooled, sizeof pooled, "p%d", t);
        onnx_bytes_weights(&graph, table, 2, (int64_t[]){4000000, 32});
        onnx_bytes_input(&graph, index, ONNX_INT64, 2, (int64_t[]){ONNX_OPEN, 80});
        onnx_bytes_node(&graph, "Gather", inputs, rows);
        snprintf(inputs, sizeof inputs, "%s axis", rows);
        onnx_bytes_node_with(&graph, "ReduceSum", inputs, pooled, "keepdims", 0);
        n += (size_t)snprintf(parts + n, sizeof parts - n, " %s", pooled);
    }
    onnx_bytes_node_with(&graph, "Concat", parts, "all", "axis", 1);
    snprintf(x, sizeof x, "all");
    add_stack(&graph, x, 32 * 9, "u", (int64_t[]){256, 64, 1}, 3);
    onnx_bytes_output(&graph, x);
    return graph;
}
