// SPDX-License-Identifier: Apache-2.0
#include "study/onnx_bag.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define MAX_BODY_NODES 64 // the exporter writes a dozen
#define MAX_VIEWS 8       // operators in a row that only change a shape or a type

// A value of the graph, by name.
struct made {
    const char *name;
    const struct onnx_tensor *tensor; // an initializer; NULL: none
    struct onnx_input *input;         // an input of the graph; NULL: none
    int node;                         // that gives it; -1: none
    size_t n_uses;
    bool is_fed; // to a Loop that is no more
};

struct scope {
    struct onnx_graph *graph;
    struct made *made; // in the order of names
    size_t n_made;
    const struct onnx_graph *body; // that is looked at; NULL: none
};

// What a Loop is, by names of values outside its body.
struct bag {
    const char *table, *indices, *weights; // weights NULL: none
    const char *starts, *ends, *offsets;
    bool has_end;
};

static int compare_made(const void *left, const void *right)
{
    const struct made *a = left, *b = right;
    return strcmp(a->name, b->name);
}

static struct made *find_made(const struct scope *scope, const char *name)
{
    const struct made key = {.name = name};
    return scope->n_made == 0 || !*name
               ? NULL
               : bsearch(&key, scope->made, scope->n_made, sizeof key, compare_made);
}

static void list_made(struct scope *scope)
{
    struct onnx_graph *graph = scope->graph;
    size_t n = graph->n_initializers + graph->n_inputs + 1;
    for (size_t i = 0; i < graph->n_nodes; i++)
        n += graph->nodes[i].n_outputs;
    scope->made = mem_calloc(n, sizeof *scope->made);
    for (size_t i = 0; i < graph->n_initializers; i++)
        scope->made[scope->n_made++] = (struct made){
            .name = graph->initializers[i].name, .tensor = &graph->initializers[i], .node = -1};
    for (size_t i = 0; i < graph->n_inputs; i++)
        scope->made[scope->n_made++] =
            (struct made){.name = graph->inputs[i].name, .input = &graph->inputs[i], .node = -1};
    for (size_t i = 0; i < graph->n_nodes; i++)
        for (size_t k = 0; k < graph->nodes[i].n_outputs; k++)
            scope->made[scope->n_made++] =
                (struct made){.name = graph->nodes[i].outputs[k], .node = (int)i};
    qsort(scope->made, scope->n_made, sizeof *scope->made, compare_made);
}

// ---- what a value comes from --------------------------------------------------------------------

static const char *input(const struct onnx_node *node, size_t i)
{
    return i < node->n_inputs ? node->inputs[i] : "";
}

static bool is_op(const struct onnx_node *node, const char *op)
{
    return node && !*node->domain && strcmp(node->op, op) == 0;
}

static const struct onnx_node *maker_inside(const struct scope *scope, const char *name)
{
    const struct onnx_graph *body = scope->body;
    for (size_t i = 0; body && *name && i < body->n_nodes; i++)
        for (size_t k = 0; k < body->nodes[i].n_outputs; k++)
            if (strcmp(body->nodes[i].outputs[k], name) == 0)
                return &body->nodes[i];
    return NULL;
}

static const struct onnx_tensor *tensor_inside(const struct scope *scope, const char *name)
{
    const struct onnx_graph *body = scope->body;
    for (size_t i = 0; body && *name && i < body->n_initializers; i++)
        if (strcmp(body->initializers[i].name, name) == 0)
            return &body->initializers[i];
    return NULL;
}

static const struct onnx_node *maker(const struct scope *scope, const char *name)
{
    const struct onnx_node *inside = maker_inside(scope, name);
    const struct made *made = find_made(scope, name);
    return inside || !made || made->node < 0 ? inside : &scope->graph->nodes[made->node];
}

// Its name, where it is made outside the body; NULL: it is not.
static const char *outside(const struct scope *scope, const char *name)
{
    bool is_inner = maker_inside(scope, name) || tensor_inside(scope, name);
    for (size_t i = 0; scope->body && i < scope->body->n_inputs; i++)
        is_inner |= strcmp(scope->body->inputs[i].name, name) == 0;
    return !is_inner && find_made(scope, name) ? name : NULL;
}

