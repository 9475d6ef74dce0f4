// SPDX-License-Identifier: Apache-2.0
// The body of the pooling kernels, over vectors of LANES numbers. Not an interface.
#include <string.h>

#include "base/simd.h"
#include "native/narrow.h"
#include "native/pooling.h"

typedef float vec __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t mask __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef uint32_t words __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef uint16_t halves __attribute__((vector_size(2 * LANES), aligned(2), may_alias));
typedef int16_t shorts __attribute__((vector_size(2 * LANES), aligned(2), may_alias));
typedef int8_t bytes __attribute__((vector_size(LANES), aligned(1), may_alias));

enum {
    LINE_BYTES = 64,   // of a cache line
    MOST_VECTORS = 16, // of a row that is kept in registers
    AHEAD_LINES = 64,  // asked for ahead: what a core can have under way, and what it will soon
    AHEAD_LEAST = 4,
};

// Constants where the body is called.
struct shape {
    uint32_t dim;
    enum model_format format;
    bool by_table;
};

SIMD_INLINE const char *row_at(const struct pooling_job *job, uint32_t row, struct shape shape)
{
    return (const char *)job->values + row * (uint64_t)narrow_row_bytes(shape.format, shape.dim);
}

// Numbers at .. at + LANES - 1 of a row, of int8 before they are scaled. In steps of twice the
// size, for which there are instructions.
SIMD_INLINE vec numbers_at(const char *row, uint32_t at, enum model_format format)
{
    if (format == FORMAT_BF16)
        return (vec)(__builtin_convertvector(*(const halves *)(row + 2 * at), words) << 16);
    if (format == FORMAT_INT8) {
        shorts twice = __builtin_convertvector(*(const bytes *)(row + at), shorts);
        return __builtin_convertvector(__builtin_convertvector(twice, mask), vec);
    }
    return *(const vec *)(row + 4 * at);
}

SIMD_INLINE float scale_of(const char *row, struct shape shape)
{
    float scale;
    memcpy(&scale, row + shape.dim, sizeof scale);
    return scale;
}

// Rows of int8 do not begin with a line: the last of their bytes may be in one more.
SIMD_INLINE void ask(const struct pooling_job *job, uint32_t row, struct shape shape)
{
    const char *from = row_at(job, row, shape);
    size_t n = narrow_row_bytes(shape.format, shape.dim);
    for (size_t i = 0; i < n; i += LINE_BYTES)
        __builtin_prefetch(from + i, 0, 3);
    if (shape.format == FORMAT_INT8)
        __builtin_prefetch(from + n - 1, 0, 3);
}

static uint32_t ahead_of(struct shape shape)
{
    size_t bytes = narrow_row_bytes(shape.format, shape.dim);
    uint32_t ahead = AHEAD_LINES / (uint32_t)((bytes + LINE_BYTES - 1) / LINE_BYTES);
    return ahead > AHEAD_LEAST ? ahead : AHEAD_LEAST;
}

// Which row is asked for next. By item it is that of the list `ahead` rows behind the one that is
// summed; by table it has a place of its own, which goes from bag to bag and in each from item to
// item.
struct cursor {
    const struct pooling_job *job;
    const uint32_t *at, *end; // of rows that follow one another in the list
    uint32_t ahead, bag, first, item;
};

static void cursor_move(struct cursor *cursor)
{
    const struct pooling_job *job = cursor->job;
    if (cursor->bag == job->n_bags)
        return;
    if (++cursor->item == job->n_items) {
        cursor->item = 0;
        cursor->first += job->bags[cursor->bag++].n_rows;
        if (cursor->bag == job->n_bags)
            return;
    }
    cursor->at = job->rows + (size_t)cursor->item * job->rows_per_item + cursor->first;
    cursor->end = cursor->at + job->bags[cursor->bag].n_rows;
}

// `summed` is the place in the list of what is summed now.
SIMD_INLINE void ask_next(struct cursor *cursor, const uint32_t *summed, struct shape shape)
{
    if (!shape.by_table) {
        if (cursor->end - summed > (ptrdiff_t)cursor->ahead)
            ask(cursor->job, summed[cursor->ahead], shape);
    } else if (cursor->at != cursor->end) {
        ask(cursor->job, *cursor->at, shape);
        if (++cursor->at == cursor->end)
            cursor_move(cursor);
    }
}

