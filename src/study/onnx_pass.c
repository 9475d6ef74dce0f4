// SPDX-License-Identifier: Apache-2.0
#include "study/onnx_pass.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define MAX_STEPS_TO_PRODUCT 16 // between a product and its softmax
#define MAX_NAMES_IN_LIST 8

struct pass {
    const struct onnx_graph *graph;
    struct onnx_op *ops;
    struct onnx_value *values; // by name
    size_t n_values;
};

// ---- values by name -----------------------------------------------------------------------------

static int compare_values(const void *left, const void *right)
{
    const struct onnx_value *a = left, *b = right;
    return strcmp(a->name, b->name);
}

static struct onnx_value *find_value(const struct pass *pass, const char *name)
{
    const struct onnx_value key = {.name = name};
    return pass->n_values == 0
               ? NULL
               : bsearch(&key, pass->values, pass->n_values, sizeof key, compare_values);
}

static void add_name(struct pass *pass, const char *name)
{
    pass->values[pass->n_values++] =
        (struct onnx_value){.name = name, .initializer = -1, .node = -1, .type = ONNX_FLOAT};
}

static int list_names(struct pass *pass, struct err *err)
{
    const struct onnx_graph *graph = pass->graph;
    size_t n = graph->n_initializers + graph->n_inputs + 1;
    for (size_t i = 0; i < graph->n_nodes; i++)
        n += graph->nodes[i].n_outputs;
    pass->values = mem_calloc(n, sizeof *pass->values);
    for (size_t i = 0; i < graph->n_initializers; i++)
        add_name(pass, graph->initializers[i].name);
    for (size_t i = 0; i < graph->n_inputs; i++)
        add_name(pass, graph->inputs[i].name);
    for (size_t i = 0; i < graph->n_nodes; i++)
        for (size_t k = 0; k < graph->nodes[i].n_outputs; k++)
            if (*graph->nodes[i].outputs[k])
                add_name(pass, graph->nodes[i].outputs[k]);
    qsort(pass->values, pass->n_values, sizeof *pass->values, compare_values);
    for (size_t i = 1; i < pass->n_values; i++)
        if (strcmp(pass->values[i - 1].name, pass->values[i].name) == 0)
            return err_set(err, ERR_STUDY, "value \"%.60s\" is made twice", pass->values[i].name);
    return 0;
}

static int start(struct pass *pass, const struct onnx_pass_input *inputs, struct err *err)
{
    const struct onnx_graph *graph = pass->graph;
    if (list_names(pass, err) < 0)
        return -1;
    for (size_t i = 0; i < graph->n_initializers; i++) {
        struct onnx_value *value = find_value(pass, graph->initializers[i].name);
        onnx_infer_set_tensor(value, &graph->initializers[i]);
        value->initializer = (int)i;
    }
    for (size_t i = 0; i < graph->n_inputs; i++) {
        struct onnx_value *value = find_value(pass, graph->inputs[i].name);
        value->is_there = value->varies = true;
        value->type = graph->inputs[i].type;
        value->width = onnx_infer_width(value->type);
        value->rank = graph->inputs[i].rank;
        memcpy(value->dims, inputs[i].dims, sizeof value->dims);
        if (!onnx_infer_fits(value))
            return err_set(err, ERR_STUDY, "input \"%.60s\" is too large", value->name);
    }
    for (size_t i = 0; i < graph->n_nodes; i++)
        for (size_t k = 0; k < graph->nodes[i].n_inputs; k++) {
            struct onnx_value *value = find_value(pass, graph->nodes[i].inputs[k]);
            if (value)
                value->n_uses++;
        }
    for (size_t i = 0; i < graph->n_outputs; i++) {
        struct onnx_value *value = find_value(pass, graph->outputs[i]);
        if (value)
            value->n_uses++;
    }
    return 0;
}

static bool is_same_operator(const struct onnx_node *a, const struct onnx_node *b)
{
    return strcmp(a->op, b->op) == 0 && strcmp(a->domain, b->domain) == 0;
}

size_t onnx_pass_unknown(const struct onnx_graph *graph, struct err *err)
{
    const struct onnx_node *named[MAX_NAMES_IN_LIST];
    size_t n = 0, n_more = 0;
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const struct onnx_node *node = &graph->nodes[i];
        size_t k = 0, count = 0;
        if (onnx_infer_find(node))
            continue;
        while (k < n && !is_same_operator(named[k], node))
            k++;
        if (k < n)
            continue;
        if (n == MAX_NAMES_IN_LIST) {
            n_more++;
            continue;
        }
        named[n++] = node;
        for (size_t j = i; j < graph->n_nodes; j++)
            count += is_same_operator(&graph->nodes[j], node);
        if (n == 1)
            err_set(err, ERR_STUDY, "operators that are not known: ");
        err_append(err, "%s%.30s%s%.30s", n > 1 ? ", " : "", node->domain, *node->domain ? "." : "",
                   node->op);
        if (strcmp(node->op, "Loop") == 0 && *node->name)
            err_append(err, " \"%.40s\"", node->name);
        err_append(err, " (%zu)", count);
    }
    if (n_more > 0)
        err_append(err, ", and %zu more", n_more);
    return n;
}

// ---- the walk -----------------------------------------------------------------------------------

