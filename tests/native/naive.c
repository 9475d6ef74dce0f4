// SPDX-License-Identifier: Apache-2.0
#include "native/naive.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

enum { MOST = 16384 }; // numbers in a vector

struct vector {
    uint32_t n;
    double v[MOST];
};

struct walk {
    const struct naive *of;
    uint64_t place, featured;
    uint32_t layer; // the next
    struct vector joined;
};

// ---- what is computed with ----------------------------------------------------------------------

static void join(struct vector *to, const double *v, uint32_t n)
{
    assert(to->n + n <= MOST);
    memcpy(to->v + to->n, v, n * sizeof *v);
    to->n += n;
}

static double activate(double x, enum network_activation activation)
{
    switch (activation) {
    case NETWORK_RELU:
        return x > 0 ? x : 0;
    case NETWORK_SIGMOID:
        return 1 / (1 + exp(-x));
    case NETWORK_TANH:
        return tanh(x);
    default:
        return x;
    }
}

// The next layer's parameters, which must be of this shape.
static const struct network_layer *next_layer(struct walk *walk, uint32_t in, uint32_t out)
{
    const struct network_layer *layer = &walk->of->network->layers[walk->layer++];
    assert(layer->in == in && layer->out == out);
    return layer;
}

static void apply(const struct walk *walk, const struct network_layer *layer, const double *in,
                  double *out)
{
    const float *weights = walk->of->parameters + layer->weights;
    for (uint32_t o = 0; o < layer->out; o++) {
        double sum = walk->of->parameters[layer->biases + o];
        for (uint32_t i = 0; i < layer->in; i++)
            sum += in[i] * weights[(size_t)o * layer->in + i];
        out[o] = sum;
    }
}

static void layer(struct walk *walk, struct vector *x, uint32_t width,
                  enum network_activation activation)
{
    double out[MOST];
    apply(walk, next_layer(walk, x->n, width), x->v, out);
    x->n = width;
    for (uint32_t i = 0; i < width; i++)
        x->v[i] = activate(out[i], activation);
}

static void stack(struct walk *walk, struct vector *x, const struct reals *widths, size_t from,
                  enum network_activation last)
{
    for (size_t i = from; i < widths->n; i++)
        layer(walk, x, (uint32_t)widths->v[i], i + 1 < widths->n ? NETWORK_RELU : last);
}

// ---- what a request brings ----------------------------------------------------------------------

static double feature(const struct walk *walk, uint32_t k)
{
    struct rng_stream stream = rng_stream(walk->of->seed, RNG_INPUTS, 0);
    uint64_t n = walk->featured * walk->of->network->features + k, words[2];
    rng_block(&stream, n / 2, words);
    return (float)(2 * rng_u01(words[n % 2]) - 1);
}

static const float *looked_up(const struct walk *walk, uint32_t table, uint32_t lookup)
{
    struct rng_stream stream = rng_stream(walk->of->seed, RNG_INPUTS, 1 + (uint64_t)table);
    uint64_t n = walk->place * walk->of->network->tables[table].lookups + lookup, words[2];
    rng_block(&stream, n / 4, words);
    uint32_t half = (uint32_t)(words[n % 4 / 2] >> 32 * (n % 2));
    uint32_t row = rng_below(half, tables_n_rows(walk->of->tables, table));
    return tables_row(walk->of->tables, walk->of->tables->first_row[table] + row);
}

// Adds the sum of n lookups of a table, from `first` on.
static void add_pooled(const struct walk *walk, uint32_t table, uint32_t first, uint32_t n,
                       double *sum)
{
    for (uint32_t k = 0; k < n; k++) {
        const float *row = looked_up(walk, table, first + k);
        for (int64_t i = 0; i < walk->of->model->dim; i++)
            sum[i] += row[i];
    }
}

static void join_table(struct walk *walk, uint32_t table, struct vector *to)
{
    double sum[MOST] = {0};
    add_pooled(walk, table, 0, walk->of->network->tables[table].lookups, sum);
    join(to, sum, (uint32_t)walk->of->model->dim);
}

static void join_features(struct walk *walk, struct vector *to)
{
    const struct model *model = walk->of->model;
    struct vector dense = {0};
    uint32_t n = model->dense_mlp.n ? (uint32_t)model->dense_mlp.v[0] : 0;
    for (uint32_t k = 0; k < n; k++)
        dense.v[dense.n++] = feature(walk, k);
    if (model->dense_mlp.n > 1)
        stack(walk, &dense, &model->dense_mlp, 1, NETWORK_RELU);
    join(to, dense.v, dense.n);
    for (uint32_t k = 0; k < model->dense_inputs; k++) {
        double x = feature(walk, n + k);
        join(to, &x, 1);
    }
}

// ---- behaviours ---------------------------------------------------------------------------------

