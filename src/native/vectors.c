// SPDX-License-Identifier: Apache-2.0
#include "native/vectors.h"

#include <math.h>
#include <string.h>

#include "base/simd.h"

#define LN2 0.693147181f
#define PER_LN2 1.44269504f
#define NORM_LEAST 1e-5f // of a variance

static inline float *row_of(struct vectors_rows rows, size_t i)
{
    return rows.first + i * rows.stride;
}

// e^x: 2^k by the bits of a float, times a Taylor polynomial of what is left, |r| <= ln 2 / 2.
static inline float exp_of(float x)
{
    x = x < -87 ? -87 : x > 87 ? 87 : x;
    float shifted = x * PER_LN2 + 12582912.0f; // 1.5 * 2^23: the whole part is in the last bits
    float whole = shifted - 12582912.0f;
    float r = x - whole * LN2;
    float p =
        1 +
        r * (1 + r * (1.0f / 2 + r * (1.0f / 6 + r * (1.0f / 24 + r * (1.0f / 120 + r / 720)))));
    union {
        int32_t bits;
        float value;
    } scale = {.bits = ((int32_t)whole + 127) * (1 << 23)};
    return p * scale.value;
}

static inline float sigmoid_of(float x)
{
    return 1 / (1 + exp_of(-x));
}

static inline float tanh_of(float x)
{
    return 1 - 2 / (1 + exp_of(2 * x));
}

void vectors_copy(struct vectors_rows out, struct vectors_rows in, size_t n_rows, size_t width)
{
    for (size_t i = 0; i < n_rows; i++)
        memcpy(row_of(out, i), row_of(in, i), width * sizeof(float));
}

SIMD_CLONES static void pair(float *restrict out, const float *restrict in,
                             const float *restrict with, size_t width)
{
    for (size_t k = 0; k < width; k++) {
        out[k] = in[k];
        out[width + k] = in[k] + with[k];
        out[2 * width + k] = with[k];
    }
}

void vectors_pairs(struct vectors_rows out, struct vectors_rows in, struct vectors_rows with,
                   size_t n_rows, size_t n_with, size_t width)
{
    for (size_t i = 0; i < n_rows; i++)
        pair(row_of(out, i), row_of(in, i), row_of(with, i % n_with), width);
}

SIMD_CLONES static void add(float *restrict out, const float *restrict in, size_t width)
{
    for (size_t k = 0; k < width; k++)
        out[k] += in[k];
}

void vectors_fold(struct vectors_rows out, struct vectors_rows in, size_t n_rows, size_t n_parts,
                  size_t width)
{
    vectors_copy(out, in, n_rows, width);
    for (size_t part = 1; part < n_parts; part++)
        for (size_t i = 0; i < n_rows; i++)
            add(row_of(out, i), row_of(in, part * n_rows + i), width);
}

SIMD_CLONES static void tanh_row(float *restrict row, const float *restrict biases, size_t width)
{
    for (size_t k = 0; k < width; k++)
        row[k] = tanh_of(row[k] + biases[k]);
}

void vectors_tanh(struct vectors_rows rows, const float *biases, size_t n_rows, size_t width)
{
    for (size_t i = 0; i < n_rows; i++)
        tanh_row(row_of(rows, i), biases, width);
}

SIMD_CLONES static void relu_all(float *row, size_t width)
{
    for (size_t k = 0; k < width; k++)
        row[k] = row[k] > 0 ? row[k] : 0;
}

SIMD_CLONES static void sigmoid_all(float *row, size_t width)
{
    for (size_t k = 0; k < width; k++)
        row[k] = sigmoid_of(row[k]);
}

SIMD_CLONES static void tanh_all(float *row, size_t width)
{
    for (size_t k = 0; k < width; k++)
        row[k] = tanh_of(row[k]);
}

SIMD_CLONES static void silu_all(float *row, size_t width)
{
    for (size_t k = 0; k < width; k++)
        row[k] *= sigmoid_of(row[k]);
}

