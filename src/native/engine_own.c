// SPDX-License-Identifier: Apache-2.0
// own: models of the catalogue, run by operators of our own around oneDNN's products.
//
// A request is cut into blocks of items, so few that what a layer reads and writes stays in the
// second-level cache. For each block, rows of all tables are gathered first, each to the place
// where it is used; then the operators follow. Weights are the same for all blocks and come from
// the last-level cache.
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "native/attention.h"
#include "native/engine.h"
#include "native/pooling.h"
#include "native/inputs.h"
#include "native/network.h"
#include "native/product.h"
#include "native/tables.h"
#include "native/vectors.h"

#define BLOCK_BYTES 1.2e6 // of a layer's inputs and outputs
#define SPAN_BYTES 8e6    // of sums
enum { BLOCK_LEAST = 16, BLOCK_MOST = 256, SPAN_MOST = 1024, ROWS_SLACK = 64, POOLED_MANY = 16 };

struct own {
    uint64_t seed;
    enum model_format format;
    uint32_t block, span; // items
    bool by_table;        // are rows summed table by table?
    struct network network;
    struct tables tables;
    float *parameters, *unit_weights; // of units: those of behaviours and of the ad, added up
    struct product_maker *maker;
    struct product **products; // by layer; NULL: of units
    const struct pooling_kernel *pooling;
};

struct own_worker {
    struct inputs inputs, history, request; // of items, of histories, of requests
    float **buffers;                        // those of the network, for a block
    bool *spans;                            // or for a span
    struct product_binding **bindings;      // by layer
    struct pooling_bag *bags, *history_bags, *request_bags;
    struct pooling_units units;
    struct attention **attentions; // [n_blocks] of a sequence
    float share;                   // of its gated ones
    float *states[2], *gates;      // of a recurrent layer that keeps the last one only
    float *outputs;
};

// ---- the engine ---------------------------------------------------------------------------------

static const struct network_buffer *buffer_of(const struct own *own, uint32_t buffer)
{
    return &own->network.buffers[buffer];
}

// What an operator reads and writes for one item.
static double op_numbers(const struct own *own, const struct network_op *op)
{
    return (double)op->in.width * buffer_of(own, op->in.buffer)->parts +
           (double)op->out.width * buffer_of(own, op->out.buffer)->parts;
}

static uint32_t block_items(const struct own *own)
{
    double most = 1;
    for (uint32_t i = 0; i < own->network.n_ops; i++)
        most = fmax(most, op_numbers(own, &own->network.ops[i]));
    double items = BLOCK_BYTES / (most * sizeof(float));
    return product_rows((uint32_t)fmin(fmax(items, BLOCK_LEAST), BLOCK_MOST));
}

// Is the buffer one that rows are summed into, as wide as a span is long?
static bool spans(const struct own *own, uint32_t buffer)
{
    const struct network *network = &own->network;
    bool it = network->units.n_units > 0 && network->units.out.buffer == buffer;
    for (uint32_t i = 0; i < network->n_bags; i++)
        it = it || network->bags[i].out.buffer == buffer;
    return it;
}

// Rows are summed table by table where a sum has many: for as many items as it takes to look up
// much of one table, and as few as leave the sums in a cache. Else, and where sums have parts,
// which are laid out by block, a span is a block.
static uint32_t span_items(struct own *own)
{
    const struct network *network = &own->network;
    double sum_bytes = (double)network->n_bags * network->dim * sizeof(float);
    own->by_table = network->units.n_units == 0 && network->n_bags > 0 &&
                    network->sequence.n_blocks == 0 &&
                    network->lookups_per_item >= POOLED_MANY * network->n_bags;
    for (uint32_t i = 0; i < network->n_bags; i++)
        if (buffer_of(own, network->bags[i].out.buffer)->parts > 1)
            own->by_table = false;
    if (!own->by_table)
        return own->block;
    double items = fmin(SPAN_MOST, SPAN_BYTES / sum_bytes);
    return (uint32_t)fmax(1, floor(items / own->block)) * own->block;
}