// As native/network.h says: the last group with as many tables, else the first with more.
static uint32_t first_behaviour(const struct model *model)
{
    uint32_t first = 0, found = 0;
    bool exact = false, more = false;
    for (size_t g = 0; g < model->tables.n; g++) {
        if (model->tables.v[g] == (double)model->behaviour_tables) {
            found = first;
            exact = true;
        } else if (!exact && !more && model->tables.v[g] > (double)model->behaviour_tables) {
            found = first;
            more = true;
        }
        first += (uint32_t)model->tables.v[g];
    }
    return found;
}

static void behaviour(const struct walk *walk, uint32_t number, double *sum)
{
    const struct model *model = walk->of->model;
    uint32_t per_table = (uint32_t)(model->behaviours / model->behaviour_tables);
    uint32_t table = first_behaviour(model) + number / per_table;
    uint32_t n = walk->of->network->tables[table].lookups / per_table;
    memset(sum, 0, (size_t)model->dim * sizeof *sum);
    add_pooled(walk, table, number % per_table * n, n, sum);
}

static bool is_behaviour(const struct model *model, uint32_t table)
{
    uint32_t first = first_behaviour(model);
    return table >= first && table < first + model->behaviour_tables;
}

static void attend(struct walk *walk, const double *ad, double *sum)
{
    const struct model *model = walk->of->model;
    uint32_t dim = (uint32_t)model->dim, first_layer = walk->layer;
    for (uint32_t b = 0; b < model->behaviours; b++) {
        struct vector x = {.n = 3 * dim};
        behaviour(walk, b, x.v);
        for (uint32_t i = 0; i < dim; i++) {
            x.v[dim + i] = x.v[i] + ad[i];
            x.v[2 * dim + i] = ad[i];
        }
        walk->layer = first_layer; // all units share them
        stack(walk, &x, &model->attention_mlp, 0, NETWORK_RELU);
        for (uint32_t i = 0; i < dim; i++)
            sum[i] += x.v[i];
    }
}

struct recurrence {
    const struct network_layer *inputs, *states;
    uint32_t hidden;
};

static void recur(const struct walk *walk, const struct recurrence *it, const double *in,
                  double *state)
{
    double x[MOST], h[MOST];
    uint32_t n = it->hidden;
    apply(walk, it->inputs, in, x);
    apply(walk, it->states, state, h);
    for (uint32_t i = 0; i < n; i++) {
        if (walk->of->model->gates == 1) {
            state[i] = tanh(x[i] + h[i]);
            continue;
        }
        double reset = activate(x[i] + h[i], NETWORK_SIGMOID);
        double update = activate(x[n + i] + h[n + i], NETWORK_SIGMOID);
        double new = tanh(x[2 * n + i] + reset * h[2 * n + i]);
        state[i] = (1 - update) * new + update *state[i];
    }
}

static void evolve(struct walk *walk, double *last)
{
    const struct model *model = walk->of->model;
    uint32_t hidden = (uint32_t)model->hidden, width = hidden * (uint32_t)model->gates;
    struct recurrence first = {.hidden = hidden}, second = {.hidden = hidden};
    first.inputs = next_layer(walk, (uint32_t)model->dim, width);
    first.states = next_layer(walk, hidden, width);
    const struct network_layer *attention = next_layer(walk, hidden, hidden);
    second.inputs = next_layer(walk, hidden, width);
    second.states = next_layer(walk, hidden, width);
    double state[MOST] = {0};
    for (uint32_t b = 0; b < model->behaviours; b++) {
        double in[MOST], score[MOST], sum = 0;
        behaviour(walk, b, in);
        recur(walk, &first, in, state);
        apply(walk, attention, state, score);
        for (uint32_t i = 0; i < hidden; i++)
            sum += exp(score[i]);
        for (uint32_t i = 0; i < hidden; i++)
            score[i] = state[i] + exp(score[i]) / sum;
        recur(walk, &second, score, last);
    }
}

// ---- the models ---------------------------------------------------------------------------------

static void tasks(struct walk *walk, const struct vector *x, struct vector *out)
{
    const struct model *model = walk->of->model;
    for (int64_t i = 0; i < model->tasks; i++) {
        struct vector task = *x;
        stack(walk, &task, &model->task_mlp, 0, NETWORK_SIGMOID);
        join(out, task.v, task.n);
    }
}

static void top(struct walk *walk, struct vector *x, struct vector *out)
{
    const struct model *model = walk->of->model;
    bool last = model->task_mlp.n == 0;
    stack(walk, x, &model->top_mlp, 0, last ? NETWORK_SIGMOID : NETWORK_RELU);
    if (last)
        *out = *x;
    else
        tasks(walk, x, out);
}

