// SPDX-License-Identifier: Apache-2.0
#include "native/narrow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

enum { N = 77 };

static void fill(float *v, double from)
{
    for (int i = 0; i < N; i++)
        v[i] = (float)(exp(2 * sin(from + i)) * cos(3 * from + 2 * i));
}

// To the nearest of 8 bits, of two as near to the even one; what has no more bits stays.
START_TEST(bf16_is_the_nearest)
{
    static const float in[] = {0,  -0.0f, 1, -1.5f, 1 + 0x1p-8f, 1 + 3 * 0x1p-8f, 1 + 0x1.1p-8f,
                               255};
    static const float out[] = {0, -0.0f, 1, -1.5f, 1, 1 + 0x1p-6f, 1 + 0x1p-7f, 255};
    float many[N];
    uint16_t bf16[N];
    narrow_bf16(bf16, in, 8);
    for (int i = 0; i < 8; i++)
        ck_assert_float_eq(narrow_wide(bf16[i]), out[i]);
    fill(many, 1);
    narrow_bf16(bf16, many, N);
    for (int i = 0; i < N; i++)
        ck_assert_float_le(fabsf(narrow_wide(bf16[i]) - many[i]), 0x1p-8f * fabsf(many[i]));
}
END_TEST

// Half a step at most is lost, of activations and of weights; the largest is 127 steps.
START_TEST(int8_is_the_nearest)
{
    float in[N], scale, weight_scale, most = 0;
    uint8_t raised[N];
    int8_t plain[N];
    int32_t sum, total = 0, extreme = 0;
    fill(in, 2);
    for (int i = 0; i < N; i++)
        most = fmaxf(most, fabsf(in[i]));
    narrow_int8(raised, &scale, in, N);
    narrow_weights(plain, &weight_scale, &sum, in, N);
    ck_assert_float_eq(scale, most / 127);
    ck_assert_float_eq(weight_scale, scale);
    for (int i = 0; i < N; i++) {
        int32_t step = raised[i] - NARROW_ZERO;
        ck_assert_int_eq(step, plain[i]);
        ck_assert_float_le(fabsf((float)step * scale - in[i]), 0.5001f * scale);
        total += step;
        extreme = abs(step) > extreme ? abs(step) : extreme;
    }
    ck_assert_int_eq(sum, total);
    ck_assert_int_eq(extreme, NARROW_MOST);
}
END_TEST

// Nothing but zeros stays so.
START_TEST(zeros_stay)
{
    float in[N] = {0}, scale = 5;
    uint8_t raised[N];
    narrow_int8(raised, &scale, in, N);
    ck_assert_float_eq(scale, 0);
    for (int i = 0; i < N; i++)
        ck_assert_uint_eq(raised[i], NARROW_ZERO);
}
END_TEST

static float activated(float x, enum network_activation activation)
{
    return activation == NETWORK_RELU      ? fmaxf(x, 0)
           : activation == NETWORK_SIGMOID ? 1 / (1 + expf(-x))
           : activation == NETWORK_TANH    ? tanhf(x)
                                           : x;
}

// Totals become what the scales make of them, less what activations are held higher; with every
// activation, and with what was there or whatever was there.
START_TEST(results_of_totals)
{
    static const float scales[] = {0.5f, 0.25f, 2}, biases[] = {1, -3, 0.5f};
    static const int32_t sums[] = {100, -20, 0}, totals[] = {104, -10, -1};
    static const float before[] = {1, 2, -0.25f}, plain[] = {1 + 1, -3 + 1.25f, 0.5f - 1};
    for (int k = 0; k < 8; k++) {
        struct narrow_layer layer = {scales,    biases, sums, 3, (enum network_activation)(k / 2),
                                     k % 2 == 1};
        float out[4];
        memcpy(out, before, sizeof before);
        out[3] = 7;
        if (!layer.adds)
            out[0] = NAN;
        narrow_results(&layer, out, totals, 0.5f);
        for (int i = 0; i < 3; i++)
            ck_assert_float_eq_tol(
                out[i], activated(plain[i] + (layer.adds ? before[i] : 0), layer.activation),
                1e-6f);
        ck_assert_float_eq(out[3], 7);
    }
}
END_TEST

// What every processor has, and what none has.
START_TEST(lacks_by_name)
{
    ck_assert_ptr_null(narrow_lacks(FORMAT_FP32));
    ck_assert_str_eq(narrow_lacks(FORMAT_FP16), "fp16");
    const char *bf16 = narrow_lacks(FORMAT_BF16), *int8 = narrow_lacks(FORMAT_INT8);
    ck_assert(!bf16 || strstr(bf16, "bf16"));
    ck_assert(!int8 || strstr("avx512_vnni int8", int8));
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", bf16_is_the_nearest}, {"core", int8_is_the_nearest}, {"core", results_of_totals},
        {"limits", zeros_stay},        {"errors", lacks_by_name},
    };
    return suite_run("narrow", tests, sizeof tests / sizeof *tests);
}
