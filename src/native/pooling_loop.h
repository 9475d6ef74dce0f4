// SPDX-License-Identifier: Apache-2.0
// The body of the pooling kernels, over vectors of LANES numbers. Not an interface.
#include <string.h>

#include "base/simd.h"
#include "native/pooling.h"

typedef float vec __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t mask __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

enum {
    LINE_NUMBERS = 16, // of a cache line
    MOST_VECTORS = 16, // of a row that is kept in registers; longer ones go piece by piece
    AHEAD_LINES = 64,  // asked for ahead: what a core can have under way, and what it will soon
    AHEAD_LEAST = 4,
};

// The stream of row numbers: `at` is summed next, `asked` has been asked for up to there.
struct stream {
    const float *values;
    const uint32_t *at, *end;
    uint32_t dim, ahead;
};

SIMD_INLINE void ask(const struct stream *stream, uint32_t row, uint32_t dim)
{
    const float *from = stream->values + (uint64_t)row * dim;
    for (uint32_t i = 0; i < dim; i += LINE_NUMBERS)
        __builtin_prefetch(from + i, 0, 3);
}

static struct stream stream_of(const struct pooling_job *job)
{
    uint32_t lines = (job->dim + LINE_NUMBERS - 1) / LINE_NUMBERS, ahead = AHEAD_LINES / lines;
    struct stream stream = {job->values, job->rows, job->rows + job->n_rows, job->dim,
                            ahead > AHEAD_LEAST ? ahead : AHEAD_LEAST};
    for (uint32_t i = 0; i < stream.ahead && i < job->n_rows; i++)
        ask(&stream, job->rows[i], job->dim);
    return stream;
}

// The sum of the next n rows, or of numbers from .. from + LANES * n_vec - 1 of each.
SIMD_INLINE void sum_rows(struct stream *stream, uint32_t n, uint32_t dim, uint32_t n_vec, vec *sum)
{
    for (uint32_t v = 0; v < n_vec; v++)
        sum[v] = (vec){0};
    for (uint32_t k = 0; k < n; k++, stream->at++) {
        if (stream->end - stream->at > (ptrdiff_t)stream->ahead)
            ask(stream, stream->at[stream->ahead], dim);
        const float *row = stream->values + (uint64_t)*stream->at * dim;
        for (uint32_t v = 0; v < n_vec; v++)
            sum[v] += *(const vec *)(row + v * LANES);
    }
}

SIMD_INLINE void sum_bag(struct stream *stream, const struct pooling_bag *bag, uint32_t item,
                         uint32_t dim)
{
    uint32_t n_vec = dim / LANES;
    float *out = bag->out + item * bag->stride;
    vec sum[MOST_VECTORS];
    sum_rows(stream, bag->n_rows, dim, n_vec, sum);
    for (uint32_t v = 0; v < n_vec; v++) {
        vec before = bag->adds ? *(const vec *)(out + v * LANES) : (vec){0};
        *(vec *)(out + v * LANES) = before + sum[v];
    }
}

SIMD_INLINE float across(vec v)
{
    float sum = 0;
    for (int half = LANES / 2; half >= 1; half /= 2)
        for (int i = 0; i < half; i++)
            v[i] += v[i + half];
    sum = v[0];
    return sum;
}

SIMD_INLINE float dot(const vec *a, const float *b, uint32_t n_vec)
{
    vec sum = {0};
    for (uint32_t v = 0; v < n_vec; v++)
        sum += a[v] * *(const vec *)(b + v * LANES);
    return across(sum);
}

SIMD_INLINE vec relu(vec v)
{
    return (vec)((mask)v & (mask)(v > 0));
}