static void two_branch(struct walk *walk, struct vector *out)
{
    const struct model *model = walk->of->model;
    struct vector branch = {0};
    double sum[MOST] = {0};
    for (uint32_t t = 1; t < walk->of->network->n_tables; t += 2)
        join_table(walk, t, &branch);
    for (uint32_t t = 0; t < walk->of->network->n_tables; t += 2)
        add_pooled(walk, t, 0, walk->of->network->tables[t].lookups, sum);
    stack(walk, &branch, &model->top_mlp, 0, model->task_mlp.n ? NETWORK_RELU : NETWORK_SIGMOID);
    join(&branch, sum, (uint32_t)model->dim);
    if (model->task_mlp.n)
        tasks(walk, &branch, out);
    else
        *out = branch;
}

// What became of the behaviours, then the other tables.
static void join_behaviours(struct walk *walk, struct vector *to)
{
    const struct model *model = walk->of->model;
    uint32_t behind = first_behaviour(model) + (uint32_t)model->behaviour_tables;
    double met[MOST] = {0};
    if (model->interaction == INTERACT_ATTENTION) {
        struct vector ad = {0};
        join_table(walk, behind < walk->of->network->n_tables ? behind : 0, &ad);
        attend(walk, ad.v, met);
        join(to, met, (uint32_t)model->dim);
    } else {
        evolve(walk, met);
        join(to, met, (uint32_t)model->hidden);
    }
    for (uint32_t t = 0; t < walk->of->network->n_tables; t++)
        if (!is_behaviour(model, t))
            join_table(walk, t, to);
}

static void join_dots(const struct walk *walk, struct vector *x)
{
    uint32_t dim = (uint32_t)walk->of->model->dim;
    struct vector dots = {.n = dim};
    memcpy(dots.v, x->v, dim * sizeof *x->v);
    for (uint32_t a = 1; a < x->n / dim; a++)
        for (uint32_t b = 0; b < a; b++) {
            double sum = 0;
            for (uint32_t i = 0; i < dim; i++)
                sum += x->v[a * dim + i] * x->v[b * dim + i];
            join(&dots, &sum, 1);
        }
    *x = dots;
}

static void cross(struct walk *walk, struct vector *x)
{
    struct vector first = *x;
    for (int64_t i = 0; i < walk->of->model->cross_layers; i++) {
        struct vector y = *x;
        layer(walk, &y, (uint32_t)walk->of->model->cross_rank, NETWORK_LINEAR);
        layer(walk, &y, first.n, NETWORK_LINEAR);
        for (uint32_t k = 0; k < x->n; k++)
            x->v[k] += first.v[k] * y.v[k];
    }
}

static void mask(struct walk *walk, struct vector *x)
{
    const struct model *model = walk->of->model;
    struct vector out = {0};
    for (int64_t i = 0; i < model->mask_blocks; i++) {
        struct vector y = *x;
        double mean = 0, square = 0;
        layer(walk, &y, (uint32_t)model->mask_aggregation, NETWORK_RELU);
        layer(walk, &y, x->n, NETWORK_LINEAR);
        for (uint32_t k = 0; k < x->n; k++)
            y.v[k] *= x->v[k];
        layer(walk, &y, (uint32_t)model->mask_output, NETWORK_LINEAR);
        for (uint32_t k = 0; k < y.n; k++)
            mean += y.v[k] / y.n;
        for (uint32_t k = 0; k < y.n; k++)
            square += (y.v[k] - mean) * (y.v[k] - mean) / y.n;
        for (uint32_t k = 0; k < y.n; k++)
            y.v[k] = activate((y.v[k] - mean) / sqrt(fmax(square, 1e-5)), NETWORK_RELU);
        join(&out, y.v, y.n);
    }
    *x = out;
}

static void walk_model(struct walk *walk, struct vector *out)
{
    const struct model *model = walk->of->model;
    struct vector *x = &walk->joined;
    if (model->interaction == INTERACT_TWO_BRANCH) {
        two_branch(walk, out);
        return;
    }
    join_features(walk, x);
    if (model->interaction == INTERACT_ATTENTION || model->interaction == INTERACT_RECURRENT)
        join_behaviours(walk, x);
    else
        for (uint32_t t = 0; t < walk->of->network->n_tables; t++)
            join_table(walk, t, x);
    if (model->interaction == INTERACT_DOT)
        join_dots(walk, x);
    if (model->interaction == INTERACT_CROSS)
        cross(walk, x);
    if (model->interaction == INTERACT_MASK)
        mask(walk, x);
    top(walk, x, out);
}

uint32_t naive_run(const struct naive *naive, uint64_t place, uint64_t featured, double *results,
                   uint32_t most)
{
    struct walk *walk = mem_calloc(1, sizeof *walk);
    struct vector *out = mem_calloc(1, sizeof *out);
    walk->of = naive;
    walk->place = place;
    walk->featured = featured;
    walk_model(walk, out);
    assert(walk->layer == naive->network->n_layers && out->n <= most);
    uint32_t n = out->n;
    memcpy(results, out->v, n * sizeof *results);
    mem_free(walk);
    mem_free(out);
    return n;
}
