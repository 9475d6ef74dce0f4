// SPDX-License-Identifier: Apache-2.0
#include "native/network.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

// Adds a zeroed element to a list and gives its place in it.
#define ADD(list, n) (grow((void **)&(list), &(n), sizeof *(list)))

static uint32_t grow(void **list, uint32_t *n, size_t size)
{
    *list = mem_realloc(*list, *n + 1, size);
    memset((char *)*list + *n * size, 0, size);
    return (*n)++;
}

static uint32_t add_buffer(struct network *net, uint32_t parts)
{
    uint32_t buffer = ADD(net->buffers, net->n_buffers);
    net->buffers[buffer].parts = parts;
    return buffer;
}

// `width` more columns at the right end of a buffer.
static struct network_place widen(struct network *net, uint32_t buffer, uint32_t width)
{
    struct network_place place = {buffer, net->buffers[buffer].width, width};
    net->buffers[buffer].width += width;
    return place;
}

static struct network_place add_place(struct network *net, uint32_t width, uint32_t parts)
{
    return widen(net, add_buffer(net, parts), width);
}

static struct network_place whole(const struct network *net, uint32_t buffer)
{
    return (struct network_place){buffer, 0, net->buffers[buffer].width};
}

static struct network_op *add_op(struct network *net, enum network_kind kind,
                                 struct network_place in, struct network_place out)
{
    uint32_t n = ADD(net->ops, net->n_ops);
    struct network_op *op = &net->ops[n];
    op->kind = kind;
    op->in = in;
    op->out = out;
    return op;
}

// Weights uniform in +-sqrt(gain / in) have a variance of gain / (3 in): with 2 / in a layer keeps
// the size of what goes through it and then through ReLU (He et al., 2015), with 1 / in that of
// what stays as it is; recurrent layers forget with less, and cross layers grow less.
enum { GAIN_RELU = 6, GAIN_LINEAR = 3, GAIN_RECURRENT = 1 };

static uint32_t add_layer(struct network *net, uint32_t in, uint32_t out, int gain)
{
    uint32_t layer = ADD(net->layers, net->n_layers);
    net->layers[layer] =
        (struct network_layer){in, out, net->n_parameters, net->n_parameters + (size_t)in * out,
                               sqrtf((float)gain / (float)in)};
    net->n_parameters += (size_t)in * out + out;
    return layer;
}

static struct network_op *add_matrix(struct network *net, struct network_place in,
                                     struct network_place out, enum network_activation activation)
{
    int gain = activation == NETWORK_RELU ? GAIN_RELU : GAIN_LINEAR;
    uint32_t layer = add_layer(net, in.width, out.width, gain);
    struct network_op *op = add_op(net, NETWORK_LAYER, in, out);
    op->layer = layer;
    op->activation = activation;
    return op;
}

// A stack of layers of which the last writes to the right end of `buffer`; returns that place, or
// `in` for an empty stack.
static struct network_place add_stack(struct network *net, struct network_place in,
                                      const double *widths, size_t n, uint32_t buffer)
{
    uint32_t parts = net->buffers[in.buffer].parts;
    for (size_t i = 0; i < n; i++) {
        uint32_t width = (uint32_t)widths[i];
        struct network_place out =
            i + 1 < n ? add_place(net, width, parts) : widen(net, buffer, width);
        add_matrix(net, in, out, NETWORK_RELU);
        in = out;
    }
    return in;
}

// ---- tables and features ------------------------------------------------------------------------

static int add_tables(struct network *net, const struct model *model, struct err *err)
{
    if (model->request_lookups.n > 0 || model->history_lookups.n > 0)
        return err_set(err, ERR_STUDY,
                       "%s: cannot be run: its request_lookups or history_lookups are not per item",
                       model->name);
    for (size_t g = 0; g < model->tables.n; g++)
        for (double i = 0; i < model->tables.v[g]; i++) {
            uint32_t table = ADD(net->tables, net->n_tables);
            uint32_t lookups = (uint32_t)model->lookups.v[g];
            net->tables[table] = (struct network_table){
                .rows = model->rows.v[g], .lookups = lookups, .pooled = lookups};
        }
    net->dim = (uint32_t)model->dim;
    return 0;
}