static int make_product(struct own *own, uint32_t layer, struct product_config *config,
                        struct err *err)
{
    const struct network_layer *of = &own->network.layers[layer];
    config->in = of->in;
    config->out = of->out;
    config->weights = own->parameters + of->weights;
    config->biases = own->parameters + of->biases;
    config->most_rows = own->block;
    config->format = own->format;
    own->products[layer] = product_create(own->maker, config, err);
    return own->products[layer] ? 0 : -1;
}

static int make_layer(struct own *own, const struct network_op *op, struct err *err)
{
    struct product_config config = {.in_stride = buffer_of(own, op->in.buffer)->width,
                                    .out_stride = buffer_of(own, op->out.buffer)->width,
                                    .activation = op->activation,
                                    .adds = op->adds,
                                    .parts = buffer_of(own, op->in.buffer)->parts};
    return make_product(own, op->layer, &config, err);
}

// Of the inputs of all steps at once; of the state, step by step: a plain layer adds to what came
// of the inputs, a gated one has both to itself.
static int make_recurrence(struct own *own, const struct network_op *op, struct err *err)
{
    uint32_t width = own->network.layers[op->layer].out,
             hidden = own->network.layers[op->layer_2].in;
    bool plain = width == hidden;
    struct product_config inputs = {.in_stride = buffer_of(own, op->in.buffer)->width,
                                    .out_stride = width,
                                    .parts = buffer_of(own, op->in.buffer)->parts};
    struct product_config states = {.in_stride = hidden,
                                    .out_stride = width,
                                    .activation = plain ? NETWORK_TANH : NETWORK_LINEAR,
                                    .adds = plain,
                                    .parts = 1};
    return make_product(own, op->layer, &inputs, err) != 0
               ? -1
               : make_product(own, op->layer_2, &states, err);
}

static int make_cross(struct own *own, const struct network_op *op, struct err *err)
{
    uint32_t rank = buffer_of(own, op->scratch)->width;
    struct product_config down = {
        .in_stride = buffer_of(own, op->in.buffer)->width, .out_stride = rank, .parts = 1};
    struct product_config up = {
        .in_stride = rank, .out_stride = buffer_of(own, op->out.buffer)->width, .parts = 1};
    return make_product(own, op->layer, &down, err) != 0 ? -1
                                                         : make_product(own, op->layer_2, &up, err);
}

static int make_products(struct own *own, struct err *err)
{
    own->products = mem_calloc(own->network.n_layers, sizeof(struct product *));
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < own->network.n_ops; i++) {
        const struct network_op *op = &own->network.ops[i];
        if (op->kind == NETWORK_LAYER)
            rc = make_layer(own, op, err);
        else if (op->kind == NETWORK_RECUR)
            rc = make_recurrence(own, op, err);
        else if (op->kind == NETWORK_CROSS)
            rc = make_cross(own, op, err);
    }
    return rc;
}

// The first layer of a unit reads e, e + a, a: (w1 + w2) e + (w2 + w3) a.
static void add_up_units(struct own *own)
{
    uint32_t dim = own->network.dim;
    if (own->network.units.n_units == 0)
        return;
    const float *w = own->parameters + own->network.layers[own->network.units.layer].weights;
    own->unit_weights = mem_aligned(64, 2 * dim * sizeof(float));
    for (uint32_t i = 0; i < dim; i++) {
        own->unit_weights[i] = w[i] + w[dim + i];
        own->unit_weights[dim + i] = w[dim + i] + w[2 * dim + i];
    }
}

static double weight_bytes(const struct own *own)
{
    double bytes = (double)own->network.n_parameters * sizeof(float);
    for (uint32_t i = 0; i < own->network.n_layers; i++) {
        const struct network_layer *layer = &own->network.layers[i];
        if (own->products[i])
            bytes += product_bytes(own->products[i]) -
                     (double)(layer->in + 1) * layer->out * sizeof(float);
    }
    return bytes;
}

