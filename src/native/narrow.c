// SPDX-License-Identifier: Apache-2.0
#include "native/narrow.h"

#include <string.h>

#include "base/simd.h"
#include "native/vectors.h"

#define ROUNDER 12582912.0f // 1.5 * 2^23: adding it leaves the whole part in the last bits

const char *narrow_lacks(enum model_format format)
{
#if defined(__x86_64__)
    if (format == FORMAT_BF16)
        return __builtin_cpu_supports("avx512bf16") ? NULL : "avx512_bf16";
    if (format == FORMAT_INT8)
        return __builtin_cpu_supports("avx512vnni") ? NULL : "avx512_vnni";
#endif
    return format == FORMAT_FP32 ? NULL : model_format_names[format];
}

static inline uint32_t bits_of(float x)
{
    union {
        float value;
        uint32_t bits;
    } it = {x};
    return it.bits;
}

static inline float value_of(uint32_t bits)
{
    union {
        uint32_t bits;
        float value;
    } it = {bits};
    return it.value;
}

// To the nearest; of two that are as near, to the even one.
SIMD_CLONES void narrow_bf16(uint16_t *restrict out, const float *restrict in, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = bits_of(in[i]);
        out[i] = (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    }
}

// Sizes of floats are in the order of their bits, and whole numbers' maximum is found in vectors.
SIMD_CLONES static float largest(const float *in, size_t n)
{
    int32_t most = 0;
    for (size_t i = 0; i < n; i++) {
        int32_t size = (int32_t)(bits_of(in[i]) & 0x7fffffff);
        most = size > most ? size : most;
    }
    return value_of((uint32_t)most);
}

static inline int32_t nearest(float x)
{
    return (int32_t)(bits_of(x + ROUNDER) - bits_of(ROUNDER));
}

SIMD_CLONES static void raise(uint8_t *restrict out, const float *restrict in, float per_one,
                              size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(nearest(in[i] * per_one) + NARROW_ZERO);
}

void narrow_int8(uint8_t *out, float *scale, const float *in, size_t n)
{
    float most = largest(in, n);
    *scale = most / NARROW_MOST;
    raise(out, in, most > 0 ? NARROW_MOST / most : 0, n);
}

void narrow_weights(int8_t *out, float *scale, int32_t *sum, const float *in, size_t n)
{
    float most = largest(in, n), per_one = most > 0 ? NARROW_MOST / most : 0;
    *scale = most / NARROW_MOST;
    *sum = 0;
    for (size_t i = 0; i < n; i++) {
        out[i] = (int8_t)nearest(in[i] * per_one);
        *sum += out[i];
    }
}

SIMD_CLONES static void widen(const struct narrow_layer *layer, float *restrict out,
                              const int32_t *restrict totals, float scale)
{
    const float *restrict scales = layer->scales, *restrict biases = layer->biases;
    const int32_t *restrict sums = layer->sums;
    size_t width = layer->width;
    for (size_t i = 0; i < width; i++)
        out[i] = (float)(totals[i] - sums[i]) * (scale * scales[i]) + biases[i] + out[i];
}

SIMD_CLONES static void widen_relu(const struct narrow_layer *layer, float *restrict out,
                                   const int32_t *restrict totals, float scale)
{
    const float *restrict scales = layer->scales, *restrict biases = layer->biases;
    const int32_t *restrict sums = layer->sums;
    size_t width = layer->width;
    for (size_t i = 0; i < width; i++) {
        float x = (float)(totals[i] - sums[i]) * (scale * scales[i]) + biases[i];
        out[i] = x > 0 ? x : 0;
    }
}

// What is there may be anything unless it is added to.
void narrow_results(const struct narrow_layer *layer, float *out, const int32_t *totals,
                    float scale)
{
    if (layer->activation == NETWORK_RELU && !layer->adds) {
        widen_relu(layer, out, totals, scale);
        return;
    }
    if (!layer->adds)
        memset(out, 0, layer->width * sizeof *out);
    widen(layer, out, totals, scale);
    vectors_activate(out, layer->width, layer->activation);
}