static struct network_bag *add_bag(struct network *net, uint32_t table, struct network_place out)
{
    uint32_t bag = ADD(net->bags, net->n_bags);
    net->bags[bag] =
        (struct network_bag){.table = table, .n_lookups = net->tables[table].lookups, .out = out};
    return &net->bags[bag];
}

// The pooled row of a table at the right end of a buffer.
static struct network_place join_table(struct network *net, uint32_t table, uint32_t buffer)
{
    struct network_place place = widen(net, buffer, net->dim);
    add_bag(net, table, place);
    return place;
}

// The features of a request, through their stack or as they are, at the right end of `buffer`.
static void join_features(struct network *net, const struct model *model, uint32_t buffer)
{
    uint32_t stacked = model->dense_mlp.n ? (uint32_t)model->dense_mlp.v[0] : 0;
    uint32_t plain = (uint32_t)model->dense_inputs;
    struct network_place in = widen(net, NETWORK_FEATURES, stacked);
    struct network_place rest = widen(net, NETWORK_FEATURES, plain);
    if (model->dense_mlp.n > 1)
        add_stack(net, in, model->dense_mlp.v + 1, model->dense_mlp.n - 1, buffer);
    else if (stacked > 0)
        add_op(net, NETWORK_COPY, in, widen(net, buffer, stacked));
    if (plain > 0)
        add_op(net, NETWORK_COPY, rest, widen(net, buffer, plain));
    net->features = stacked + plain;
}

// ---- what follows them --------------------------------------------------------------------------

static void add_tasks(struct network *net, const struct model *model, struct network_place in)
{
    uint32_t buffer = add_buffer(net, 1);
    for (int64_t i = 0; i < model->tasks; i++)
        add_stack(net, in, model->task_mlp.v, model->task_mlp.n, buffer);
    net->out = whole(net, buffer);
}

static void add_top(struct network *net, const struct model *model, struct network_place in)
{
    net->out = add_stack(net, in, model->top_mlp.v, model->top_mlp.n, add_buffer(net, 1));
    if (model->task_mlp.n > 0)
        add_tasks(net, model, net->out);
}

static int build_concat(struct network *net, const struct model *model, struct err *err)
{
    (void)err;
    uint32_t joined = add_buffer(net, 1);
    join_features(net, model, joined);
    for (uint32_t table = 0; table < net->n_tables; table++)
        join_table(net, table, joined);
    add_top(net, model, whole(net, joined));
    return 0;
}

static int build_two_branch(struct network *net, const struct model *model, struct err *err)
{
    (void)err;
    uint32_t left = add_buffer(net, 1), joined = add_buffer(net, 1);
    for (uint32_t table = 1; table < net->n_tables; table += 2)
        join_table(net, table, left);
    struct network_place out =
        add_stack(net, whole(net, left), model->top_mlp.v, model->top_mlp.n, joined);
    struct network_place sum = widen(net, joined, net->dim);
    for (uint32_t table = 0; table < net->n_tables; table += 2)
        add_bag(net, table, sum)->adds = table > 0;
    net->out = (struct network_place){joined, 0, out.width + sum.width};
    if (model->task_mlp.n > 0)
        add_tasks(net, model, net->out);
    return 0;
}

// ---- behaviours ---------------------------------------------------------------------------------

struct behaviours {
    uint32_t first_table, n_tables, ad;
    uint32_t per_table, rows; // of each table; rows that are summed for each
    uint32_t n;
};

static uint32_t find_behaviours(const struct model *model)
{
    double first = 0, exact = -1, more = -1, wanted = (double)model->behaviour_tables;
    for (size_t g = 0; g < model->tables.n; g++) {
        if (model->tables.v[g] == wanted)
            exact = first;
        if (model->tables.v[g] > wanted && more < 0)
            more = first;
        first += model->tables.v[g];
    }
    return exact >= 0 ? (uint32_t)exact : more >= 0 ? (uint32_t)more : 0;
}