void vectors_activate(float *row, size_t width, enum network_activation activation)
{
    static void (*const all[])(float *, size_t) = {[NETWORK_RELU] = relu_all,
                                                   [NETWORK_SIGMOID] = sigmoid_all,
                                                   [NETWORK_TANH] = tanh_all,
                                                   [NETWORK_SILU] = silu_all};
    if (activation != NETWORK_LINEAR)
        all[activation](row, width);
}

SIMD_CLONES static void gru_row(const float *restrict inputs, const float *restrict before,
                                const float *restrict state, float *restrict next, size_t width)
{
    for (size_t k = 0; k < width; k++) {
        float reset = sigmoid_of(inputs[k] + before[k]);
        float update = sigmoid_of(inputs[width + k] + before[width + k]);
        float new = tanh_of(inputs[2 * width + k] + reset * before[2 * width + k]);
        next[k] = new + update *(state[k] - new);
    }
}

void vectors_gru_step(const struct vectors_gru *gru, size_t n_rows, size_t width)
{
    for (size_t i = 0; i < n_rows; i++)
        gru_row(row_of(gru->inputs, i), row_of(gru->before, i), row_of(gru->state, i),
                row_of(gru->next, i), width);
}

static float largest(const float *v, size_t n)
{
    float most = v[0];
    for (size_t k = 1; k < n; k++)
        most = v[k] > most ? v[k] : most;
    return most;
}

// In sixteen places at once: a sum of floats is not the compiler's to reorder.
enum { SIDES = 16 };

SIMD_CLONES static float sum_of(const float *v, size_t n)
{
    float sums[SIDES] = {0}, sum = 0;
    size_t k = 0;
    for (; k + SIDES <= n; k += SIDES)
        for (size_t s = 0; s < SIDES; s++)
            sums[s] += v[k + s];
    for (; k < n; k++)
        sum += v[k];
    for (size_t s = 0; s < SIDES; s++)
        sum += sums[s];
    return sum;
}

SIMD_CLONES static float dot(const float *restrict a, const float *restrict b, size_t n)
{
    float sums[SIDES] = {0}, sum = 0;
    size_t k = 0;
    for (; k + SIDES <= n; k += SIDES)
        for (size_t s = 0; s < SIDES; s++)
            sums[s] += a[k + s] * b[k + s];
    for (; k < n; k++)
        sum += a[k] * b[k];
    for (size_t s = 0; s < SIDES; s++)
        sum += sums[s];
    return sum;
}

SIMD_CLONES static void exp_row(float *restrict out, const float *restrict in, float shift,
                                size_t width)
{
    for (size_t k = 0; k < width; k++)
        out[k] = exp_of(in[k] - shift);
}

SIMD_CLONES static void scale_all(float *row, float scale, size_t width)
{
    for (size_t k = 0; k < width; k++)
        row[k] *= scale;
}

void vectors_scale(float *row, size_t width, float by)
{
    scale_all(row, by, width);
}

SIMD_CLONES static void exp_all(float *row, float shift, size_t width)
{
    for (size_t k = 0; k < width; k++)
        row[k] = exp_of(row[k] - shift);
}

void vectors_softmax(float *row, size_t width)
{
    exp_all(row, largest(row, width), width);
    scale_all(row, 1 / sum_of(row, width), width);
}

float vectors_dot(const float *a, const float *b, size_t width)
{
    return dot(a, b, width);
}

SIMD_CLONES static void add_scaled(float *restrict out, const float *restrict in, float scale,
                                   size_t width)
{
    for (size_t k = 0; k < width; k++)
        out[k] += scale * in[k];
}

void vectors_add_scaled(float *out, const float *in, size_t width, float by)
{
    add_scaled(out, in, by, width);
}

SIMD_CLONES static void scale_add(float *restrict out, float scale, const float *restrict in,
                                  size_t width)
{
    for (size_t k = 0; k < width; k++)
        out[k] = scale * out[k] + in[k];
}

