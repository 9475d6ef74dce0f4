// SPDX-License-Identifier: Apache-2.0
#include "native/naive_sequence.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

enum { MOST = 4096 }; // numbers in a vector

struct naive_sequence {
    const struct naive *of;
    struct naive_history history;
    uint32_t dim, keys, values; // of all heads
    double *kept;               // [blocks][n][keys + values]
    double *state;              // [dim]
};

// ---- rows and layers ----------------------------------------------------------------------------

// Adds the rows that one of a kind (0: a candidate, 1: an item of the history, 2: a request) looks
// up at a place of its ring.
static void add_rows(const struct naive_sequence *it, int kind, uint64_t place, double *sum)
{
    const struct network *network = it->of->network;
    for (uint32_t t = 0; t < network->n_tables; t++) {
        const struct network_table *table = &network->tables[t];
        uint32_t n = kind == 0   ? table->lookups
                     : kind == 1 ? table->history_lookups
                                 : table->request_lookups;
        struct rng_stream stream =
            rng_stream(it->of->seed, RNG_INPUTS, ((uint64_t)kind << 32) + 1 + t);
        for (uint64_t k = place * n; k < (place + 1) * n; k++) {
            uint64_t words[2];
            rng_block(&stream, k / 4, words);
            uint32_t half = (uint32_t)(words[k % 4 / 2] >> 32 * (k % 2));
            uint32_t row = rng_below(half, tables_n_rows(it->of->tables, t));
            const float *v = tables_row(it->of->tables, it->of->tables->first_row[t] + row);
            for (uint32_t i = 0; i < it->dim; i++)
                sum[i] += v[i];
        }
    }
}