static int behaviours_of(struct network *net, const struct model *model, struct behaviours *it,
                         struct err *err)
{
    it->first_table = find_behaviours(model);
    it->n_tables = (uint32_t)model->behaviour_tables;
    it->n = (uint32_t)model->behaviours;
    it->per_table = it->n / it->n_tables;
    uint32_t behind = it->first_table + it->n_tables,
             lookups = net->tables[it->first_table].lookups;
    it->ad = behind < net->n_tables ? behind : 0;
    if (it->n % it->n_tables != 0 || lookups % it->per_table != 0)
        return err_set(err, ERR_STUDY,
                       "%s: cannot be run: behaviours: expected the %u of each of %u tables to "
                       "share its %u lookups evenly",
                       model->name, it->per_table, it->n_tables, lookups);
    it->rows = lookups / it->per_table;
    for (uint32_t i = 0; i < it->n_tables; i++) {
        struct network_table *table = &net->tables[it->first_table + i];
        if (table->lookups != lookups)
            return err_set(err, ERR_STUDY,
                           "%s: cannot be run: tables of behaviours differ in lookups",
                           model->name);
        table->pooled = it->rows;
    }
    return 0;
}

// Bags of the tables that hold no behaviours, at the right end of `buffer`; the place of the ad's.
static struct network_place join_others(struct network *net, const struct behaviours *it,
                                        uint32_t buffer)
{
    struct network_place ad = {0};
    for (uint32_t table = 0; table < net->n_tables; table++) {
        if (table - it->first_table < it->n_tables)
            continue;
        struct network_place place = join_table(net, table, buffer);
        if (table == it->ad)
            ad = place;
    }
    return ad;
}

// A buffer with one behaviour in each part.
static struct network_place gather_behaviours(struct network *net, const struct behaviours *it)
{
    struct network_place all = add_place(net, net->dim, it->n);
    for (uint32_t part = 0; part < it->n; part++) {
        struct network_bag *bag = add_bag(net, it->first_table + part / it->per_table, all);
        bag->first = part % it->per_table * it->rows;
        bag->n_lookups = it->rows;
        bag->part = part;
    }
    return all;
}

// Weights of the layer that was added last, of whose outputs n are summed.
static void shrink_last(struct network *net, uint32_t n)
{
    net->layers[net->n_layers - 1].bound /= (float)n;
}

static void fuse_units(struct network *net, const struct behaviours *it, struct network_place ad,
                       struct network_place out)
{
    net->units = (struct network_units){.n_units = it->n,
                                        .rows_per_unit = it->rows,
                                        .first_table = it->first_table,
                                        .n_tables = it->n_tables,
                                        .ad = ad,
                                        .out = out};
    net->units.layer = add_layer(net, 3 * net->dim, 1, GAIN_RELU);
    net->units.layer_2 = add_layer(net, 1, net->dim, GAIN_RELU);
    shrink_last(net, it->n);
}

// Every unit of the model by itself: pairs, layers, and the sum over all.
static void add_units(struct network *net, const struct model *model, const struct behaviours *it,
                      struct network_place ad, struct network_place out)
{
    struct network_place all = gather_behaviours(net, it);
    struct network_place pairs = add_place(net, 3 * net->dim, it->n);
    add_op(net, NETWORK_PAIRS, all, pairs)->with = ad;
    uint32_t weighed = add_buffer(net, it->n);
    struct network_place last =
        add_stack(net, pairs, model->attention_mlp.v, model->attention_mlp.n, weighed);
    add_op(net, NETWORK_FOLD, last, out);
    shrink_last(net, it->n);
}