// Parameters are counted where they are first used, under whatever name.
static void count_params(const struct pass *pass, struct onnx_step *step)
{
    for (size_t i = 0; i < step->node->n_inputs; i++) {
        struct onnx_value *in = step->inputs[i];
        if (!in || in->varies || !in->is_param)
            continue;
        if (in->initializer >= 0 && in->initializer == step->op->table)
            continue; // looked up, not read
        if (in->initializer >= 0)
            in = find_value(pass, pass->graph->initializers[in->initializer].name);
        if (!in->is_counted)
            step->op->weight_bytes += onnx_infer_bytes(in);
        in->is_counted = true;
    }
}

// Of the inputs that vary, the largest: a mask is smaller than what it masks.
static const struct onnx_value *main_input(const struct pass *pass, const struct onnx_node *node)
{
    const struct onnx_value *main = NULL;
    for (size_t i = 0; i < node->n_inputs; i++) {
        const struct onnx_value *in = find_value(pass, node->inputs[i]);
        if (in && in->varies && (!main || onnx_infer_bytes(in) > onnx_infer_bytes(main)))
            main = in;
    }
    return main;
}

// A product whose outcome a softmax weighs, whatever small is between them.
static void mark_attention(struct pass *pass, const struct onnx_node *softmax)
{
    const struct onnx_value *value = main_input(pass, softmax);
    for (int i = 0; i < MAX_STEPS_TO_PRODUCT && value && value->node >= 0; i++) {
        struct onnx_op *op = &pass->ops[value->node];
        if (op->is_pairwise)
            op->class = WORK_ATTENTION;
        if (op->is_work && op->class != WORK_ELEMENTWISE && op->class != WORK_SUM)
            return;
        value = main_input(pass, &pass->graph->nodes[value->node]);
    }
}

// What the names of a list stand for; caller mem_free()s.
static struct onnx_value **resolve(const struct pass *pass, char *const *names, size_t n)
{
    struct onnx_value **values = mem_calloc(n + 1, sizeof(struct onnx_value *));
    for (size_t i = 0; i < n; i++)
        values[i] = *names[i] ? find_value(pass, names[i]) : NULL;
    return values;
}

static int check_inputs(const struct onnx_step *step, struct err *err)
{
    for (size_t i = 0; i < step->node->n_inputs; i++) {
        const struct onnx_value *in = step->inputs[i];
        if (*step->node->inputs[i] && (!in || !in->is_there)) {
            onnx_infer_fail(step, err, "nothing before it gives");
            return err_append(err, " its input \"%.60s\"", step->node->inputs[i]);
        }
        step->out->varies |= in && in->varies;
        step->out->is_param |= in && in->is_param;
    }
    return step->node->n_outputs > 0 ? 0 : onnx_infer_fail(step, err, "it has no output");
}

// Outputs that the operator's function says nothing of are like the first.
static void finish_outputs(const struct onnx_step *step, size_t at)
{
    for (size_t i = 1; i < step->node->n_outputs; i++) {
        struct onnx_value *to = step->outputs[i];
        if (!to || to->is_there)
            continue;
        to->is_there = true;
        to->varies = step->out->varies;
        to->type = step->out->type;
        to->width = step->out->width;
        to->rank = step->out->rank;
        memcpy(to->dims, step->out->dims, sizeof to->dims);
    }
    step->out->is_there = true;
    step->out->node = (int)at;
}

static void finish_op(struct pass *pass, struct onnx_step *step)
{
    struct onnx_op *op = step->op;
    if (step->out->varies)
        count_params(pass, step);
    else
        *op = (struct onnx_op){.table = -1};
    op->is_work = step->out->varies && !step->type->is_view;
    op->type = step->out->type;
    op->rank = step->out->rank;
    memcpy(op->dims, step->out->dims, sizeof op->dims);
    if (op->is_work && op->class == WORK_SOFTMAX)
        mark_attention(pass, step->node);
}

static int take(struct pass *pass, size_t at, struct err *err)
{
    const struct onnx_node *node = &pass->graph->nodes[at];
    struct onnx_value nameless = {.initializer = -1, .node = -1};
    struct onnx_value **inputs = resolve(pass, node->inputs, node->n_inputs);
    struct onnx_value **outputs = resolve(pass, node->outputs, node->n_outputs);
    struct onnx_op *op = &pass->ops[at];
    struct onnx_step step = {pass->graph, pass->ops, node,    onnx_infer_find(node),
                             op,          inputs,    outputs, outputs[0] ? outputs[0] : &nameless};
    *op = (struct onnx_op){.table = -1};
    assert(step.type);
    int rc = check_inputs(&step, err);
    if (rc == 0)
        rc = step.type->infer(&step, err);
    if (rc == 0 && !onnx_infer_fits(step.out))
        rc = onnx_infer_fail(&step, err, "its output is too large");
    if (rc == 0) {
        finish_outputs(&step, at);
        finish_op(pass, &step);
    }
    mem_free(nameless.ints);
    mem_free(inputs);
    mem_free(outputs);
    return rc;
}

int onnx_pass_run(const struct onnx_graph *graph, const struct onnx_pass_input *inputs,
                  struct onnx_op *ops, struct err *err)
{
    struct pass pass = {.graph = graph, .ops = ops};
    int rc = start(&pass, inputs, err);
    for (size_t i = 0; i < graph->n_nodes && rc == 0; i++)
        rc = take(&pass, i, err);
    for (size_t i = 0; i < pass.n_values; i++)
        mem_free(pass.values[i].ints);
    mem_free(pass.values);
    return rc;
}