static void say_facts(const struct own *own, struct engine_facts *facts)
{
    const struct network *network = &own->network;
    static const char *const said[N_FORMATS] = {
        [FORMAT_FP32] = "fp32",
        [FORMAT_BF16] = "rows and products in bf16 by avx512_bf16, the rest in fp32",
        [FORMAT_INT8] = "rows and products in int8 by avx512_vnni, the rest in fp32"};
    const char *kernel = "none";
    for (uint32_t i = 0; i < network->n_layers; i++)
        if (own->products[i])
            kernel = product_kernel(own->products[i]);
    facts->table_bytes = own->tables.bytes;
    facts->table_frac = own->tables.frac;
    facts->huge_pages = own->tables.huge_pages;
    facts->weight_bytes = weight_bytes(own);
    snprintf(facts->kernels, sizeof facts->kernels, "%s (%s), sums of rows %s, %s",
             product_maker_name(own->maker), kernel, own->pooling->name, said[own->format]);
}

static void own_close(void *state)
{
    struct own *own = state;
    for (uint32_t i = 0; own->products && i < own->network.n_layers; i++)
        product_destroy(own->products[i]);
    mem_free(own->products);
    product_maker_close(own->maker);
    mem_free(own->parameters);
    mem_free(own->unit_weights);
    tables_release(&own->tables);
    network_release(&own->network);
}

static int fill(struct own *own, const struct engine_setup *setup, struct err *err)
{
    own->maker = product_maker_open(err);
    if (!own->maker || network_build(&own->network, setup->model, err) != 0 ||
        product_can(own->maker, setup->format, err) != 0)
        return -1;
    own->seed = setup->seed;
    own->format = setup->format;
    own->pooling = pooling_best();
    own->block = block_items(own);
    own->span = span_items(own);
    own->parameters = mem_aligned(64, own->network.n_parameters * sizeof(float));
    network_parameters(&own->network, setup->seed, own->parameters);
    add_up_units(own);
    if (make_products(own, err) != 0)
        return -1;
    return tables_create(&own->tables, &own->network, setup->format, setup->most_table_bytes,
                         setup->seed, err);
}

static int own_open(void *state, const struct engine_setup *setup, struct engine_facts *facts,
                    struct err *err)
{
    if (!setup->model)
        return err_set(err, ERR_STUDY, "engine own: expected a model of the catalogue");
    if (setup->format == FORMAT_FP16)
        return err_set(err, ERR_STUDY,
                       "engine own: expected the number format fp32, bf16 or int8, "
                       "got fp16");
    if (fill(state, setup, err) != 0) {
        own_close(state);
        return err_prefix(err, "engine own");
    }
    say_facts(state, facts);
    return 0;
}

// ---- workers ------------------------------------------------------------------------------------

static void make_buffers(const struct own *own, struct own_worker *worker)
{
    const struct network *network = &own->network;
    uint32_t hidden = 0, gates = 0;
    worker->buffers = mem_calloc(network->n_buffers, sizeof(float *));
    worker->spans = mem_calloc(network->n_buffers, sizeof(bool));
    for (uint32_t i = NETWORK_FEATURES + 1; i < network->n_buffers; i++) {
        const struct network_buffer *buffer = &network->buffers[i];
        worker->spans[i] = spans(own, i);
        size_t items = (worker->spans[i] ? own->span : own->block) + ROWS_SLACK;
        worker->buffers[i] = mem_aligned(64, items * buffer->parts * buffer->width * sizeof(float));
    }
    for (uint32_t i = 0; i < network->n_ops; i++)
        if (network->ops[i].kind == NETWORK_RECUR) {
            hidden = network->layers[network->ops[i].layer_2].in;
            gates = network->layers[network->ops[i].layer_2].out;
        }
    worker->states[0] = mem_aligned(64, (size_t)own->block * hidden * sizeof(float));
    worker->states[1] = mem_aligned(64, (size_t)own->block * hidden * sizeof(float));
    worker->gates = mem_aligned(64, (size_t)own->block * gates * sizeof(float));
}

static void bind(const struct own *own, struct own_worker *worker)
{
    uint32_t n = own->network.n_layers;
    worker->bindings = mem_calloc(n, sizeof(struct product_binding *));
    for (uint32_t i = 0; i < n; i++)
        if (own->products[i])
            worker->bindings[i] = product_bind(own->products[i]);
}

