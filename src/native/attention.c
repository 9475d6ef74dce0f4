// SPDX-License-Identifier: Apache-2.0
#include "native/attention.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/simd.h"

enum { ROWS = ATTENTION_ROWS, LANES = ATTENTION_LANES };

struct attention {
    struct attention_shape shape;
    uint32_t most, n;      // tokens
    uint32_t value_stride; // value_dim, rounded up to whole vectors
    size_t row_scores;     // numbers of a row of scores: of all tokens, itself, whole vectors
    float *keys;           // [heads][most / LANES][key_dim][LANES]
    float *values;         // [heads][most][value_stride]
    float *scores;         // [ROWS][row_scores]
    float *sums;           // [ROWS][value_stride]
};

static uint32_t whole(uint32_t n)
{
    return (n + LANES - 1) / LANES * LANES;
}

static size_t head_keys(const struct attention *memory)
{
    return (size_t)memory->most * memory->shape.key_dim;
}

static size_t head_values(const struct attention *memory)
{
    return (size_t)memory->most * memory->value_stride;
}

struct attention *attention_create(const struct attention_shape *shape, uint32_t most_tokens)
{
    struct attention *memory = mem_calloc(1, sizeof *memory);
    memory->shape = *shape;
    memory->most = whole(most_tokens > 0 ? most_tokens : 1);
    memory->value_stride = whole(shape->value_dim);
    memory->row_scores = memory->most + LANES;
    memory->keys = mem_huge(shape->heads * head_keys(memory) * sizeof(float));
    memory->values = mem_huge(shape->heads * head_values(memory) * sizeof(float));
    memory->scores = mem_aligned(64, ROWS * memory->row_scores * sizeof(float));
    memory->sums = mem_aligned(64, (size_t)ROWS * memory->value_stride * sizeof(float));
    return memory;
}

void attention_destroy(struct attention *memory)
{
    if (!memory)
        return;
    mem_free(memory->keys);
    mem_free(memory->values);
    mem_free(memory->scores);
    mem_free(memory->sums);
    mem_free(memory);
}

double attention_bytes(const struct attention *memory)
{
    return (double)memory->shape.heads * (double)(head_keys(memory) + head_values(memory)) *
           sizeof(float);
}

void attention_clear(struct attention *memory)
{
    memory->n = 0;
}

static void keep_one(struct attention *memory, const float *row)
{
    const struct attention_shape *shape = &memory->shape;
    uint32_t panel = memory->n / LANES, lane = memory->n % LANES;
    const float *key = row + (size_t)shape->heads * shape->key_dim;
    const float *value = key + (size_t)shape->heads * shape->key_dim;
    for (uint32_t head = 0; head < shape->heads; head++) {
        float *keys =
            memory->keys + head * head_keys(memory) + (size_t)panel * shape->key_dim * LANES + lane;
        for (uint32_t k = 0; k < shape->key_dim; k++)
            keys[(size_t)k * LANES] = key[head * shape->key_dim + k];
        memcpy(memory->values + head * head_values(memory) +
                   (size_t)memory->n * memory->value_stride,
               value + (size_t)head * shape->value_dim, shape->value_dim * sizeof(float));
    }
    memory->n++;
}

void attention_keep(struct attention *memory, struct vectors_rows in, uint32_t n)
{
    assert(memory->n + n <= memory->most);
    for (uint32_t i = 0; i < n; i++)
        keep_one(memory, in.first + i * in.stride);
}

// ---- products -----------------------------------------------------------------------------------

typedef float lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(4)));

// LANES columns of ROWS rows times a matrix of n rows: out[r] = sum over k of a[r][k] * b[k]. Sums
// stay in registers.
SIMD_CLONES static void multiply(struct vectors_rows out, struct vectors_rows a,
                                 struct vectors_rows b, size_t n)
{
    lanes s0 = {0}, s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
    const float *a0 = a.first, *a1 = a0 + a.stride, *a2 = a1 + a.stride, *a3 = a2 + a.stride;
    const float *a4 = a3 + a.stride, *a5 = a4 + a.stride, *a6 = a5 + a.stride, *a7 = a6 + a.stride;
    const float *at = b.first;
    for (size_t k = 0; k < n; k++, at += b.stride) {
        const lanes v = *(const lanes *)(const void *)at;
        s0 += a0[k] * v;
        s1 += a1[k] * v;
        s2 += a2[k] * v;
        s3 += a3[k] * v;
        s4 += a4[k] * v;
        s5 += a5[k] * v;
        s6 += a6[k] * v;
        s7 += a7[k] * v;
    }
    const lanes *const sums[ROWS] = {&s0, &s1, &s2, &s3, &s4, &s5, &s6, &s7};
    for (size_t r = 0; r < ROWS; r++)
        memcpy(out.first + r * out.stride, sums[r], sizeof(lanes));
}