static const struct onnx_tensor *constant(const struct scope *scope, const char *name)
{
    const struct onnx_node *node = maker(scope, name);
    const struct onnx_tensor *inside = tensor_inside(scope, name);
    if (is_op(node, "Constant")) {
        const struct onnx_attribute *value = onnx_file_attribute(node, "value");
        return value && value->has_tensor ? &value->tensor : NULL;
    }
    const struct made *made = find_made(scope, name);
    return inside ? inside : node || !made ? NULL : made->tensor;
}

static bool is_constant(const struct scope *scope, const char *name, int64_t value)
{
    const struct onnx_tensor *tensor = constant(scope, name);
    return tensor && tensor->ints && tensor->n_ints == 1 && tensor->ints[0] == value;
}

// The name of a value before operators that only change its type or add and take axes of 1.
static const char *before_views(const struct scope *scope, const char *name)
{
    static const char *const views[] = {"Cast", "Identity", "Unsqueeze", "Squeeze"};
    for (int i = 0; i < MAX_VIEWS; i++) {
        const struct onnx_node *node = maker(scope, name);
        bool is_view = false;
        for (size_t k = 0; k < sizeof views / sizeof *views; k++)
            is_view |= is_op(node, views[k]);
        if (!is_view)
            break;
        name = input(node, 0);
    }
    return name;
}

// The one axis of an operator, in an attribute or an input.
static bool has_axis(const struct scope *scope, const struct onnx_node *node, int64_t axis)
{
    const struct onnx_attribute *axes = onnx_file_attribute(node, "axes");
    return axes ? axes->n_ints == 1 && axes->ints[0] == axis
                : is_constant(scope, input(node, 1), axis);
}

// ---- the body -----------------------------------------------------------------------------------

static bool is_true(const struct scope *scope, const char *name)
{
    name = before_views(scope, name);
    return (scope->body && strcmp(name, scope->body->inputs[1].name) == 0) ||
           is_constant(scope, name, 1);
}

// The list of which a value is the element at the Loop's counter; NULL: it is none.
static const char *list_of(const struct scope *scope, const char *name)
{
    const struct onnx_node *node = maker_inside(scope, before_views(scope, name));
    if (!is_op(node, "Gather") || onnx_file_int(node, "axis", 0) != 0 ||
        strcmp(before_views(scope, input(node, 1)), scope->body->inputs[0].name) != 0)
        return NULL;
    return outside(scope, input(node, 0));
}

// What is cut from one element of `starts` to one of `ends`, which it sets; NULL: it is not cut so.
static const char *cut_of(const struct scope *scope, const char *name, const char **starts,
                          const char **ends)
{
    const struct onnx_node *node = maker_inside(scope, name);
    if (!is_op(node, "Slice") || (*input(node, 3) && !is_constant(scope, input(node, 3), 0)) ||
        (*input(node, 4) && !is_constant(scope, input(node, 4), 1)))
        return NULL;
    *starts = list_of(scope, input(node, 1));
    *ends = list_of(scope, input(node, 2));
    return *starts && *ends ? outside(scope, input(node, 0)) : NULL;
}

static bool take_weights(const struct scope *scope, const char *name, struct bag *bag)
{
    const struct onnx_node *node = maker_inside(scope, name);
    const char *starts, *ends;
    if (!is_op(node, "Unsqueeze") || !has_axis(scope, node, 1))
        return false;
    bag->weights = cut_of(scope, input(node, 0), &starts, &ends);
    return bag->weights && strcmp(starts, bag->starts) == 0 && strcmp(ends, bag->ends) == 0;
}

static bool take_lookup(const struct scope *scope, const char *name, struct bag *bag)
{
    const struct onnx_node *node = maker_inside(scope, name);
    if (!is_op(node, "Gather") || onnx_file_int(node, "axis", 0) != 0)
        return false;
    bag->table = outside(scope, input(node, 0));
    bag->indices = cut_of(scope, input(node, 1), &bag->starts, &bag->ends);
    return bag->table && bag->indices;
}