SIMD_INLINE void weigh_units(struct stream *stream, const struct pooling_units *units,
                             uint32_t item, uint32_t dim)
{
    uint32_t n_vec = dim / LANES;
    const float *ad = units->ad + item * units->ad_stride;
    vec sum[MOST_VECTORS], total[MOST_VECTORS];
    for (uint32_t v = 0; v < n_vec; v++) {
        sum[v] = *(const vec *)(ad + v * LANES);
        total[v] = (vec){0};
    }
    float base = dot(sum, units->w_ad, n_vec) + units->bias;
    for (uint32_t u = 0; u < units->n_units; u++) {
        sum_rows(stream, units->rows_per_unit, dim, n_vec, sum);
        float weight = dot(sum, units->w_behaviour, n_vec) + base;
        weight = weight > 0 ? weight : 0;
        for (uint32_t v = 0; v < n_vec; v++)
            total[v] += relu(weight * *(const vec *)(units->w_out + v * LANES) +
                             *(const vec *)(units->b_out + v * LANES));
    }
    for (uint32_t v = 0; v < n_vec; v++)
        *(vec *)(units->out + item * units->out_stride + v * LANES) = total[v];
}

// All of a block; dim is a constant where this is called.
SIMD_INLINE void gather_rows(const struct pooling_job *job, uint32_t dim)
{
    struct stream stream = stream_of(job);
    for (uint32_t item = 0; item < job->n_items; item++) {
        for (uint32_t b = 0; b < job->n_bags; b++)
            sum_bag(&stream, &job->bags[b], item, dim);
        if (job->units && job->units->n_units > 0)
            weigh_units(&stream, job->units, item, dim);
    }
}

// ---- rows of any length -------------------------------------------------------------------------

static void sum_any(struct stream *stream, uint32_t n, float *out, bool adds)
{
    if (!adds)
        memset(out, 0, stream->dim * sizeof *out);
    for (uint32_t k = 0; k < n; k++, stream->at++) {
        if (stream->end - stream->at > (ptrdiff_t)stream->ahead)
            ask(stream, stream->at[stream->ahead], stream->dim);
        const float *row = stream->values + (uint64_t)*stream->at * stream->dim;
        for (uint32_t i = 0; i < stream->dim; i++)
            out[i] += row[i];
    }
}

static float dot_any(const float *a, const float *b, uint32_t n)
{
    float sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static void weigh_any(struct stream *stream, const struct pooling_units *units, uint32_t item)
{
    uint32_t dim = stream->dim;
    float *out = units->out + item * units->out_stride;
    float base = dot_any(units->ad + item * units->ad_stride, units->w_ad, dim) + units->bias;
    memset(out, 0, dim * sizeof *out);
    for (uint32_t u = 0; u < units->n_units; u++) {
        float weight = base;
        for (uint32_t k = 0; k < units->rows_per_unit; k++, stream->at++) {
            if (stream->end - stream->at > (ptrdiff_t)stream->ahead)
                ask(stream, stream->at[stream->ahead], dim);
            weight +=
                dot_any(stream->values + (uint64_t)*stream->at * dim, units->w_behaviour, dim);
        }
        weight = weight > 0 ? weight : 0;
        for (uint32_t i = 0; i < dim; i++) {
            float part = weight * units->w_out[i] + units->b_out[i];
            out[i] += part > 0 ? part : 0;
        }
    }
}

static void gather_any(const struct pooling_job *job)
{
    struct stream stream = stream_of(job);
    for (uint32_t item = 0; item < job->n_items; item++) {
        for (uint32_t b = 0; b < job->n_bags; b++) {
            const struct pooling_bag *bag = &job->bags[b];
            sum_any(&stream, bag->n_rows, bag->out + item * bag->stride, bag->adds);
        }
        if (job->units && job->units->n_units > 0)
            weigh_any(&stream, job->units, item);
    }
}

static void pooling_block(const struct pooling_job *job)
{
    switch (job->dim) {
    case 16:
        return gather_rows(job, 16);
    case 32:
        return gather_rows(job, 32);
    case 64:
        return gather_rows(job, 64);
    default:
        return gather_any(job);
    }
}
