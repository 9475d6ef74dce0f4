// SPDX-License-Identifier: Apache-2.0
#include "native/attention.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "support/suite.h"

enum { MOST = 200 };

// Tokens one after the other, as rows of query, key, value and something behind them.
struct tokens {
    struct attention_shape shape;
    uint32_t width, out; // numbers of a row; of a result
    float *rows;         // [MOST + ATTENTION_ROWS][width]
};

static struct tokens make_tokens(struct attention_shape shape)
{
    struct tokens tokens = {.shape = shape,
                            .width = shape.heads * (2 * shape.key_dim + shape.value_dim) + 5,
                            .out = shape.heads * shape.value_dim};
    struct rng_stream stream = rng_stream(3, RNG_TEST, 0);
    size_t n = (size_t)(MOST + ATTENTION_ROWS) * tokens.width;
    tokens.rows = mem_calloc(n, sizeof *tokens.rows);
    for (size_t i = 0; i < n; i++) {
        uint64_t words[2];
        rng_block(&stream, i, words);
        tokens.rows[i] = (float)(4 * rng_u01(words[0]) - 2);
    }
    return tokens;
}

static const float *part_of(const struct tokens *tokens, uint32_t token, uint32_t part,
                            uint32_t head)
{
    const struct attention_shape *shape = &tokens->shape;
    uint32_t width = part == 2 ? shape->value_dim : shape->key_dim;
    return tokens->rows + (size_t)token * tokens->width + part * shape->heads * shape->key_dim +
           head * width;
}

// A result number, computed in double: `token` sees the first n_seen, and itself.
static double expected(const struct tokens *tokens, uint32_t token, uint32_t n_seen, uint32_t head,
                       uint32_t column, float share)
{
    const struct attention_shape *shape = &tokens->shape;
    double value = 0, sum = 0;
    for (uint32_t t = 0; t <= n_seen; t++) {
        uint32_t other = t < n_seen ? t : token;
        double weight = 0;
        for (uint32_t k = 0; k < shape->key_dim; k++)
            weight += (double)part_of(tokens, token, 0, head)[k] *
                      (double)part_of(tokens, other, 1, head)[k];
        weight /= sqrt(shape->key_dim);
        weight = shape->gated ? share * weight / (1 + exp(-weight)) : exp(weight);
        sum += weight;
        value += weight * (double)part_of(tokens, other, 2, head)[column];
    }
    return shape->gated ? value : value / sum;
}

static void compare(const struct tokens *tokens, const float *out, uint32_t token, uint32_t n_seen,
                    float share)
{
    const struct attention_shape *shape = &tokens->shape;
    for (uint32_t head = 0; head < shape->heads; head++)
        for (uint32_t k = 0; k < shape->value_dim; k++)
            ck_assert_double_eq_tol((double)out[head * shape->value_dim + k],
                                    expected(tokens, token, n_seen, head, k, share), 2e-5);
}

// A history in pieces, each token of which sees those before it; then candidates.
static void run(struct attention_shape shape, const uint32_t *pieces, size_t n_pieces)
{
    struct tokens tokens = make_tokens(shape);
    struct attention *memory = attention_create(&shape, MOST);
    float *out = mem_calloc((size_t)(MOST + ATTENTION_ROWS) * tokens.out, sizeof *out);
    const float share = 0.125f;
    uint32_t n = 0;
    for (size_t i = 0; i < n_pieces; i++) {
        struct attention_job job = {.in = {tokens.rows + (size_t)n * tokens.width, tokens.width},
                                    .out = {out, tokens.out},
                                    .n_rows = pieces[i],
                                    .causal = true,
                                    .share = share};
        attention_keep(memory, job.in, pieces[i]);
        attention_run(memory, &job);
        for (uint32_t r = 0; r < pieces[i]; r++)
            compare(&tokens, out + (size_t)r * tokens.out, n + r, n + r, share);
        n += pieces[i];
    }
    struct attention_job job = {.in = {tokens.rows + (size_t)n * tokens.width, tokens.width},
                                .out = {out, tokens.out},
                                .n_rows = 11,
                                .share = share};
    attention_run(memory, &job);
    for (uint32_t r = 0; r < job.n_rows; r++)
        compare(&tokens, out + (size_t)r * tokens.out, n + r, n, share);
    attention_destroy(memory);
    mem_free(out);
    mem_free(tokens.rows);
}

// In pieces of any length, softmax and gated, of widths that fill vectors and that do not.
START_TEST(equals_naive)
{
    static const struct attention_shape shapes[] = {
        {1, 50, 50, false}, {3, 16, 32, true}, {2, 7, 1, true}, {1, 1, 17, false}};
    static const uint32_t pieces[] = {1, 7, 8, 9, 16, 33, 64};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        run(shapes[i], pieces, sizeof pieces / sizeof *pieces);
}
END_TEST

// Without a history candidates see themselves alone, and what was there before is forgotten.
START_TEST(forgets)
{
    struct attention_shape shape = {2, 8, 8, false};
    struct tokens tokens = make_tokens(shape);
    struct attention *memory = attention_create(&shape, MOST);
    float *out = mem_calloc((size_t)2 * ATTENTION_ROWS * tokens.out, sizeof *out);
    struct attention_job job = {
        .in = {tokens.rows, tokens.width}, .out = {out, tokens.out}, .n_rows = 3};
    attention_keep(memory, job.in, 100);
    attention_clear(memory);
    attention_run(memory, &job);
    for (uint32_t r = 0; r < 3; r++)
        compare(&tokens, out + (size_t)r * tokens.out, r, 0, 0);
    attention_destroy(memory);
    mem_free(out);
    mem_free(tokens.rows);
}
END_TEST

// Room for whole vectors of tokens, as many as were asked for at least; none is no mistake.
START_TEST(holds_what_was_asked_for)
{
    struct attention_shape shape = {2, 8, 5, true};
    struct attention *memory = attention_create(&shape, 17);
    ck_assert_double_eq(attention_bytes(memory), 2 * 32 * (8 + 16) * 4.0);
    attention_destroy(memory);
    memory = attention_create(&shape, 0);
    ck_assert_double_gt(attention_bytes(memory), 0);
    attention_destroy(memory);
    attention_destroy(NULL);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", equals_naive},
        {"core", forgets},
        {"limits", holds_what_was_asked_for},
    };
    return suite_run("attention", tests, sizeof tests / sizeof *tests);
}