static bool take_body(const struct scope *scope, struct bag *bag)
{
    const struct onnx_node *pool = maker_inside(scope, scope->body->outputs[1]);
    if (!pool || onnx_file_int(pool, "keepdims", 1) != 0 || !has_axis(scope, pool, 0) ||
        !(is_op(pool, "ReduceSum") || is_op(pool, "ReduceMean") || is_op(pool, "ReduceMax")))
        return false;
    const struct onnx_node *scale = maker_inside(scope, input(pool, 0));
    if (!is_op(scale, "Mul"))
        return take_lookup(scope, input(pool, 0), bag);
    for (size_t i = 0; i < 2; i++)
        if (take_lookup(scope, input(scale, i), bag))
            return take_weights(scope, input(scale, 1 - i), bag);
    return false;
}

// ---- around the Loop ----------------------------------------------------------------------------

// Is it how many `of` has?
static bool is_size_of(const struct scope *scope, const char *name, const char *of)
{
    const struct onnx_node *node = maker(scope, before_views(scope, name));
    if (!is_op(node, "Gather") || !is_constant(scope, input(node, 1), 0))
        return false;
    const struct onnx_node *shape = maker(scope, input(node, 0));
    return is_op(shape, "Shape") && strcmp(input(shape, 0), of) == 0;
}

static bool is_shifted(const struct scope *scope, const struct bag *bag)
{
    const struct onnx_node *node = maker(scope, bag->ends);
    const struct onnx_tensor *starts = constant(scope, bag->starts);
    const struct onnx_tensor *ends = constant(scope, bag->ends);
    if (starts && ends)
        return starts->ints && ends->ints && starts->n_ints == ends->n_ints + 1 &&
               memcmp(starts->ints + 1, ends->ints, ends->n_ints * sizeof *ends->ints) == 0;
    const struct onnx_tensor *to = is_op(node, "Slice") ? constant(scope, input(node, 2)) : NULL;
    return to && to->n_ints == 1 && to->ints[0] >= INT32_MAX &&
           strcmp(input(node, 0), bag->starts) == 0 && is_constant(scope, input(node, 1), 1) &&
           (!*input(node, 3) || is_constant(scope, input(node, 3), 0)) &&
           (!*input(node, 4) || is_constant(scope, input(node, 4), 1));
}

static bool runs_over(const struct scope *scope, const char *trips, const char *ends)
{
    const struct onnx_tensor *tensor = constant(scope, ends);
    return is_size_of(scope, trips, ends) ||
           (tensor && tensor->ints && is_constant(scope, trips, (int64_t)tensor->n_ints));
}

static void take_offsets(const struct scope *scope, struct bag *bag)
{
    const struct onnx_node *node = maker(scope, bag->starts);
    bag->has_end = !is_op(node, "Concat") || node->n_inputs != 2 ||
                   onnx_file_int(node, "axis", 1) != 0 ||
                   !is_size_of(scope, input(node, 1), bag->indices);
    bag->offsets = bag->has_end ? bag->starts : input(node, 0);
}

static bool is_bag(struct scope *scope, const struct onnx_node *loop, struct bag *bag)
{
    *bag = (struct bag){.table = NULL};
    scope->body = NULL;
    if (!is_op(loop, "Loop") || !loop->body || loop->n_inputs != 2 || loop->n_outputs != 1 ||
        loop->body->n_inputs != 2 || loop->body->n_outputs != 2 ||
        loop->body->n_nodes > MAX_BODY_NODES || loop->body->n_initializers > MAX_BODY_NODES ||
        (*loop->inputs[1] && !is_true(scope, loop->inputs[1])))
        return false;
    scope->body = loop->body;
    bool fits = is_true(scope, loop->body->outputs[0]) && take_body(scope, bag);
    scope->body = NULL;
    if (!fits || !is_shifted(scope, bag) || !runs_over(scope, loop->inputs[0], bag->ends))
        return false;
    take_offsets(scope, bag);
    return true;
}

// ---- what becomes of it -------------------------------------------------------------------------

static void mark_fed(const struct scope *scope, const struct onnx_node *node)
{
    for (size_t i = 0; i < node->n_inputs; i++) {
        struct made *made = find_made(scope, node->inputs[i]);
        if (made)
            made->is_fed = true;
    }
}

static void mark_input(const struct scope *scope, const char *name, enum onnx_role role)
{
    struct made *made = find_made(scope, before_views(scope, name));
    if (made && made->input && made->input->rank == 1 && made->input->role != ONNX_OF_BAGS)
        made->input->role = role;
}

