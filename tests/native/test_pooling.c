// SPDX-License-Identifier: Apache-2.0
#include "native/pooling.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "native/narrow.h"
#include "support/suite.h"

enum { N_ROWS = 500, N_ITEMS = 7, STRIDE = 400, MOST_DIM = 128, MANY_UNITS = 5, PER_UNIT = 3 };

// Two bags that are summed, one alone, and units; numbers are eighths, so that sums are exact in
// any order.
struct plant {
    float values[N_ROWS * MOST_DIM], out[N_ITEMS * STRIDE], weights[4 * MOST_DIM];
    char narrow[N_ROWS * 4 * MOST_DIM + N_ROWS * 4];
    uint32_t rows[N_ITEMS * 64];
    struct pooling_bag bags[3];
    struct pooling_units units;
    struct pooling_job job;
};

static uint64_t word(uint64_t i)
{
    struct rng_stream stream = rng_stream(5, RNG_TEST, 0);
    uint64_t words[2];
    rng_block(&stream, i, words);
    return words[0];
}

static void make_plant(struct plant *plant, uint32_t dim)
{
    memset(plant, 0, sizeof *plant);
    for (uint32_t i = 0; i < N_ROWS * dim; i++)
        plant->values[i] = (float)((int64_t)(word(i) % 65) - 32) / 8;
    for (uint32_t i = 0; i < 4 * dim; i++)
        plant->weights[i] = (float)((int64_t)(word(i + 100000) % 9) - 4) / 8;
    plant->bags[0] = (struct pooling_bag){4, false, plant->out, STRIDE};
    plant->bags[1] = (struct pooling_bag){1, true, plant->out, STRIDE};
    plant->bags[2] = (struct pooling_bag){9, false, plant->out + dim, STRIDE};
    plant->units = (struct pooling_units){.n_units = MANY_UNITS,
                                          .rows_per_unit = PER_UNIT,
                                          .w_behaviour = plant->weights,
                                          .w_ad = plant->weights + dim,
                                          .w_out = plant->weights + 2 * dim,
                                          .b_out = plant->weights + 3 * dim,
                                          .bias = 0.25f,
                                          .ad = plant->out + dim,
                                          .ad_stride = STRIDE,
                                          .out = plant->out + 2 * dim,
                                          .out_stride = STRIDE};
    uint32_t per_item = 4 + 1 + 9 + MANY_UNITS * PER_UNIT;
    for (uint32_t i = 0; i < N_ITEMS * per_item; i++)
        plant->rows[i] = (uint32_t)(word(i + 200000) % N_ROWS);
    plant->job = (struct pooling_job){.values = plant->values,
                                      .dim = dim,
                                      .n_bags = 3,
                                      .n_items = N_ITEMS,
                                      .bags = plant->bags,
                                      .units = &plant->units,
                                      .rows = plant->rows,
                                      .rows_per_item = per_item};
}

// The same values in another format, exactly: eighths of whole numbers up to 32.
static void narrow_values(struct plant *plant, enum model_format format)
{
    uint32_t dim = plant->job.dim;
    float scale = 0.125f;
    for (uint32_t i = 0; i < N_ROWS && format != FORMAT_FP32; i++) {
        char *row = plant->narrow + i * narrow_row_bytes(format, dim);
        if (format == FORMAT_BF16)
            narrow_bf16((uint16_t *)(void *)row, plant->values + i * dim, dim);
        for (uint32_t k = 0; k < dim && format == FORMAT_INT8; k++)
            ((int8_t *)row)[k] = (int8_t)(plant->values[i * dim + k] / scale);
        if (format == FORMAT_INT8)
            memcpy(row + dim, &scale, sizeof scale);
    }
    plant->job.format = format;
    plant->job.values = format == FORMAT_FP32 ? (void *)plant->values : plant->narrow;
}

static float sum_of(const struct plant *plant, const uint32_t *rows, uint32_t n, uint32_t i)
{
    float sum = 0;
    for (uint32_t k = 0; k < n; k++)
        sum += plant->values[rows[k] * plant->job.dim + i];
    return sum;
}