static struct vectors_rows rows_at(const struct own *own, const struct own_worker *worker,
                                   const struct network_place *place, size_t row)
{
    size_t stride = buffer_of(own, place->buffer)->width;
    if (buffer_of(own, place->buffer)->once)
        row = stride = 0;
    return (struct vectors_rows){worker->buffers[place->buffer] + row * stride + place->column,
                                 stride};
}

static struct pooling_bag *make_bags(const struct own *own, const struct own_worker *worker,
                                     const struct network_bag *bags, uint32_t n)
{
    struct pooling_bag *made = mem_calloc(n, sizeof *made);
    for (uint32_t i = 0; i < n; i++) {
        struct vectors_rows out = rows_at(own, worker, &bags[i].out, 0);
        made[i] = (struct pooling_bag){bags[i].n_lookups, bags[i].adds, out.first, out.stride};
    }
    return made;
}

// What a history takes: what it brings, and room for the keys and values of its items.
static void make_sequence(const struct own *own, struct own_worker *worker, uint32_t most)
{
    const struct network *network = &own->network;
    const struct network_sequence *sequence = &network->sequence;
    const struct attention_shape shape = {sequence->heads, sequence->key_dim, sequence->value_dim,
                                          sequence->gated};
    if (sequence->n_blocks == 0)
        return;
    inputs_create_of(&worker->history, NETWORK_HISTORY, network, &own->tables, most + ROWS_SLACK,
                     own->seed);
    inputs_create_of(&worker->request, NETWORK_REQUEST, network, &own->tables, ROWS_SLACK,
                     own->seed);
    worker->history_bags = make_bags(own, worker, network->history_bags, network->n_history_bags);
    worker->request_bags = make_bags(own, worker, network->request_bags, network->n_request_bags);
    worker->attentions = mem_calloc(sequence->n_blocks, sizeof(struct attention *));
    for (uint32_t i = 0; i < sequence->n_blocks; i++)
        worker->attentions[i] = attention_create(&shape, most);
}

static void make_units(const struct own *own, struct own_worker *worker)
{
    const struct network_units *units = &own->network.units;
    if (units->n_units == 0)
        return;
    const struct network_layer *layer = &own->network.layers[units->layer];
    const struct network_layer *layer_2 = &own->network.layers[units->layer_2];
    struct vectors_rows ad = rows_at(own, worker, &units->ad, 0);
    struct vectors_rows out = rows_at(own, worker, &units->out, 0);
    worker->units = (struct pooling_units){.n_units = units->n_units,
                                           .rows_per_unit = units->rows_per_unit,
                                           .w_behaviour = own->unit_weights,
                                           .w_ad = own->unit_weights + own->network.dim,
                                           .w_out = own->parameters + layer_2->weights,
                                           .b_out = own->parameters + layer_2->biases,
                                           .bias = own->parameters[layer->biases],
                                           .ad = ad.first,
                                           .out = out.first,
                                           .ad_stride = ad.stride,
                                           .out_stride = out.stride};
}

static int own_worker_open(const void *state, void *worker_state, const struct engine_limits *most,
                           struct err *err)
{
    const struct own *own = state;
    struct own_worker *worker = worker_state;
    (void)err;
    inputs_create(&worker->inputs, &own->network, &own->tables, most->items + ROWS_SLACK,
                  own->seed);
    make_buffers(own, worker);
    worker->bags = make_bags(own, worker, own->network.bags, own->network.n_bags);
    make_sequence(own, worker, most->history_items);
    make_units(own, worker);
    bind(own, worker);
    worker->outputs = mem_aligned(64, (size_t)most->items * own->network.out.width * sizeof(float));
    return 0;
}