void vectors_weigh(struct vectors_rows out, struct vectors_rows in, struct vectors_rows with,
                   size_t n_rows, size_t width)
{
    for (size_t i = 0; i < n_rows; i++) {
        float *to = row_of(out, i);
        const float *from = row_of(with, i);
        exp_row(to, from, largest(from, width), width);
        scale_add(to, 1 / sum_of(to, width), row_of(in, i), width);
    }
}

void vectors_dots(struct vectors_rows out, struct vectors_rows in, size_t n_rows, size_t n,
                  size_t dim)
{
    for (size_t i = 0; i < n_rows; i++) {
        float *to = row_of(out, i);
        const float *from = row_of(in, i);
        for (size_t a = 1; a < n; a++)
            for (size_t b = 0; b < a; b++)
                *to++ = dot(from + a * dim, from + b * dim, dim);
    }
}

SIMD_CLONES static void sum_two(float *out, const float *in, const float *with, size_t width)
{
    for (size_t k = 0; k < width; k++)
        out[k] = in[k] + with[k];
}

void vectors_sum(struct vectors_rows out, struct vectors_rows in, struct vectors_rows with,
                 size_t n_rows, size_t width)
{
    for (size_t i = 0; i < n_rows; i++)
        sum_two(row_of(out, i), row_of(in, i), row_of(with, i), width);
}

SIMD_CLONES static void multiply(float *restrict out, const float *restrict in,
                                 const float *restrict with, size_t width)
{
    for (size_t k = 0; k < width; k++)
        out[k] = in[k] * with[k];
}

void vectors_product(struct vectors_rows out, struct vectors_rows in, struct vectors_rows with,
                     size_t n_rows, size_t width)
{
    for (size_t i = 0; i < n_rows; i++)
        multiply(row_of(out, i), row_of(in, i), row_of(with, i), width);
}

SIMD_CLONES static void cross(float *restrict out, const float *restrict in,
                              const float *restrict with, size_t width)
{
    for (size_t k = 0; k < width; k++)
        out[k] = out[k] * with[k] + in[k];
}

void vectors_cross(struct vectors_rows out, struct vectors_rows in, struct vectors_rows with,
                   size_t n_rows, size_t width)
{
    for (size_t i = 0; i < n_rows; i++)
        cross(row_of(out, i), row_of(in, i), row_of(with, i), width);
}

SIMD_CLONES static void shift_scale(float *restrict out, const float *restrict in, float shift,
                                    float scale, size_t width)
{
    for (size_t k = 0; k < width; k++) {
        float v = (in[k] - shift) * scale;
        out[k] = v > 0 ? v : 0;
    }
}

SIMD_CLONES static void shift_scale_plain(float *restrict out, const float *restrict in,
                                          float shift, float scale, size_t width)
{
    for (size_t k = 0; k < width; k++)
        out[k] = (in[k] - shift) * scale;
}

// What a row is to be multiplied by, once its mean is gone.
static float scale_of(const float *row, float mean, size_t width)
{
    float variance = dot(row, row, width) / (float)width - mean * mean;
    return 1 / sqrtf(fmaxf(variance, NORM_LEAST));
}

void vectors_norm(struct vectors_rows out, struct vectors_rows in, size_t n_rows, size_t width)
{
    for (size_t i = 0; i < n_rows; i++) {
        const float *from = row_of(in, i);
        float mean = sum_of(from, width) / (float)width;
        shift_scale(row_of(out, i), from, mean, scale_of(from, mean, width), width);
    }
}

void vectors_standard(struct vectors_rows out, struct vectors_rows in, size_t n_rows, size_t width)
{
    for (size_t i = 0; i < n_rows; i++) {
        const float *from = row_of(in, i);
        float mean = sum_of(from, width) / (float)width;
        shift_scale_plain(row_of(out, i), from, mean, scale_of(from, mean, width), width);
    }
}