SIMD_INLINE struct cursor begin(const struct pooling_job *job, struct shape shape)
{
    struct cursor cursor = {.job = job, .at = job->rows, .ahead = ahead_of(shape)};
    size_t n = (size_t)job->n_items * job->rows_per_item;
    cursor.end = job->rows + (job->by_table && n > 0 ? job->bags[0].n_rows : n);
    for (uint32_t i = 0; i < cursor.ahead; i++)
        if (job->by_table)
            ask_next(&cursor, NULL, shape);
        else if (i < n)
            ask(job, job->rows[i], shape);
    return cursor;
}

// The sum of n rows, of which as many further ones are asked for.
SIMD_INLINE void sum_rows(struct cursor *cursor, const uint32_t *rows, uint32_t n,
                          struct shape shape, vec *sum)
{
    for (uint32_t v = 0; v < shape.dim / LANES; v++)
        sum[v] = (vec){0};
    for (uint32_t k = 0; k < n; k++) {
        ask_next(cursor, rows + k, shape);
        const char *row = row_at(cursor->job, rows[k], shape);
        float scale = shape.format == FORMAT_INT8 ? scale_of(row, shape) : 1;
        for (uint32_t v = 0; v < shape.dim / LANES; v++) {
            vec numbers = numbers_at(row, v * LANES, shape.format);
            if (shape.format == FORMAT_INT8)
                numbers *= scale;
            sum[v] += numbers;
        }
    }
}

// The next bag's sum, for an item.
SIMD_INLINE void sum_bag(struct cursor *cursor, const struct pooling_bag *bag, uint32_t item,
                         const uint32_t *rows, struct shape shape)
{
    float *out = bag->out + item * bag->stride;
    vec sum[MOST_VECTORS];
    sum_rows(cursor, rows, bag->n_rows, shape, sum);
    for (uint32_t v = 0; v < shape.dim / LANES; v++) {
        vec before = bag->adds ? *(const vec *)(out + v * LANES) : (vec){0};
        *(vec *)(out + v * LANES) = before + sum[v];
    }
}

SIMD_INLINE float across(vec v)
{
    union {
        vec v;
        float x[LANES];
    } all = {v};
    for (int half = LANES / 2; half >= 1; half /= 2)
        for (int i = 0; i < half; i++)
            all.x[i] += all.x[i + half];
    return all.x[0];
}

SIMD_INLINE float dot(const vec *a, const float *b, uint32_t dim)
{
    vec sum = {0};
    for (uint32_t v = 0; v < dim / LANES; v++)
        sum += a[v] * *(const vec *)(b + v * LANES);
    return across(sum);
}

SIMD_INLINE vec relu(vec v)
{
    return (vec)((mask)v & (mask)(v > 0));
}

SIMD_INLINE void weigh_units(struct cursor *cursor, const struct pooling_units *units,
                             uint32_t item, const uint32_t *rows, struct shape shape)
{
    uint32_t dim = shape.dim;
    const vec *ad = (const vec *)(units->ad + item * units->ad_stride);
    float base = dot(ad, units->w_ad, dim) + units->bias;
    vec sum[MOST_VECTORS], total[MOST_VECTORS];
    for (uint32_t v = 0; v < dim / LANES; v++)
        total[v] = (vec){0};
    for (uint32_t u = 0; u < units->n_units; u++, rows += units->rows_per_unit) {
        sum_rows(cursor, rows, units->rows_per_unit, shape, sum);
        float weight = dot(sum, units->w_behaviour, dim) + base;
        weight = weight > 0 ? weight : 0;
        for (uint32_t v = 0; v < dim / LANES; v++)
            total[v] += relu(weight * *(const vec *)(units->w_out + v * LANES) +
                             *(const vec *)(units->b_out + v * LANES));
    }
    for (uint32_t v = 0; v < dim / LANES; v++)
        *(vec *)(units->out + item * units->out_stride + v * LANES) = total[v];
}