static void own_worker_close(const void *state, void *worker_state)
{
    const struct own *own = state;
    struct own_worker *worker = worker_state;
    for (uint32_t i = NETWORK_FEATURES + 1; i < own->network.n_buffers; i++)
        mem_free(worker->buffers[i]);
    for (uint32_t i = 0; i < own->network.n_layers; i++)
        product_unbind(worker->bindings[i]);
    mem_free(worker->buffers);
    mem_free(worker->spans);
    mem_free(worker->bindings);
    for (uint32_t i = 0; i < own->network.sequence.n_blocks; i++)
        attention_destroy(worker->attentions[i]);
    mem_free(worker->attentions);
    mem_free(worker->bags);
    mem_free(worker->history_bags);
    mem_free(worker->request_bags);
    mem_free(worker->states[0]);
    mem_free(worker->states[1]);
    mem_free(worker->gates);
    mem_free(worker->outputs);
    inputs_release(&worker->inputs);
    inputs_release(&worker->history);
    inputs_release(&worker->request);
}

// ---- running ------------------------------------------------------------------------------------

// A block of `items` items, for which `rows` are computed, from item `from` of its span on.
struct block {
    const struct own *own;
    struct own_worker *worker;
    uint32_t from, items, rows;
    bool history; // they are the next of a history, which is kept
};

static struct vectors_rows rows_of(const struct block *block, const struct network_place *place,
                                   uint32_t part)
{
    size_t row = (size_t)part * block->rows;
    if (block->from > 0 && block->worker->spans[place->buffer])
        row += block->from;
    return rows_at(block->own, block->worker, place, row);
}

static void multiply(const struct block *block, uint32_t layer, const float *in, float *out)
{
    product_run(block->worker->bindings[layer], block->rows, in, out);
}

static void run_plain_recurrence(const struct block *block, const struct network_op *op)
{
    const struct own *own = block->own;
    uint32_t steps = buffer_of(own, op->in.buffer)->parts,
             hidden = own->network.layers[op->layer].out;
    const float *biases = own->parameters + own->network.layers[op->layer_2].biases;
    struct vectors_rows states = {block->worker->buffers[op->scratch], hidden};
    size_t step = (size_t)block->rows * hidden;
    vectors_tanh(states, biases, block->rows, hidden);
    for (uint32_t i = 1; i < steps; i++)
        multiply(block, op->layer_2, states.first + (i - 1) * step, states.first + i * step);
    states.first += (steps - 1) * step;
    if (op->out.buffer != op->scratch)
        vectors_copy(rows_of(block, &op->out, 0), states, block->rows, hidden);
}

static void run_gated_recurrence(const struct block *block, const struct network_op *op)
{
    const struct own *own = block->own;
    struct own_worker *worker = block->worker;
    uint32_t steps = buffer_of(own, op->in.buffer)->parts;
    uint32_t width = own->network.layers[op->layer].out, hidden = width / 3;
    bool keeps = buffer_of(own, op->out.buffer)->parts == steps;
    struct vectors_gru gru = {.before = {worker->gates, width},
                              .state = {worker->states[0], hidden}};
    memset(worker->states[0], 0, (size_t)block->rows * hidden * sizeof(float));
    for (uint32_t i = 0; i < steps; i++) {
        multiply(block, op->layer_2, gru.state.first, worker->gates);
        gru.inputs = (struct vectors_rows){
            worker->buffers[op->scratch] + (size_t)i * block->rows * width, width};
        gru.next = keeps ? rows_of(block, &op->out, i)
                         : (struct vectors_rows){worker->states[(i + 1) % 2], hidden};
        vectors_gru_step(&gru, block->rows, hidden);
        gru.state = gru.next;
    }
    if (!keeps)
        vectors_copy(rows_of(block, &op->out, 0), gru.state, block->rows, hidden);
}

static void run_recurrence(const struct block *block, const struct network_op *op)
{
    multiply(block, op->layer, rows_of(block, &op->in, 0).first,
             block->worker->buffers[op->scratch]);
    if (block->own->network.layers[op->layer].out == block->own->network.layers[op->layer_2].in)
        run_plain_recurrence(block, op);
    else
        run_gated_recurrence(block, op);
}

static void run_cross(const struct block *block, const struct network_op *op)
{
    struct vectors_rows in = rows_of(block, &op->in, 0), out = rows_of(block, &op->out, 0);
    float *narrow = block->worker->buffers[op->scratch];
    multiply(block, op->layer, in.first, narrow);
    multiply(block, op->layer_2, narrow, out.first);
    vectors_cross(out, in, rows_of(block, &op->with, 0), block->rows, op->out.width);
}

