// SPDX-License-Identifier: Apache-2.0
// The body of the pooling kernels, over vectors of LANES numbers. Not an interface.
#include <string.h>

#include "base/simd.h"
#include "native/pooling.h"

typedef float vec __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t mask __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

enum {
    LINE_NUMBERS = 16, // of a cache line
    MOST_VECTORS = 16, // of a row that is kept in registers
    AHEAD_LINES = 64,  // asked for ahead: what a core can have under way, and what it will soon
    AHEAD_LEAST = 4,
};

SIMD_INLINE void ask(const struct pooling_job *job, uint32_t row, uint32_t dim)
{
    const float *from = job->values + (uint64_t)row * dim;
    for (uint32_t i = 0; i < dim; i += LINE_NUMBERS)
        __builtin_prefetch(from + i, 0, 3);
}

static uint32_t ahead_of(uint32_t dim)
{
    uint32_t ahead = AHEAD_LINES / ((dim + LINE_NUMBERS - 1) / LINE_NUMBERS);
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
SIMD_INLINE void ask_next(struct cursor *cursor, bool by_table, const uint32_t *summed,
                          uint32_t dim)
{
    if (!by_table) {
        if (cursor->end - summed > (ptrdiff_t)cursor->ahead)
            ask(cursor->job, summed[cursor->ahead], dim);
    } else if (cursor->at != cursor->end) {
        ask(cursor->job, *cursor->at, dim);
        if (++cursor->at == cursor->end)
            cursor_move(cursor);
    }
}

static struct cursor begin(const struct pooling_job *job)
{
    struct cursor cursor = {.job = job, .at = job->rows, .ahead = ahead_of(job->dim)};
    size_t n = (size_t)job->n_items * job->rows_per_item;
    cursor.end = job->rows + (job->by_table && n > 0 ? job->bags[0].n_rows : n);
    for (uint32_t i = 0; i < cursor.ahead; i++)
        if (job->by_table)
            ask_next(&cursor, true, NULL, job->dim);
        else if (i < n)
            ask(job, job->rows[i], job->dim);
    return cursor;
}

// The sum of n rows, of which as many further ones are asked for.
SIMD_INLINE void sum_rows(struct cursor *cursor, bool by_table, const uint32_t *rows, uint32_t n,
                          uint32_t dim, vec *sum)
{
    for (uint32_t v = 0; v < dim / LANES; v++)
        sum[v] = (vec){0};
    for (uint32_t k = 0; k < n; k++) {
        ask_next(cursor, by_table, rows + k, dim);
        const float *row = cursor->job->values + (uint64_t)rows[k] * dim;
        for (uint32_t v = 0; v < dim / LANES; v++)
            sum[v] += *(const vec *)(row + v * LANES);
    }
}

// The next bag's sum, for an item.
SIMD_INLINE void sum_bag(struct cursor *cursor, bool by_table, const struct pooling_bag *bag,
                         uint32_t item, const uint32_t *rows, uint32_t dim)
{
    float *out = bag->out + item * bag->stride;
    vec sum[MOST_VECTORS];
    sum_rows(cursor, by_table, rows, bag->n_rows, dim, sum);
    for (uint32_t v = 0; v < dim / LANES; v++) {
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
                             uint32_t item, const uint32_t *rows, uint32_t dim)
{
    const vec *ad = (const vec *)(units->ad + item * units->ad_stride);
    float base = dot(ad, units->w_ad, dim) + units->bias;
    vec sum[MOST_VECTORS], total[MOST_VECTORS];
    for (uint32_t v = 0; v < dim / LANES; v++)
        total[v] = (vec){0};
    for (uint32_t u = 0; u < units->n_units; u++, rows += units->rows_per_unit) {
        sum_rows(cursor, false, rows, units->rows_per_unit, dim, sum);
        float weight = dot(sum, units->w_behaviour, dim) + base;
        weight = weight > 0 ? weight : 0;
        for (uint32_t v = 0; v < dim / LANES; v++)
            total[v] += relu(weight * *(const vec *)(units->w_out + v * LANES) +
                             *(const vec *)(units->b_out + v * LANES));
    }
    for (uint32_t v = 0; v < dim / LANES; v++)
        *(vec *)(units->out + item * units->out_stride + v * LANES) = total[v];
}

SIMD_INLINE void pool_by_item(const struct pooling_job *job, uint32_t dim)
{
    struct cursor cursor = begin(job);
    for (uint32_t item = 0; item < job->n_items; item++) {
        const uint32_t *rows = job->rows + (size_t)item * job->rows_per_item;
        for (uint32_t b = 0; b < job->n_bags; rows += job->bags[b++].n_rows)
            sum_bag(&cursor, false, &job->bags[b], item, rows, dim);
        if (job->units && job->units->n_units > 0)
            weigh_units(&cursor, job->units, item, rows, dim);
    }
}

SIMD_INLINE void pool_by_table(const struct pooling_job *job, uint32_t dim)
{
    struct cursor cursor = begin(job);
    const uint32_t *rows = job->rows;
    for (uint32_t b = 0; b < job->n_bags; rows += job->bags[b++].n_rows)
        for (uint32_t item = 0; item < job->n_items; item++)
            sum_bag(&cursor, true, &job->bags[b], item, rows + (size_t)item * job->rows_per_item,
                    dim);
}

// All of a job; dim is a constant where this is called.
SIMD_INLINE void pool_rows(const struct pooling_job *job, uint32_t dim)
{
    if (job->by_table)
        pool_by_table(job, dim);
    else
        pool_by_item(job, dim);
}

// ---- rows of any length -------------------------------------------------------------------------

static void sum_any(const struct pooling_job *job, const struct pooling_bag *bag, uint32_t item,
                    const uint32_t *rows)
{
    float *out = bag->out + item * bag->stride;
    if (!bag->adds)
        memset(out, 0, job->dim * sizeof *out);
    for (uint32_t k = 0; k < bag->n_rows; k++) {
        const float *row = job->values + (uint64_t)rows[k] * job->dim;
        for (uint32_t i = 0; i < job->dim; i++)
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

static void weigh_any(const struct pooling_job *job, uint32_t item, const uint32_t *rows)
{
    const struct pooling_units *units = job->units;
    float *out = units->out + item * units->out_stride;
    float base = dot_any(units->ad + item * units->ad_stride, units->w_ad, job->dim) + units->bias;
    memset(out, 0, job->dim * sizeof *out);
    for (uint32_t u = 0; u < units->n_units; u++) {
        float weight = base;
        for (uint32_t k = 0; k < units->rows_per_unit; k++, rows++)
            weight +=
                dot_any(job->values + (uint64_t)*rows * job->dim, units->w_behaviour, job->dim);
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

static void pooling_block(const struct pooling_job *job)
{
    switch (job->dim) {
    case 16:
        return pool_rows(job, 16);
    case 32:
        return pool_rows(job, 32);
    case 64:
        return pool_rows(job, 64);
    default:
        return pool_any(job);
    }
}