static float unit_of(const struct plant *plant, const uint32_t *rows, const float *ad, uint32_t i)
{
    uint32_t dim = plant->job.dim;
    const float *w = plant->weights;
    float weight = 0.25f;
    for (uint32_t k = 0; k < dim; k++)
        weight += sum_of(plant, rows, PER_UNIT, k) * w[k] + ad[k] * w[dim + k];
    return fmaxf(0, fmaxf(0, weight) * w[2 * dim + i] + w[3 * dim + i]);
}

static void check_item(const struct plant *plant, uint32_t item)
{
    uint32_t dim = plant->job.dim, per_item = plant->job.rows_per_item;
    const uint32_t *rows = plant->rows + item * per_item;
    const float *out = plant->out + item * STRIDE;
    for (uint32_t i = 0; i < dim; i++) {
        float units = 0;
        for (uint32_t u = 0; u < MANY_UNITS && plant->job.units; u++)
            units += unit_of(plant, rows + 14 + u * PER_UNIT, out + dim, i);
        ck_assert_float_eq(out[i], sum_of(plant, rows, 5, i));
        ck_assert_float_eq(out[dim + i], sum_of(plant, rows + 5, 9, i));
        ck_assert_float_eq(out[2 * dim + i], units);
    }
    for (uint32_t i = 3 * dim; i < STRIDE; i++)
        ck_assert_float_eq(out[i], 0);
}

static void check_kernel(const struct pooling_kernel *kernel, enum model_format format)
{
    static const uint32_t dims[] = {1, 16, 32, 50, 64, 128};
    struct plant *plant = mem_aligned(64, sizeof *plant);
    for (size_t d = 0; d < sizeof dims / sizeof *dims; d++) {
        make_plant(plant, dims[d]);
        narrow_values(plant, format);
        kernel->run(&plant->job);
        for (uint32_t item = 0; item < N_ITEMS; item++)
            check_item(plant, item);
        plant->job.by_table = true; // and once more, over what is there, without units
        plant->job.units = NULL;
        memset(plant->out, 0, N_ITEMS * STRIDE * sizeof *plant->out);
        kernel->run(&plant->job);
        for (uint32_t item = 0; item < N_ITEMS; item++)
            check_item(plant, item);
    }
    mem_free(plant);
}

// Every kernel of this processor sums what a loop sums, for rows of the usual lengths and others,
// in every format, and writes nothing else.
START_TEST(kernels_equal_loops)
{
    for (size_t k = 0; pooling_kernels[k]; k++)
        if (pooling_kernels[k]->supported()) {
            check_kernel(pooling_kernels[k], FORMAT_FP32);
            check_kernel(pooling_kernels[k], FORMAT_BF16);
            check_kernel(pooling_kernels[k], FORMAT_INT8);
        }
}
END_TEST

// The widest vectors are tried first, and what any machine has, last.
START_TEST(widest_first)
{
    ck_assert_ptr_eq(pooling_kernels[0], &pooling_avx512);
    ck_assert_ptr_eq(pooling_kernels[1], &pooling_avx2);
    ck_assert_ptr_eq(pooling_kernels[2], &pooling_portable);
    ck_assert_ptr_null(pooling_kernels[3]);
    ck_assert(pooling_portable.supported());
}
END_TEST

// A job without units or items does nothing; the best kernel is one that there is.
START_TEST(nothing_to_gather)
{
    struct plant *plant = mem_aligned(64, sizeof *plant);
    make_plant(plant, 32);
    plant->job.n_items = 0;
    pooling_best()->run(&plant->job);
    for (uint32_t i = 0; i < N_ITEMS * STRIDE; i++)
        ck_assert_float_eq(plant->out[i], 0);
    ck_assert(pooling_best()->supported());
    mem_free(plant);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", kernels_equal_loops},
        {"core", widest_first},
        {"limits", nothing_to_gather},
    };
    return suite_run("pooling", tests, sizeof tests / sizeof *tests);
}