static void run_attention(const struct block *block, const struct network_op *op)
{
    struct own_worker *worker = block->worker;
    struct attention *attention = worker->attentions[op->attention];
    const struct attention_job job = {.in = rows_of(block, &op->in, 0),
                                      .out = rows_of(block, &op->out, 0),
                                      .n_rows = block->items,
                                      .causal = block->history,
                                      .share = worker->share};
    if (block->history)
        attention_keep(attention, job.in, block->items);
    attention_run(attention, &job);
}

static void run_op(const struct block *block, const struct network_op *op)
{
    struct vectors_rows in = rows_of(block, &op->in, 0), with = rows_of(block, &op->with, 0);
    struct vectors_rows out = rows_of(block, &op->out, 0);
    uint32_t parts = buffer_of(block->own, op->in.buffer)->parts, n = block->rows * parts;
    switch (op->kind) {
    case NETWORK_COPY:
        return vectors_copy(out, in, n, op->in.width);
    case NETWORK_LAYER:
        return multiply(block, op->layer, in.first, out.first);
    case NETWORK_PAIRS:
        return vectors_pairs(out, in, with, n, block->rows, op->in.width);
    case NETWORK_FOLD:
        return vectors_fold(out, in, block->rows, parts, op->in.width);
    case NETWORK_RECUR:
        return run_recurrence(block, op);
    case NETWORK_WEIGH:
        return vectors_weigh(out, in, with, n, op->in.width);
    case NETWORK_DOTS:
        return vectors_dots(out, in, n, block->own->network.n_tables + 1, block->own->network.dim);
    case NETWORK_CROSS:
        return run_cross(block, op);
    case NETWORK_PRODUCT:
        return vectors_product(out, in, with, n, op->in.width);
    case NETWORK_NORM:
        return vectors_norm(out, in, n, op->in.width);
    case NETWORK_STANDARD:
        return vectors_standard(out, in, n, op->in.width);
    case NETWORK_SUM:
        return vectors_sum(out, in, with, n, op->in.width);
    case NETWORK_ATTEND:
        return run_attention(block, op);
    }
}

// Sums rows for a span, which is one block where sums have parts.
static void sum_rows(const struct own *own, struct own_worker *worker, const uint32_t *rows,
                     uint32_t items)
{
    const struct network *network = &own->network;
    struct block first = {own, worker, 0, items, product_rows(items), false};
    for (uint32_t i = 0; i < network->n_bags; i++)
        if (network->bags[i].part > 0)
            worker->bags[i].out =
                rows_of(&first, &network->bags[i].out, network->bags[i].part).first;
    struct pooling_job job = {.values = own->tables.values,
                              .format = own->format,
                              .dim = network->dim,
                              .n_bags = network->n_bags,
                              .n_items = items,
                              .bags = worker->bags,
                              .units = &worker->units,
                              .rows = rows,
                              .rows_per_item = network->lookups_per_item,
                              .by_table = own->by_table};
    own->pooling->run(&job);
}

// Of candidates: those that do not run with the history begin behind it.
static uint32_t first_op(const struct network *network)
{
    return network->sequence.ranks ? 0 : network->sequence.n_token_ops;
}

static void run_block(const struct block *block, const float *features, float *outputs)
{
    const struct network *network = &block->own->network;
    struct vectors_rows to = {outputs, network->out.width};
    block->worker->buffers[NETWORK_FEATURES] = (float *)features;
    for (uint32_t i = first_op(network); i < network->n_ops; i++)
        run_op(block, &network->ops[i]);
    vectors_copy(to, rows_of(block, &network->out, 0), block->items, network->out.width);
}