SIMD_INLINE void pool_by_item(const struct pooling_job *job, struct shape shape)
{
    struct cursor cursor = begin(job, shape);
    for (uint32_t item = 0; item < job->n_items; item++) {
        const uint32_t *rows = job->rows + (size_t)item * job->rows_per_item;
        for (uint32_t b = 0; b < job->n_bags; rows += job->bags[b++].n_rows)
            sum_bag(&cursor, &job->bags[b], item, rows, shape);
        if (job->units && job->units->n_units > 0)
            weigh_units(&cursor, job->units, item, rows, shape);
    }
}

SIMD_INLINE void pool_by_table(const struct pooling_job *job, struct shape shape)
{
    struct cursor cursor = begin(job, shape);
    const uint32_t *rows = job->rows;
    for (uint32_t b = 0; b < job->n_bags; rows += job->bags[b++].n_rows)
        for (uint32_t item = 0; item < job->n_items; item++)
            sum_bag(&cursor, &job->bags[b], item, rows + (size_t)item * job->rows_per_item, shape);
}

// All of a job; dim and format are constants where this is called.
SIMD_INLINE void pool_rows(const struct pooling_job *job, uint32_t dim, enum model_format format)
{
    if (job->by_table)
        pool_by_table(job, (struct shape){dim, format, true});
    else
        pool_by_item(job, (struct shape){dim, format, false});
}

// ---- rows of any length -------------------------------------------------------------------------

static float number_at(const struct pooling_job *job, uint32_t row, uint32_t i)
{
    struct shape shape = {job->dim, job->format, false};
    const char *at = row_at(job, row, shape);
    if (job->format == FORMAT_BF16)
        return narrow_wide(((const uint16_t *)(const void *)at)[i]);
    if (job->format == FORMAT_INT8)
        return scale_of(at, shape) * (float)((const int8_t *)at)[i];
    return ((const float *)(const void *)at)[i];
}

static void sum_any(const struct pooling_job *job, const struct pooling_bag *bag, uint32_t item,
                    const uint32_t *rows)
{
    float *out = bag->out + item * bag->stride;
    if (!bag->adds)
        memset(out, 0, job->dim * sizeof *out);
    for (uint32_t k = 0; k < bag->n_rows; k++)
        for (uint32_t i = 0; i < job->dim; i++)
            out[i] += number_at(job, rows[k], i);
}

static float dot_any(const float *a, const float *b, uint32_t n)
{
    float sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static void weigh_any(const struct pooling_job *job, uint32_t item, const uint32_t *rows)
{
    const struct pooling_units *units = job->units;
    float *out = units->out + item * units->out_stride;
    float base = dot_any(units->ad + item * units->ad_stride, units->w_ad, job->dim) + units->bias;
    memset(out, 0, job->dim * sizeof *out);
    for (uint32_t u = 0; u < units->n_units; u++) {
        float weight = base;
        for (uint32_t k = 0; k < units->rows_per_unit; k++, rows++)
            for (uint32_t i = 0; i < job->dim; i++)
                weight += number_at(job, *rows, i) * units->w_behaviour[i];
        weight = weight > 0 ? weight : 0;
        for (uint32_t i = 0; i < job->dim; i++) {
            float part = weight * units->w_out[i] + units->b_out[i];
            out[i] += part > 0 ? part : 0;
        }
    }
}

// By item, and nothing asked for: rows of such lengths are rare.
static void pool_any(const struct pooling_job *job)
{
    for (uint32_t item = 0; item < job->n_items; item++) {
        const uint32_t *rows = job->rows + (size_t)item * job->rows_per_item;
        for (uint32_t b = 0; b < job->n_bags; rows += job->bags[b++].n_rows) {
            sum_any(job, &job->bags[b], item, rows);
        }
        if (job->units && job->units->n_units > 0)
            weigh_any(job, item, rows);
    }
}

// The body for each format, of rows of `dim` numbers.
#define POOL(dim)                                                                                  \
    (job->format == FORMAT_BF16   ? pool_rows(job, dim, FORMAT_BF16)                               \
     : job->format == FORMAT_INT8 ? pool_rows(job, dim, FORMAT_INT8)                               \
                                  : pool_rows(job, dim, FORMAT_FP32))

static void pooling_block(const struct pooling_job *job)
{
    switch (job->dim) {
    case 16:
        return POOL(16);
    case 32:
        return POOL(32);
    case 64:
        return POOL(64);
    default:
        return pool_any(job);
    }
}