static int build_attention(struct network *net, const struct model *model, struct err *err)
{
    struct behaviours it;
    const struct reals *mlp = &model->attention_mlp;
    if (behaviours_of(net, model, &it, err) != 0)
        return -1;
    if (mlp->v[mlp->n - 1] != (double)model->dim || it.n_tables == net->n_tables)
        return err_set(err, ERR_STUDY,
                       "%s: cannot be run: attention_mlp: expected it to end with dim, %u, and a "
                       "table without behaviours to compare them with",
                       model->name, net->dim);
    uint32_t joined = add_buffer(net, 1);
    join_features(net, model, joined);
    struct network_place out = widen(net, joined, net->dim);
    struct network_place ad = join_others(net, &it, joined);
    if (mlp->n == 2 && mlp->v[0] == 1)
        fuse_units(net, &it, ad, out);
    else
        add_units(net, model, &it, ad, out);
    add_top(net, model, whole(net, joined));
    return 0;
}

static void add_recurrence(struct network *net, const struct model *model, struct network_place in,
                           struct network_place out)
{
    uint32_t hidden = (uint32_t)model->hidden, width = hidden * (uint32_t)model->gates;
    uint32_t parts = net->buffers[in.buffer].parts;
    uint32_t layer = add_layer(net, in.width, width, GAIN_RECURRENT);
    uint32_t layer_2 = add_layer(net, hidden, width, GAIN_RECURRENT);
    bool in_place = model->gates == 1 && net->buffers[out.buffer].parts == parts;
    uint32_t scratch = in_place ? out.buffer : add_place(net, width, parts).buffer;
    struct network_op *op = add_op(net, NETWORK_RECUR, in, out);
    op->layer = layer;
    op->layer_2 = layer_2;
    op->scratch = scratch;
}

static int build_recurrent(struct network *net, const struct model *model, struct err *err)
{
    struct behaviours it;
    uint32_t hidden = (uint32_t)model->hidden;
    if (behaviours_of(net, model, &it, err) != 0)
        return -1;
    if (model->gates != 1 && model->gates != 3)
        return err_set(err, ERR_STUDY, "%s: cannot be run: gates: expected 1 or 3, got %lld",
                       model->name, (long long)model->gates);
    uint32_t joined = add_buffer(net, 1);
    join_features(net, model, joined);
    struct network_place last = widen(net, joined, hidden);
    join_others(net, &it, joined);
    struct network_place states = add_place(net, hidden, it.n);
    struct network_place scores = add_place(net, hidden, it.n);
    struct network_place weighed = add_place(net, hidden, it.n);
    add_recurrence(net, model, gather_behaviours(net, &it), states);
    add_matrix(net, states, scores, NETWORK_LINEAR);
    add_op(net, NETWORK_WEIGH, states, weighed)->with = scores;
    add_recurrence(net, model, weighed, last);
    add_top(net, model, whole(net, joined));
    return 0;
}

// ---- products of features -----------------------------------------------------------------------

static int build_dot(struct network *net, const struct model *model, struct err *err)
{
    (void)err;
    uint32_t vectors = add_buffer(net, 1), joined = add_buffer(net, 1), n = net->n_tables + 1;
    join_features(net, model, vectors);
    struct network_place dense = whole(net, vectors);
    for (uint32_t table = 0; table < net->n_tables; table++)
        join_table(net, table, vectors);
    add_op(net, NETWORK_COPY, dense, widen(net, joined, dense.width));
    add_op(net, NETWORK_DOTS, whole(net, vectors), widen(net, joined, n * (n - 1) / 2));
    uint32_t first = net->n_layers;
    add_top(net, model, whole(net, joined));
    net->layers[first].bound /= sqrtf((float)net->dim); // the size of a dot product
    return 0;
}