// The largest of as few equal parts as `most` allows, or nearly equal ones.
static uint32_t part_of(uint32_t items, uint32_t most)
{
    uint32_t n = (items + most - 1) / most;
    return (items + n - 1) / n;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void run_span(const struct own *own, struct own_worker *worker, uint32_t items,
                     const float *features, float *outputs)
{
    uint32_t most = part_of(items, own->block);
    for (uint32_t at = 0; at < items; at += most) {
        uint32_t some = least(most, items - at);
        struct block block = {own, worker, at, some, product_rows(some), false};
        run_block(&block, features + (size_t)at * own->network.features,
                  outputs + (size_t)at * own->network.out.width);
    }
}

// ---- a history ----------------------------------------------------------------------------------

static void sum_for(const struct own *own, const struct pooling_bag *bags, uint32_t n_bags,
                    const uint32_t *rows, uint32_t rows_per_item, uint32_t items)
{
    const struct pooling_units none = {0};
    struct pooling_job job = {.values = own->tables.values,
                              .format = own->format,
                              .dim = own->network.dim,
                              .n_bags = n_bags,
                              .n_items = items,
                              .bags = bags,
                              .units = &none,
                              .rows = rows,
                              .rows_per_item = rows_per_item};
    own->pooling->run(&job);
}

// What came out of the last token, and zeros where there was none.
static void keep_state(const struct block *block)
{
    const struct network_sequence *sequence = &block->own->network.sequence;
    float *state = rows_of(block, &sequence->state, 0).first;
    if (block->items == 0)
        memset(state, 0, block->own->network.dim * sizeof(float));
    else
        memcpy(state, rows_at(block->own, block->worker, &sequence->token, block->items - 1).first,
               block->own->network.dim * sizeof(float));
}

static void run_history(const struct own *own, struct own_worker *worker,
                        const struct engine_request *request)
{
    const struct network *network = &own->network;
    uint32_t n = request->history_items, most = n > 0 ? part_of(n, own->block) : 1;
    const uint32_t *rows = inputs_rows(&worker->history, request->number, n);
    struct block block = {.own = own, .worker = worker, .history = true};
    for (uint32_t i = 0; i < network->sequence.n_blocks; i++)
        attention_clear(worker->attentions[i]);
    worker->share = 1 / (1 + (float)n);
    sum_for(own, worker->request_bags, network->n_request_bags,
            inputs_rows(&worker->request, request->number, 1), network->lookups_per_request, 1);
    for (uint32_t at = 0; at < n; at += most) {
        block.items = least(most, n - at);
        block.rows = product_rows(block.items);
        sum_for(own, worker->history_bags, network->n_history_bags,
                rows + (size_t)at * network->lookups_per_history, network->lookups_per_history,
                block.items);
        for (uint32_t i = 0; i < network->sequence.n_token_ops; i++)
            run_op(&block, &network->ops[i]);
    }
    if (!network->sequence.ranks)
        keep_state(&block);
}

static const float *own_run(const void *state, void *worker_state,
                            const struct engine_request *request, uint32_t *n_outputs)
{
    const struct own *own = state;
    struct own_worker *worker = worker_state;
    uint32_t items = request->items, whole = engine_request_whole(request);
    const uint32_t *rows = inputs_rows(&worker->inputs, request->number, whole) +
                           (size_t)request->first * own->network.lookups_per_item;
    const float *features = inputs_features(&worker->inputs, request->number, whole) +
                            (size_t)request->first * own->network.features;
    uint32_t most = part_of(items, own->span);
    *n_outputs = own->network.out.width;
    if (own->network.sequence.n_blocks > 0)
        run_history(own, worker, request);
    for (uint32_t at = 0; at < items; at += most) {
        uint32_t some = least(most, items - at);
        sum_rows(own, worker, rows + (size_t)at * own->network.lookups_per_item, some);
        run_span(own, worker, some, features + (size_t)at * own->network.features,
                 worker->outputs + (size_t)at * own->network.out.width);
    }
    return worker->outputs;
}

const struct engine_type engine_own = {
    .name = "own",
    .help = "models of the catalogue, by operators of its own and oneDNN's",
    .narrows = true,
    .reads_history = true,
    .state_size = sizeof(struct own),
    .worker_size = sizeof(struct own_worker),
    .open = own_open,
    .close = own_close,
    .worker_open = own_worker_open,
    .worker_close = own_worker_close,
    .run = own_run,
};
