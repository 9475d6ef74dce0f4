// SPDX-License-Identifier: Apache-2.0
#include "native/product.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "native/narrow.h"
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
    case NETWORK_SILU:
        return sum / (1 + exp(-sum));
    default:
        return sum;
    }
}

static double largest(const float *v, uint32_t n)
{
    double most = 0;
    for (uint32_t i = 0; i < n; i++)
        most = fmax(most, fabs(v[i]));
    return most;
}

// How far off a sum may be. fp32: 70 roundings of 2^-24 of 35, at the very most. A number of bf16
// is off by at most 2^-8 of itself, which is 0.42 of that at root mean square, mantissas being what
// they are; one of int8 by half of its row's largest / 127, evenly distributed. Each being off by
// itself, the variance of a product is that of one number times the other's square, both ways; six
// standard deviations of the sum. No activation makes more of it but SiLU, whose slope is 1.1 at
// most.
static double allowed(const struct plant *plant, const struct product_config *config, uint32_t row,
                      uint32_t o)
{
    enum model_format format = config->format;
    const float *in = plant->in + row * IN_STRIDE, *weights = plant->weights + o * IN;
    double variance = 0, in_step = largest(in, IN) / 127, weight_step = largest(weights, IN) / 127;
    for (uint32_t i = 0; i < IN; i++) {
        double x = in[i], w = weights[i];
        if (format == FORMAT_BF16)
            variance += 2 * x * x * w * w * 0x1p-16 * 0.42 * 0.42;
        else if (format == FORMAT_INT8)
            variance += (x * x * weight_step * weight_step + w * w * in_step * in_step) / 12;
    }
    return (config->activation == NETWORK_SILU ? 1.1 : 1) * (1.5e-4 + 6 * sqrt(variance));
}

static void check_rows(struct plant *plant, const struct product_config *config,
                       struct product_binding *binding, uint32_t rows)
{
    memcpy(plant->out, plant->before, sizeof plant->out);
    product_run(binding, rows, plant->in, plant->out);
    for (uint32_t row = 0; row < PARTS * MOST_ROWS; row++)
        for (uint32_t o = 0; o < OUT_STRIDE; o++) {
            uint32_t k = row * OUT_STRIDE + o;
            if (row < PARTS * rows && o < OUT)
                ck_assert_double_eq_tol(plant->out[k], expected(plant, config, row, o),
                                        allowed(plant, config, row, o));
            else
                ck_assert_float_eq(plant->out[k], plant->before[k]);
        }
}

static struct product_config config_of(const struct plant *plant, enum model_format format)
{
    return (struct product_config){.in = IN,
                                   .out = OUT,
                                   .in_stride = IN_STRIDE,
                                   .out_stride = OUT_STRIDE,
                                   .weights = plant->weights,
                                   .biases = plant->biases,
                                   .format = format,
                                   .parts = PARTS,
                                   .most_rows = MOST_ROWS};
}

// Every activation, with and without addition, for every number of rows of the ladder; columns and
// rows of others are left alone.
static void check_format(const struct product_maker *maker, enum model_format format)
{
    struct plant *plant = make_plant();
    struct product_config config = config_of(plant, format);
    for (int k = 0; k < 10; k++) {
        struct err err = {0};
        config.activation = (enum network_activation)(k / 2);
        config.adds = k % 2 == 1;
        struct product *product = product_create(maker, &config, &err);
        ck_assert_msg(product, "%s", err.text);
        struct product_binding *binding = product_bind(product);
        for (uint32_t rows = 1; rows <= MOST_ROWS; rows = product_rows(rows + 1))
            check_rows(plant, &config, binding, rows);
        ck_assert(strlen(product_kernel(product)) > 0);
        product_unbind(binding);
        product_destroy(product);
    }
    mem_free(plant);
}

START_TEST(equals_loops)
{
    struct err err = {0};
    struct product_maker *maker = product_maker_open(&err);
    if (maker)
        check_format(maker, FORMAT_FP32);
    ck_assert_msg(maker || strstr(err.text, "oneDNN is missing"), "%s", err.text);
    ck_assert(!maker || strncmp(product_maker_name(maker), "oneDNN ", 7) == 0);
    product_maker_close(maker);
}
END_TEST

// The same in the narrow formats, where the processor has them; weights take that much less.
START_TEST(narrow_ones_equal_loops)
{
    static const enum model_format formats[] = {FORMAT_BF16, FORMAT_INT8};
    static const double bytes[] = {2 * IN * OUT + 4 * OUT, IN * OUT + 12 * OUT};
    struct product_maker *maker = product_maker_open(NULL);
    for (int i = 0; maker && i < 2; i++)
        if (product_can(maker, formats[i], NULL) == 0) {
            struct plant *plant = make_plant();
            struct product_config config = config_of(plant, formats[i]);
            struct product *product = product_create(maker, &config, NULL);
            ck_assert_double_eq(product_bytes(product), bytes[i]);
            product_destroy(product);
            mem_free(plant);
            check_format(maker, formats[i]);
        }
    product_maker_close(maker);
}
END_TEST

// A format that the processor, or the library on it, has no instructions for is refused by one
// line; what the processor lacks, always.
START_TEST(refuses_what_processors_lack)
{
    static const enum model_format formats[] = {FORMAT_BF16, FORMAT_INT8, FORMAT_FP16};
    struct product_maker *maker = product_maker_open(NULL);
    struct plant *plant = make_plant();
    for (int i = 0; maker && i < 3; i++) {
        struct product_config config = config_of(plant, formats[i]);
        struct err err = {0};
        struct product *product = product_create(maker, &config, &err);
        ck_assert_int_eq(!product, product_can(maker, formats[i], NULL) != 0);
        ck_assert(!product || !narrow_lacks(formats[i]));
        if (narrow_lacks(formats[i]))
            ck_assert_msg(strstr(err.text, ": this processor has no "), "%s", err.text);
        else if (!product)
            ck_assert_msg(strstr(err.text, "does not use this processor's"), "%s", err.text);
        product_destroy(product);
    }
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
        {"core", narrow_ones_equal_loops},
        {"limits", ladder},
        {"limits", null_has_no_effect},
        {"errors", refuses_what_processors_lack},
    };
    return suite_run("product", tests, sizeof tests / sizeof *tests);
}
