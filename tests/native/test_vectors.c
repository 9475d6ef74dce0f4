// SPDX-License-Identifier: Apache-2.0
#include "native/vectors.h"

#include <math.h>
#include <string.h>

#include "support/suite.h"

// Rows of an odd width in a wider matrix, so that vectors have an end and rows a rest.
enum { N_ROWS = 6, WIDTH = 37, STRIDE = 120 };
#define RELATIVE 1e-6

struct matrix {
    float v[N_ROWS * STRIDE];
};

static struct vectors_rows rows_of(struct matrix *matrix)
{
    return (struct vectors_rows){matrix->v, STRIDE};
}

static struct matrix filled(double seed)
{
    struct matrix matrix;
    for (uint32_t i = 0; i < N_ROWS * STRIDE; i++)
        matrix.v[i] = (float)(3 * sin(seed + 0.7 * i));
    return matrix;
}

static double at(const struct matrix *matrix, uint32_t row, uint32_t column)
{
    return matrix->v[row * STRIDE + column];
}

// Copies, pairs and sums of parts are what they say, and touch no other column.
START_TEST(moves)
{
    struct matrix in = filled(1), with = filled(2), out = filled(3), before = out;
    vectors_copy(rows_of(&out), rows_of(&in), N_ROWS, WIDTH);
    for (uint32_t i = 0; i < N_ROWS; i++)
        for (uint32_t k = 0; k < STRIDE; k++)
            ck_assert_double_eq(at(&out, i, k), at(k < WIDTH ? &in : &before, i, k));
    vectors_pairs(rows_of(&out), rows_of(&in), rows_of(&with), N_ROWS, 2, WIDTH);
    for (uint32_t i = 0; i < N_ROWS; i++)
        for (uint32_t k = 0; k < WIDTH; k++) {
            ck_assert_double_eq(at(&out, i, k), at(&in, i, k));
            ck_assert_double_eq(at(&out, i, WIDTH + k),
                                (float)(at(&in, i, k) + at(&with, i % 2, k)));
            ck_assert_double_eq(at(&out, i, 2 * WIDTH + k), at(&with, i % 2, k));
        }
    vectors_fold(rows_of(&out), rows_of(&in), 2, 3, WIDTH);
    for (uint32_t i = 0; i < 2; i++)
        for (uint32_t k = 0; k < WIDTH; k++)
            ck_assert_double_eq_tol(at(&out, i, k),
                                    at(&in, i, k) + at(&in, i + 2, k) + at(&in, i + 4, k), 1e-6);
}
END_TEST

// Hyperbolic tangents agree with the C library's, from one end to the other.
START_TEST(tangents)
{
    struct matrix rows = {0};
    float biases[STRIDE];
    for (uint32_t k = 0; k < STRIDE; k++)
        biases[k] = (float)k - 60;
    biases[59] = 1e-4f;
    vectors_tanh(rows_of(&rows), biases, N_ROWS, STRIDE);
    for (uint32_t k = 0; k < STRIDE; k++)
        ck_assert_double_eq_tol(at(&rows, N_ROWS - 1, k), tanh(biases[k]), RELATIVE);
}
END_TEST

// A step of a GRU is that of its definition.
START_TEST(gated_steps)
{
    enum { W = 37 };
    struct matrix inputs = filled(1), before = filled(2), state = filled(3), next = filled(4);
    struct vectors_gru gru = {rows_of(&inputs), rows_of(&before), rows_of(&state), rows_of(&next)};
    vectors_gru_step(&gru, N_ROWS, W);
    for (uint32_t i = 0; i < N_ROWS; i++)
        for (uint32_t k = 0; k < W; k++) {
            double r = 1 / (1 + exp(-at(&inputs, i, k) - at(&before, i, k)));
            double z = 1 / (1 + exp(-at(&inputs, i, W + k) - at(&before, i, W + k)));
            double n = tanh(at(&inputs, i, 2 * W + k) + r * at(&before, i, 2 * W + k));
            ck_assert_double_eq_tol(at(&next, i, k), (1 - z) * n + z * at(&state, i, k),
                                    4 * RELATIVE);
        }
}
END_TEST

// The softmax sums to 1 and is in the proportion of exponentials, of large numbers too.
START_TEST(softmaxes)
{
    struct matrix in = filled(1), with = filled(2), out;
    with.v[0] = 1000; // a row where one takes all
    vectors_weigh(rows_of(&out), rows_of(&in), rows_of(&with), N_ROWS, WIDTH);
    ck_assert_double_eq_tol(at(&out, 0, 0), at(&in, 0, 0) + 1, RELATIVE);
    for (uint32_t i = 1; i < N_ROWS; i++) {
        double sum = 0;
        for (uint32_t k = 0; k < WIDTH; k++)
            sum += exp(at(&with, i, k));
        for (uint32_t k = 0; k < WIDTH; k++)
            ck_assert_double_eq_tol(at(&out, i, k), at(&in, i, k) + exp(at(&with, i, k)) / sum,
                                    4 * RELATIVE);
    }
}
END_TEST

