// SPDX-License-Identifier: Apache-2.0
#include "native/product.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "support/suite.h"

enum { IN = 70, OUT = 33, IN_STRIDE = 80, OUT_STRIDE = 50, PARTS = 2, MOST_ROWS = 20 };

struct plant {
    float weights[OUT * IN], biases[OUT];
    float in[PARTS * MOST_ROWS * IN_STRIDE], out[PARTS * MOST_ROWS * OUT_STRIDE];
    float before[PARTS * MOST_ROWS * OUT_STRIDE];
};

static void fill(float *v, size_t n, double seed)
{
    for (size_t i = 0; i < n; i++)
        v[i] = (float)sin(seed + 0.37 * (double)i);
}

static struct plant *make_plant(void)
{
    struct plant *plant = mem_aligned(64, sizeof *plant);
    fill(plant->weights, OUT * IN, 1);
    fill(plant->biases, OUT, 2);
    fill(plant->in, PARTS * MOST_ROWS * IN_STRIDE, 3);
    fill(plant->before, PARTS * MOST_ROWS * OUT_STRIDE, 4);
    return plant;
}

static double expected(const struct plant *plant, const struct product_config *config, uint32_t row,
                       uint32_t o)
{
    double sum = plant->biases[o];
    for (uint32_t i = 0; i < IN; i++)
        sum += (double)plant->in[row * IN_STRIDE + i] * plant->weights[o * IN + i];
    if (config->adds)
        sum += plant->before[row * OUT_STRIDE + o];
    switch (config->activation) {
    case NETWORK_RELU:
        return fmax(sum, 0);
    case NETWORK_SIGMOID:
        return 1 / (1 + exp(-sum));
    case NETWORK_TANH:
        return tanh(sum);
    default:
        return sum;
    }
}

// A sum of 70 products of size 1/2 at most: 70 roundings of 2^-24 of 35, at the very most.
static void check_rows(struct plant *plant, const struct product_config *config,
                       struct product_binding *binding, uint32_t rows)
{
    memcpy(plant->out, plant->before, sizeof plant->out);
    product_run(binding, rows, plant->in, plant->out);
    for (uint32_t row = 0; row < PARTS * MOST_ROWS; row++)
        for (uint32_t o = 0; o < OUT_STRIDE; o++) {
            uint32_t k = row * OUT_STRIDE + o;
            if (row < PARTS * rows && o < OUT)
                ck_assert_double_eq_tol(plant->out[k], expected(plant, config, row, o), 1.5e-4);
            else
                ck_assert_float_eq(plant->out[k], plant->before[k]);
        }
}

// Every activation, with and without addition, for every number of rows of the ladder; columns and
// rows of others are left alone.
START_TEST(equals_loops)
{
    struct err err = {0};
    struct product_maker *maker = product_maker_open(&err);
    struct plant *plant = make_plant();
    for (int k = 0; maker && k < 8; k++) {
        struct product_config config = {.in = IN,
                                        .out = OUT,
                                        .in_stride = IN_STRIDE,
                                        .out_stride = OUT_STRIDE,
                                        .weights = plant->weights,
                                        .biases = plant->biases,
                                        .activation = (enum network_activation)(k / 2),
                                        .adds = k % 2 == 1,
                                        .parts = PARTS,
                                        .most_rows = MOST_ROWS};
        struct product *product = product_create(maker, &config, &err);
        ck_assert_msg(product, "%s", err.text);
        struct product_binding *binding = product_bind(product);
        for (uint32_t rows = 1; rows <= MOST_ROWS; rows = product_rows(rows + 1))
            check_rows(plant, &config, binding, rows);
        ck_assert(strlen(product_kernel(product)) > 0);
        product_unbind(binding);
        product_destroy(product);
    }
    ck_assert_msg(maker || strstr(err.text, "oneDNN is missing"), "%s", err.text);
    ck_assert(!maker || strncmp(product_maker_name(maker), "oneDNN ", 7) == 0);
    mem_free(plant);
    product_maker_close(maker);
}
END_TEST

// A step of the ladder is at most an eighth above what was asked for, and its own.
START_TEST(ladder)
{
    for (uint32_t n = 1; n <= 2000; n++) {
        uint32_t rows = product_rows(n);
        ck_assert_uint_ge(rows, n);
        ck_assert_uint_le(8 * (rows - n), n + 7);
        ck_assert_uint_eq(product_rows(rows), rows);
    }
}
END_TEST

// Nothing to release is no mistake.
START_TEST(null_has_no_effect)
{
    product_unbind(NULL);
    product_destroy(NULL);
    product_maker_close(NULL);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", equals_loops},
        {"limits", ladder},
        {"limits", null_has_no_effect},
    };
    return suite_run("product", tests, sizeof tests / sizeof *tests);
}