static int build_cross(struct network *net, const struct model *model, struct err *err)
{
    (void)err;
    uint32_t joined = add_buffer(net, 1), rank = (uint32_t)model->cross_rank;
    join_features(net, model, joined);
    for (uint32_t table = 0; table < net->n_tables; table++)
        join_table(net, table, joined);
    struct network_place first = whole(net, joined), x = first;
    for (int64_t i = 0; i < model->cross_layers; i++) {
        struct network_place narrow = add_place(net, rank, 1);
        struct network_place out = add_place(net, first.width, 1);
        uint32_t down = add_layer(net, first.width, rank, GAIN_LINEAR);
        uint32_t up = add_layer(net, rank, first.width, GAIN_RECURRENT);
        struct network_op *op = add_op(net, NETWORK_CROSS, x, out);
        op->with = first;
        op->layer = down;
        op->layer_2 = up;
        op->scratch = narrow.buffer;
        x = out;
    }
    add_top(net, model, x);
    return 0;
}

static int build_mask(struct network *net, const struct model *model, struct err *err)
{
    (void)err;
    uint32_t features = add_buffer(net, 1), joined = add_buffer(net, 1);
    join_features(net, model, features);
    for (uint32_t table = 0; table < net->n_tables; table++)
        join_table(net, table, features);
    struct network_place all = whole(net, features);
    for (int64_t i = 0; i < model->mask_blocks; i++) {
        struct network_place inner = add_place(net, (uint32_t)model->mask_aggregation, 1);
        struct network_place mask = add_place(net, all.width, 1);
        struct network_place masked = add_place(net, all.width, 1);
        struct network_place out = add_place(net, (uint32_t)model->mask_output, 1);
        add_matrix(net, all, inner, NETWORK_RELU);
        add_matrix(net, inner, mask, NETWORK_LINEAR);
        add_op(net, NETWORK_PRODUCT, all, masked)->with = mask;
        add_matrix(net, masked, out, NETWORK_LINEAR);
        add_op(net, NETWORK_NORM, out, widen(net, joined, out.width));
    }
    add_top(net, model, whole(net, joined));
    return 0;
}

// ---- sequences ----------------------------------------------------------------------------------

static uint32_t lookups_of(const struct reals *list, size_t group)
{
    return list->n > 0 ? (uint32_t)list->v[group] : 0;
}

static uint32_t sum_lookups(const struct model *model, const struct reals *list)
{
    uint32_t sum = 0;
    for (size_t g = 0; g < model->tables.n; g++)
        sum += (uint32_t)model->tables.v[g] * lookups_of(list, g);
    return sum;
}

// The most rows that go into one sum with one of a group.
static uint32_t most_pooled(const struct model *model, size_t group)
{
    const struct reals *const lists[] = {&model->lookups, &model->history_lookups,
                                         &model->request_lookups};
    uint32_t most = 1;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        uint32_t sum = sum_lookups(model, lists[i]);
        most = lookups_of(lists[i], group) > 0 && sum > most ? sum : most;
    }
    return most;
}

static void add_shared_tables(struct network *net, const struct model *model)
{
    for (size_t g = 0; g < model->tables.n; g++)
        for (double i = 0; i < model->tables.v[g]; i++) {
            uint32_t table = ADD(net->tables, net->n_tables);
            net->tables[table] = (struct network_table){
                .rows = model->rows.v[g],
                .lookups = lookups_of(&model->lookups, g),
                .history_lookups = lookups_of(&model->history_lookups, g),
                .request_lookups = lookups_of(&model->request_lookups, g),
                .pooled = most_pooled(model, g),
            };
        }
    net->dim = (uint32_t)model->dim;
}

// One sum of all rows that `who` looks up.
static void sum_tables(struct network *net, enum network_who who, struct network_place out)
{
    struct network_bag **bags = who == NETWORK_ITEMS     ? &net->bags
                                : who == NETWORK_HISTORY ? &net->history_bags
                                                         : &net->request_bags;
    uint32_t *n = who == NETWORK_ITEMS     ? &net->n_bags
                  : who == NETWORK_HISTORY ? &net->n_history_bags
                                           : &net->n_request_bags;
    for (uint32_t table = 0; table < net->n_tables; table++) {
        uint32_t n_lookups = network_table_lookups(&net->tables[table], who);
        if (n_lookups == 0)
            continue;
        uint32_t bag = ADD(*bags, *n);
        (*bags)[bag] = (struct network_bag){
            .table = table, .n_lookups = n_lookups, .adds = bag > 0, .out = out};
    }
}