// Products of pairs are in order, those of numbers and of cross layers what they say.
START_TEST(products)
{
    enum { N = 3, DIM = 12 };
    struct matrix in = filled(1), with = filled(2), out = filled(3), first = out;
    vectors_dots(rows_of(&out), rows_of(&in), N_ROWS, N, DIM);
    for (uint32_t i = 0; i < N_ROWS; i++)
        for (uint32_t a = 1, pair = 0; a < N; a++)
            for (uint32_t b = 0; b < a; b++, pair++) {
                double sum = 0;
                for (uint32_t k = 0; k < DIM; k++)
                    sum += at(&in, i, a * DIM + k) * at(&in, i, b * DIM + k);
                ck_assert_double_eq_tol(at(&out, i, pair), sum, 1e-5);
            }
    vectors_product(rows_of(&out), rows_of(&in), rows_of(&with), N_ROWS, WIDTH);
    ck_assert_double_eq(at(&out, 5, 36), (float)(at(&in, 5, 36) * at(&with, 5, 36)));
    out = first;
    vectors_cross(rows_of(&out), rows_of(&in), rows_of(&with), N_ROWS, WIDTH);
    ck_assert_double_eq_tol(at(&out, 5, 36), at(&first, 5, 36) * at(&with, 5, 36) + at(&in, 5, 36),
                            1e-6);
}
END_TEST

// Normalised rows have mean 0 and variance 1 before what is negative becomes 0; equal numbers,
// which have no variance, become 0.
START_TEST(norms)
{
    struct matrix in = filled(1), out;
    for (uint32_t k = 0; k < WIDTH; k++)
        in.v[k] = 2;
    vectors_norm(rows_of(&out), rows_of(&in), N_ROWS, WIDTH);
    for (uint32_t k = 0; k < WIDTH; k++)
        ck_assert_double_eq(at(&out, 0, k), 0);
    double mean = 0, square = 0;
    for (uint32_t k = 0; k < WIDTH; k++)
        mean += at(&in, 1, k) / WIDTH;
    for (uint32_t k = 0; k < WIDTH; k++)
        square += pow(at(&in, 1, k) - mean, 2) / WIDTH;
    for (uint32_t k = 0; k < WIDTH; k++)
        ck_assert_double_eq_tol(at(&out, 1, k), fmax(0, (at(&in, 1, k) - mean) / sqrt(square)),
                                1e-5);
}
END_TEST

// The same without anything becoming 0.
START_TEST(standards)
{
    struct matrix in = filled(1), out;
    double mean = 0, square = 0;
    vectors_standard(rows_of(&out), rows_of(&in), N_ROWS, WIDTH);
    for (uint32_t k = 0; k < WIDTH; k++)
        mean += at(&in, 5, k) / WIDTH;
    for (uint32_t k = 0; k < WIDTH; k++)
        square += pow(at(&in, 5, k) - mean, 2) / WIDTH;
    for (uint32_t k = 0; k < WIDTH; k++)
        ck_assert_double_eq_tol(at(&out, 5, k), (at(&in, 5, k) - mean) / sqrt(square), 1e-5);
}
END_TEST

// Sums, in place and with one row for all; a row's softmax, scale, SiLU, and products of two.
START_TEST(rows_of_tokens)
{
    struct matrix in = filled(1), with = filled(2), out = in;
    vectors_sum(rows_of(&out), rows_of(&out), rows_of(&with), N_ROWS, WIDTH);
    ck_assert_double_eq(at(&out, 5, 36), (float)(at(&in, 5, 36) + at(&with, 5, 36)));
    vectors_sum(rows_of(&out), rows_of(&in), (struct vectors_rows){with.v, 0}, N_ROWS, WIDTH);
    ck_assert_double_eq(at(&out, 5, 36), (float)(at(&in, 5, 36) + at(&with, 0, 36)));
    double sum = 0, dot = 0;
    for (uint32_t k = 0; k < WIDTH; k++) {
        sum += exp(at(&in, 0, k));
        dot += at(&in, 0, k) * at(&with, 0, k);
    }
    ck_assert_double_eq_tol((double)vectors_dot(in.v, with.v, WIDTH), dot, 1e-5);
    out = in;
    vectors_softmax(out.v, WIDTH);
    for (uint32_t k = 0; k < WIDTH; k++)
        ck_assert_double_eq_tol(at(&out, 0, k), exp(at(&in, 0, k)) / sum, RELATIVE);
    ck_assert_double_eq(at(&out, 0, WIDTH), at(&in, 0, WIDTH));
    out = in;
    vectors_activate(out.v, WIDTH, NETWORK_SILU);
    for (uint32_t k = 0; k < WIDTH; k++)
        ck_assert_double_eq_tol(at(&out, 0, k), at(&in, 0, k) / (1 + exp(-at(&in, 0, k))),
                                4 * RELATIVE);
    out = in;
    vectors_scale(out.v, WIDTH, 0.25f);
    vectors_add_scaled(out.v, with.v, WIDTH, -2);
    ck_assert_double_eq_tol(at(&out, 0, 36), at(&in, 0, 36) / 4 - 2 * at(&with, 0, 36), 1e-6);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", moves},    {"core", tangents}, {"core", gated_steps}, {"core", softmaxes},
        {"core", products}, {"core", norms},    {"core", standards},   {"core", rows_of_tokens},
    };
    return suite_run("vectors", tests, sizeof tests / sizeof *tests);
}