// ---- a tile: ROWS rows of one head --------------------------------------------------------------

struct tile {
    struct attention *memory;
    const struct attention_job *job;
    uint32_t head, first, n_rows; // rows of the job; the last few may mean nothing
    uint32_t n_seen;              // tokens that one of its rows sees
};

// How many tokens of the memory a row sees.
static uint32_t seen_by(const struct tile *tile, uint32_t row)
{
    const struct attention_job *job = tile->job;
    return job->causal ? tile->memory->n - job->n_rows + tile->first + row + 1 : tile->memory->n;
}

static const float *row_of(const struct tile *tile, uint32_t row)
{
    return tile->job->in.first + (tile->first + row) * tile->job->in.stride;
}

static void compare(const struct tile *tile)
{
    const struct attention *memory = tile->memory;
    const struct attention_shape *shape = &memory->shape;
    struct vectors_rows queries = {(float *)row_of(tile, 0) + tile->head * shape->key_dim,
                                   tile->job->in.stride};
    struct vectors_rows keys = {memory->keys + tile->head * head_keys(memory), LANES};
    struct vectors_rows scores = {memory->scores, memory->row_scores};
    for (uint32_t at = 0; at < tile->n_seen; at += LANES) {
        multiply(scores, queries, keys, shape->key_dim);
        keys.first += (size_t)shape->key_dim * LANES;
        scores.first += LANES;
    }
}

// From scores to weights, of the tokens that a row sees and, behind them, of itself where it is
// none of them; those that it does not see weigh nothing.
static void weigh(const struct tile *tile, uint32_t row, float *itself)
{
    const struct attention_shape *shape = &tile->memory->shape;
    float *scores = tile->memory->scores + row * tile->memory->row_scores;
    uint32_t seen = seen_by(tile, row), n = seen;
    if (!tile->job->causal) {
        const float *query = row_of(tile, row) + tile->head * shape->key_dim;
        scores[n++] =
            vectors_dot(query, query + (size_t)shape->heads * shape->key_dim, shape->key_dim);
    }
    vectors_scale(scores, n, 1 / sqrtf((float)shape->key_dim));
    if (shape->gated) {
        vectors_activate(scores, n, NETWORK_SILU);
        vectors_scale(scores, n, tile->job->share);
    } else {
        vectors_softmax(scores, n);
    }
    *itself = n > seen ? scores[seen] : 0;
    for (uint32_t k = seen; k < tile->n_seen; k++)
        scores[k] = 0;
}

static void add_up(const struct tile *tile)
{
    const struct attention *memory = tile->memory;
    struct vectors_rows weights = {memory->scores, memory->row_scores};
    struct vectors_rows values = {memory->values + tile->head * head_values(memory),
                                  memory->value_stride};
    struct vectors_rows sums = {memory->sums, memory->value_stride};
    for (uint32_t at = 0; at < memory->value_stride; at += LANES) {
        multiply(sums, weights, values, tile->n_seen);
        values.first += LANES;
        sums.first += LANES;
    }
}

static void run_tile(const struct tile *tile)
{
    const struct attention *memory = tile->memory;
    const struct attention_shape *shape = &memory->shape;
    float itself[ROWS] = {0};
    compare(tile);
    for (uint32_t r = 0; r < tile->n_rows; r++)
        weigh(tile, r, &itself[r]);
    add_up(tile);
    for (uint32_t r = 0; r < tile->n_rows; r++) {
        float *sum = memory->sums + (size_t)r * memory->value_stride;
        const float *value = row_of(tile, r) + 2 * (size_t)shape->heads * shape->key_dim +
                             (size_t)tile->head * shape->value_dim;
        if (!tile->job->causal)
            vectors_add_scaled(sum, value, shape->value_dim, itself[r]);
        memcpy(tile->job->out.first + (tile->first + r) * tile->job->out.stride +
                   (size_t)tile->head * shape->value_dim,
               sum, shape->value_dim * sizeof(float));
    }
}

void attention_run(struct attention *memory, const struct attention_job *job)
{
    assert(!job->causal || job->n_rows <= memory->n);
    for (uint32_t head = 0; head < memory->shape.heads; head++)
        for (uint32_t at = 0; at < job->n_rows; at += ROWS) {
            uint32_t left = job->n_rows - at;
            struct tile tile = {.memory = memory,
                                .job = job,
                                .head = head,
                                .first = at,
                                .n_rows = left < ROWS ? left : ROWS};
            tile.n_seen = seen_by(&tile, tile.n_rows - 1);
            run_tile(&tile);
        }
}