static struct network_place add_once(struct network *net, uint32_t width)
{
    struct network_place place = add_place(net, width, 1);
    net->buffers[place.buffer].once = true;
    return place;
}

// Where the numbers of a token are between one operator and the next: the same places for every
// block, so that they stay in a cache.
struct token_places {
    struct network_place x, standard, projected, values, gated, back;
};

static struct token_places add_token_places(struct network *net, const struct model *model)
{
    uint32_t keys = (uint32_t)(model->heads * model->key_dim);
    uint32_t values = (uint32_t)(model->heads * model->value_dim);
    struct token_places to;
    to.x = add_place(net, net->dim, 1);
    to.standard = add_place(net, net->dim, 1);
    to.projected = add_place(net, 2 * keys + (model->gated ? 2 : 1) * values, 1);
    to.values = add_place(net, values, 1);
    to.back = to.values;
    if (!model->gated)
        return to;
    uint32_t parts = (uint32_t)model->output_parts;
    to.back = add_place(net, parts * values, 1);
    to.gated = (struct network_place){to.back.buffer, (parts - 1) * values, values};
    return to;
}

// The gate's product behind, where there are three parts, the gate and the values.
static void add_gate(struct network *net, const struct token_places *at)
{
    uint32_t width = at->values.width;
    bool joins = at->back.width > width;
    struct network_place gate = at->projected, values = at->gated;
    gate.column = gate.width - width;
    gate.width = values.width = width;
    if (joins) {
        add_op(net, NETWORK_COPY, gate, (struct network_place){at->back.buffer, 0, width});
        values.column = width;
    } else {
        values = add_place(net, width, 1);
    }
    add_op(net, NETWORK_STANDARD, at->values, values);
    add_op(net, NETWORK_PRODUCT, gate, at->gated)->with = values;
}

// Of what a layer adds to a token: so much less, the more blocks add, that their sum is about as
// large as the token.
static void add_back(struct network *net, struct network_place from, struct network_place x,
                     uint32_t n_blocks)
{
    struct network_op *op = add_matrix(net, from, x, NETWORK_LINEAR);
    op->adds = true;
    net->layers[op->layer].bound /= sqrtf((float)n_blocks);
}

static void add_block_mlp(struct network *net, const struct model *model, struct network_place x)
{
    struct network_place in = x;
    for (size_t i = 0; i + 1 < model->block_mlp.n; i++) {
        struct network_place out = add_place(net, (uint32_t)model->block_mlp.v[i], 1);
        add_matrix(net, in, out, NETWORK_RELU);
        in = out;
    }
    if (in.buffer == x.buffer) { // a layer reads and writes different places
        struct network_place copy = add_place(net, x.width, 1);
        add_op(net, NETWORK_COPY, x, copy);
        in = copy;
    }
    add_back(net, in, x, (uint32_t)model->blocks);
}

static void add_blocks(struct network *net, const struct model *model,
                       const struct token_places *at)
{
    for (int64_t i = 0; i < model->blocks; i++) {
        add_op(net, NETWORK_STANDARD, at->x, at->standard);
        add_matrix(net, at->standard, at->projected, model->gated ? NETWORK_SILU : NETWORK_LINEAR);
        add_op(net, NETWORK_ATTEND, at->projected, at->values)->attention = (uint32_t)i;
        if (model->gated)
            add_gate(net, at);
        add_back(net, at->back, at->x, (uint32_t)model->blocks);
        if (model->block_mlp.n > 0)
            add_block_mlp(net, model, at->x);
    }
}