static uint32_t apply(const struct naive_sequence *it, uint32_t layer, const double *in,
                      double *out)
{
    const struct network_layer *of = &it->of->network->layers[layer];
    const float *weights = it->of->parameters + of->weights;
    assert(of->out <= MOST && layer < it->of->network->n_layers);
    for (uint32_t o = 0; o < of->out; o++) {
        out[o] = it->of->parameters[of->biases + o];
        for (uint32_t i = 0; i < of->in; i++)
            out[o] += in[i] * weights[(size_t)o * of->in + i];
    }
    return of->out;
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static void standardise(double *v, uint32_t n)
{
    double mean = 0, square = 0;
    for (uint32_t i = 0; i < n; i++)
        mean += v[i] / n;
    for (uint32_t i = 0; i < n; i++)
        square += (v[i] - mean) * (v[i] - mean) / n;
    for (uint32_t i = 0; i < n; i++)
        v[i] = (v[i] - mean) / sqrt(fmax(square, 1e-5));
}

// ---- blocks -------------------------------------------------------------------------------------

static double *kept_at(const struct naive_sequence *it, uint32_t block, uint32_t token)
{
    return it->kept + ((size_t)block * it->history.n + token) * (it->keys + it->values);
}

// What a token sees in a head: the first n_seen of the history, and itself.
static void attend(const struct naive_sequence *it, uint32_t block, uint32_t n_seen,
                   const double *projected, uint32_t head, double *out)
{
    const struct model *model = it->of->model;
    uint32_t key_dim = (uint32_t)model->key_dim, value_dim = (uint32_t)model->value_dim;
    double *weights = mem_calloc(n_seen + 1, sizeof *weights), sum = 0;
    for (uint32_t t = 0; t <= n_seen; t++) {
        const double *key = t < n_seen ? kept_at(it, block, t) : projected + it->keys;
        for (uint32_t k = 0; k < key_dim; k++)
            weights[t] += projected[head * key_dim + k] * key[head * key_dim + k];
        weights[t] /= sqrt(key_dim);
        if (model->gated)
            weights[t] *= sigmoid(weights[t]) / (1 + it->history.n);
        else
            sum += weights[t] = exp(weights[t]);
    }
    for (uint32_t k = 0; k < value_dim; k++) {
        double value = 0;
        for (uint32_t t = 0; t <= n_seen; t++) {
            const double *v =
                (t < n_seen ? kept_at(it, block, t) : projected + it->keys) + it->keys;
            value += weights[t] * v[head * value_dim + k];
        }
        out[head * value_dim + k] = model->gated ? value : value / sum;
    }
    mem_free(weights);
}

// From the values that were seen to what goes back; returns how many numbers.
static uint32_t gate(const struct naive_sequence *it, const double *projected, double *v)
{
    uint32_t n = it->values;
    const double *gates = projected + 2 * it->keys + n;
    if (!it->of->model->gated)
        return n;
    standardise(v, n);
    if (it->of->model->output_parts == 3) {
        memcpy(v + n, v, n * sizeof *v);
        memcpy(v, gates, n * sizeof *v);
        for (uint32_t i = 0; i < n; i++)
            v[2 * n + i] = v[i] * v[n + i];
        return 3 * n;
    }
    for (uint32_t i = 0; i < n; i++)
        v[i] *= gates[i];
    return n;
}

// One block of a token, in place, that sees the first n_seen of the history; its key and value go
// to `keep`, NULL: nowhere. Returns the next layer.
static uint32_t run_block(const struct naive_sequence *it, uint32_t block, uint32_t layer,
                          uint32_t n_seen, double *x, double *keep)
{
    const struct model *model = it->of->model;
    double in[MOST], projected[MOST], v[MOST], out[MOST];
    memcpy(in, x, it->dim * sizeof *x);
    standardise(in, it->dim);
    uint32_t n = apply(it, layer++, in, projected);
    for (uint32_t i = 0; i < n && model->gated; i++)
        projected[i] *= sigmoid(projected[i]);
    if (keep)
        memcpy(keep, projected + it->keys, (it->keys + it->values) * sizeof *keep);
    for (uint32_t head = 0; head < model->heads; head++)
        attend(it, block, n_seen, projected, head, v);
    gate(it, projected, v);
    apply(it, layer++, v, out);
    for (uint32_t i = 0; i < it->dim; i++)
        x[i] += out[i];
    memcpy(in, x, it->dim * sizeof *x);
    for (size_t k = 0; k < model->block_mlp.n; k++) {
        n = apply(it, layer++, in, out);
        for (uint32_t i = 0; i < n && k + 1 < model->block_mlp.n; i++)
            out[i] = fmax(out[i], 0);
        memcpy(in, out, n * sizeof *in);
    }
    for (uint32_t i = 0; i < it->dim && model->block_mlp.n > 0; i++)
        x[i] += in[i];
    return layer;
}

static uint32_t run_token(const struct naive_sequence *it, uint32_t n_seen, double *x, bool keeps)
{
    uint32_t layer = 0;
    add_rows(it, 2, it->history.request, x);
    for (uint32_t block = 0; block < it->of->model->blocks; block++)
        layer = run_block(it, block, layer, n_seen, x, keeps ? kept_at(it, block, n_seen) : NULL);
    return layer;
}

struct naive_sequence *naive_sequence_create(const struct naive *naive,
                                             const struct naive_history *history)
{
    const struct model *model = naive->model;
    struct naive_sequence *it = mem_calloc(1, sizeof *it);
    *it = (struct naive_sequence){.of = naive,
                                  .history = *history,
                                  .dim = (uint32_t)model->dim,
                                  .keys = (uint32_t)(model->heads * model->key_dim),
                                  .values = (uint32_t)(model->heads * model->value_dim)};
    it->kept = mem_calloc((size_t)model->blocks * (history->n + 1) * (it->keys + it->values),
                          sizeof *it->kept);
    it->state = mem_calloc(it->dim, sizeof *it->state);
    for (uint32_t t = 0; t < history->n; t++) {
        double x[MOST] = {0};
        add_rows(it, 1, (history->place + t) % history->n_ring, x);
        run_token(it, t, x, true);
        memcpy(it->state, x, it->dim * sizeof *x);
    }
    return it;
}

void naive_sequence_destroy(struct naive_sequence *sequence)
{
    if (!sequence)
        return;
    mem_free(sequence->kept);
    mem_free(sequence->state);
    mem_free(sequence);
}

static uint32_t stack(const struct naive_sequence *it, const struct reals *widths, uint32_t layer,
                      bool last, double *x)
{
    double out[MOST];
    for (size_t i = 0; i < widths->n; i++) {
        uint32_t n = apply(it, layer++, x, out);
        for (uint32_t k = 0; k < n; k++)
            x[k] = last && i + 1 == widths->n ? sigmoid(out[k]) : fmax(out[k], 0);
    }
    return layer;
}

uint32_t naive_sequence_run(const struct naive_sequence *it, uint64_t place, double *results,
                            uint32_t most)
{
    const struct model *model = it->of->model;
    double x[MOST] = {0};
    uint32_t layer = it->of->network->n_layers - (uint32_t)model->top_mlp.n, n = 0;
    bool has_tasks = model->task_mlp.n > 0;
    add_rows(it, 0, place, x);
    if (model->interaction == INTERACT_TARGET)
        layer = run_token(it, it->history.n, x, false);
    else
        for (uint32_t i = 0; i < it->dim; i++)
            x[i] *= it->state[i];
    layer = stack(it, &model->top_mlp, layer, !has_tasks, x);
    for (int64_t t = 0; t < (has_tasks ? model->tasks : 1); t++) {
        const struct reals *last = has_tasks ? &model->task_mlp : &model->top_mlp;
        double task[MOST];
        memcpy(task, x, sizeof task);
        layer = has_tasks ? stack(it, last, layer, true, task) : layer;
        for (uint32_t i = 0; i < last->v[last->n - 1]; i++, n++) {
            assert(n < most);
            results[n] = task[i];
        }
    }
    assert(layer == it->of->network->n_layers);
    return n;
}