static void replace(const struct scope *scope, struct onnx_node *loop, const struct bag *bag)
{
    struct onnx_node to = {.op = mem_strdup(ONNX_BAG_OP),
                           .domain = mem_strdup(ONNX_BAG_DOMAIN),
                           .name = mem_strdup(loop->name),
                           .inputs = mem_calloc(4, sizeof *to.inputs),
                           .n_inputs = bag->weights ? 4 : 3,
                           .outputs = loop->outputs, // known by these texts (struct made)
                           .n_outputs = loop->n_outputs,
                           .attributes = mem_calloc(1, sizeof *to.attributes),
                           .n_attributes = 1};
    const char *const inputs[] = {bag->table, bag->indices, bag->offsets, bag->weights};
    for (size_t i = 0; i < to.n_inputs; i++)
        to.inputs[i] = mem_strdup(inputs[i]);
    to.attributes[0] = (struct onnx_attribute){.name = mem_strdup(ONNX_BAG_HAS_END),
                                               .text = mem_strdup(""),
                                               .has_i = true,
                                               .i = bag->has_end};
    if (bag->has_end)
        mark_input(scope, bag->offsets, ONNX_OFFSETS_WITH_END);
    mark_input(scope, bag->indices, ONNX_OF_BAGS);
    if (bag->weights)
        mark_input(scope, bag->weights, ONNX_OF_BAGS);
    mark_fed(scope, loop);
    for (size_t i = 0; i < loop->body->n_nodes; i++)
        mark_fed(scope, &loop->body->nodes[i]);
    loop->outputs = NULL;
    loop->n_outputs = 0;
    onnx_file_release_node(loop);
    *loop = to;
}

static void count_uses(struct scope *scope)
{
    struct onnx_graph *graph = scope->graph;
    for (size_t i = 0; i < graph->n_nodes; i++)
        for (size_t k = 0; k < graph->nodes[i].n_inputs; k++) {
            struct made *made = find_made(scope, graph->nodes[i].inputs[k]);
            if (made)
                made->n_uses++;
        }
    for (size_t i = 0; i < graph->n_outputs; i++) {
        struct made *made = find_made(scope, graph->outputs[i]);
        if (made)
            made->n_uses++;
    }
}

static bool is_left_over(const struct scope *scope, const struct onnx_node *node)
{
    bool is_fed = false;
    for (size_t k = 0; k < node->n_outputs; k++) {
        const struct made *made = find_made(scope, node->outputs[k]);
        if (made && made->n_uses > 0)
            return false;
        is_fed |= made && made->is_fed;
    }
    return is_fed;
}

// What fed Loops alone. From the last operator to the first, for each comes after what it takes.
static void sweep(struct scope *scope)
{
    struct onnx_graph *graph = scope->graph;
    bool *goes = mem_calloc(graph->n_nodes + 1, sizeof *goes);
    size_t n = 0;
    for (size_t i = graph->n_nodes; i-- > 0;) {
        goes[i] = is_left_over(scope, &graph->nodes[i]);
        if (!goes[i])
            continue;
        mark_fed(scope, &graph->nodes[i]);
        for (size_t k = 0; k < graph->nodes[i].n_inputs; k++) {
            struct made *made = find_made(scope, graph->nodes[i].inputs[k]);
            if (made)
                made->n_uses--;
        }
    }
    for (size_t i = 0; i < graph->n_nodes; i++) {
        if (goes[i])
            onnx_file_release_node(&graph->nodes[i]);
        else
            graph->nodes[n++] = graph->nodes[i];
    }
    graph->n_nodes = n;
    mem_free(goes);
}

size_t onnx_bag_fold(struct onnx_graph *graph)
{
    struct scope scope = {.graph = graph};
    size_t n = 0;
    list_made(&scope);
    for (size_t i = 0; i < graph->n_nodes; i++) {
        struct bag bag;
        if (!is_bag(&scope, &graph->nodes[i], &bag))
            continue;
        replace(&scope, &graph->nodes[i], &bag);
        n++;
    }
    if (n > 0) {
        count_uses(&scope);
        sweep(&scope);
    }
    mem_free(scope.made);
    return n;
}

bool onnx_bag_is(const struct onnx_node *node)
{
    return strcmp(node->domain, ONNX_BAG_DOMAIN) == 0 && strcmp(node->op, ONNX_BAG_OP) == 0;
}