static int check_sequence(const struct model *model, struct err *err)
{
    const char *name = model->name;
    bool ranks = model->interaction == INTERACT_TARGET;
    if (model->dense_mlp.n > 0 || model->dense_inputs > 0)
        return err_set(err, ERR_STUDY,
                       "%s: cannot be run: dense_mlp, dense_inputs: expected none with a history",
                       name);
    if (sum_lookups(model, &model->lookups) == 0)
        return err_set(err, ERR_STUDY, "%s: cannot be run: lookups: expected some per item", name);
    if (!ranks && model->task_mlp.n > 0)
        return err_set(err, ERR_STUDY,
                       "%s: cannot be run: task_mlp: expected none with interaction sequence",
                       name);
    if (model->output_parts != 1 && !(model->gated && model->output_parts == 3))
        return err_set(err, ERR_STUDY, "%s: cannot be run: output_parts: expected %s, got %lld",
                       name, model->gated ? "1 or 3" : "1 without a gate",
                       (long long)model->output_parts);
    return 0;
}

// Candidates are multiplied by what came of the history.
static struct network_place compare(struct network *net)
{
    struct network_place candidate = add_place(net, net->dim, 1);
    struct network_place met = add_place(net, net->dim, 1);
    net->sequence.state = add_once(net, net->dim);
    sum_tables(net, NETWORK_ITEMS, candidate);
    add_op(net, NETWORK_PRODUCT, candidate, met)->with = net->sequence.state;
    return met;
}

static int build_sequence(struct network *net, const struct model *model, struct err *err)
{
    if (check_sequence(model, err) != 0)
        return -1;
    add_shared_tables(net, model);
    struct token_places at = add_token_places(net, model);
    net->sequence = (struct network_sequence){.n_blocks = (uint32_t)model->blocks,
                                              .heads = (uint32_t)model->heads,
                                              .key_dim = (uint32_t)model->key_dim,
                                              .value_dim = (uint32_t)model->value_dim,
                                              .gated = model->gated,
                                              .ranks = model->interaction == INTERACT_TARGET,
                                              .token = at.x};
    sum_tables(net, NETWORK_HISTORY, at.x);
    if (sum_lookups(model, &model->request_lookups) > 0) {
        struct network_place user = add_once(net, net->dim);
        sum_tables(net, NETWORK_REQUEST, user);
        add_op(net, NETWORK_SUM, at.x, at.x)->with = user;
    }
    add_blocks(net, model, &at);
    net->sequence.n_token_ops = net->n_ops;
    if (net->sequence.ranks)
        sum_tables(net, NETWORK_ITEMS, at.x);
    add_top(net, model, net->sequence.ranks ? at.x : compare(net));
    return 0;
}

typedef int (*build_fn)(struct network *net, const struct model *model, struct err *err);

static const build_fn builders[N_INTERACTIONS] = {
    [INTERACT_CONCAT] = build_concat,
    [INTERACT_TWO_BRANCH] = build_two_branch,
    [INTERACT_ATTENTION] = build_attention,
    [INTERACT_RECURRENT] = build_recurrent,
    [INTERACT_DOT] = build_dot,
    [INTERACT_CROSS] = build_cross,
    [INTERACT_MASK] = build_mask,
    [INTERACT_SEQUENCE] = build_sequence,
    [INTERACT_TARGET] = build_sequence,
};

static uint32_t count_of(const struct network_bag *bags, uint32_t n_bags)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < n_bags; i++)
        n += bags[i].n_lookups;
    return n;
}

static void count_lookups(struct network *net)
{
    net->lookups_per_item =
        net->units.n_units * net->units.rows_per_unit + count_of(net->bags, net->n_bags);
    net->lookups_per_history = count_of(net->history_bags, net->n_history_bags);
    net->lookups_per_request = count_of(net->request_bags, net->n_request_bags);
}

// Layers that end in what a request is answered with end in a sigmoid.
static void finish(struct network *net)
{
    for (uint32_t i = 0; i < net->n_ops; i++) {
        struct network_op *op = &net->ops[i];
        if (op->kind == NETWORK_LAYER && op->out.buffer == net->out.buffer)
            op->activation = NETWORK_SIGMOID;
    }
    count_lookups(net);
}

int network_build(struct network *network, const struct model *model, struct err *err)
{
    memset(network, 0, sizeof *network);
    add_buffer(network, 1); // NETWORK_FEATURES
    int rc = 0;
    if (model->dense_once)
        rc = err_set(err, ERR_STUDY, "%s: cannot be run: dense_once is not known to the engine",
                     model->name);
    if (rc == 0 && model->interaction != INTERACT_SEQUENCE && model->interaction != INTERACT_TARGET)
        rc = add_tables(network, model, err);
    if (rc == 0)
        rc = builders[model->interaction](network, model, err);
    if (rc == 0)
        finish(network);
    else
        network_release(network);
    return rc;
}

void network_release(struct network *network)
{
    if (!network)
        return;
    mem_free(network->buffers);
    mem_free(network->ops);
    mem_free(network->layers);
    mem_free(network->tables);
    mem_free(network->bags);
    mem_free(network->history_bags);
    mem_free(network->request_bags);
    memset(network, 0, sizeof *network);
}

uint32_t network_n_lookups(const struct network *network, enum network_who who)
{
    return who == NETWORK_ITEMS     ? network->lookups_per_item
           : who == NETWORK_HISTORY ? network->lookups_per_history
                                    : network->lookups_per_request;
}

uint32_t network_table_lookups(const struct network_table *table, enum network_who who)
{
    return who == NETWORK_ITEMS     ? table->lookups
           : who == NETWORK_HISTORY ? table->history_lookups
                                    : table->request_lookups;
}

static uint32_t bag_lookups(const struct network_bag *bags, uint32_t n_bags, uint32_t *table,
                            uint32_t *lookup)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < n_bags; i++)
        for (uint32_t k = 0; k < bags[i].n_lookups; k++, n++) {
            table[n] = bags[i].table;
            lookup[n] = bags[i].first + k;
        }
    return n;
}

void network_lookups(const struct network *network, enum network_who who, uint32_t *table,
                     uint32_t *lookup)
{
    if (who == NETWORK_HISTORY)
        bag_lookups(network->history_bags, network->n_history_bags, table, lookup);
    if (who == NETWORK_REQUEST)
        bag_lookups(network->request_bags, network->n_request_bags, table, lookup);
    if (who != NETWORK_ITEMS)
        return;
    uint32_t n = bag_lookups(network->bags, network->n_bags, table, lookup);
    for (uint32_t i = 0; i < network->units.n_tables; i++)
        for (uint32_t k = 0; k < network->tables[network->units.first_table + i].lookups;
             k++, n++) {
            table[n] = network->units.first_table + i;
            lookup[n] = k;
        }
    assert(n == network->lookups_per_item);
}

static void fill(const struct rng_stream *stream, float bound, float *v, size_t n)
{
    enum { CHUNK = 1024 };
    uint64_t words[CHUNK];
    for (size_t at = 0; at < n; at += CHUNK) {
        size_t some = n - at < CHUNK ? n - at : CHUNK;
        rng_fill(stream, at / 2, (some + 1) / 2, words);
        for (size_t i = 0; i < some; i++)
            v[at + i] = bound * (float)(2 * rng_u01(words[i]) - 1);
    }
}

void network_parameters(const struct network *network, uint64_t seed, float *parameters)
{
    for (uint32_t i = 0; i < network->n_layers; i++) {
        const struct network_layer *layer = &network->layers[i];
        struct rng_stream weights = rng_stream(seed, RNG_WEIGHTS, 2 * (uint64_t)i);
        struct rng_stream biases = rng_stream(seed, RNG_WEIGHTS, 2 * (uint64_t)i + 1);
        fill(&weights, layer->bound, parameters + layer->weights, (size_t)layer->in * layer->out);
        fill(&biases, fminf(layer->bound, 0.1f), parameters + layer->biases, layer->out);
    }
}
