// SPDX-License-Identifier: Apache-2.0
// narrow: numbers of fp32 in 16 and 8 bits, and what comes of multiplying them.
//
// bf16 is the upper half of an fp32, rounded to the nearest: 8 bits of mantissa, an error of at
// most 2^-8 of the number. int8 is a whole number from -127 to 127 times a scale that a row has of
// its own, of weights as of activations: an error of at most half the scale, which is the largest
// number of the row / 127. An activation's row is one item's, so its result does not depend on the
// others of its block, and no batch has to be seen ahead to know how large numbers become.
//
// Processors multiply unsigned by signed bytes: activations are held 128 higher, and the sum of a
// row of weights takes it off again, exactly.
//
//     if (narrow_lacks(FORMAT_INT8)) ...                             // "avx512_vnni"
//     narrow_int8(bytes, &scale, in, n);                             // of an item
//     narrow_weights(weights, &weight_scale, &sum, row, n);          // of an output
//     value = (total - 128 * sum) * scale * weight_scale;            // narrow_results()
#ifndef NATIVE_NARROW_H
#define NATIVE_NARROW_H

#include <stddef.h>
#include <stdint.h>

#include "models/catalogue.h"
#include "native/network.h"

enum { NARROW_ZERO = 128, NARROW_MOST = 127 };

// The instruction set that multiplying in this format wants, where this processor has it not; NULL:
// it has, or needs none. FORMAT_FP16 lacks everywhere.
const char *narrow_lacks(enum model_format format);

// n numbers. int8: `out` is NARROW_ZERO higher.
void narrow_bf16(uint16_t *out, const float *in, size_t n);
void narrow_int8(uint8_t *out, float *scale, const float *in, size_t n);

// The same for what is not held higher, with the sum of all.
void narrow_weights(int8_t *out, float *scale, int32_t *sum, const float *in, size_t n);

// Bytes of a table's row of n numbers: int8 has its scale, a float, behind them.
static inline size_t narrow_row_bytes(enum model_format format, size_t n)
{
    return format == FORMAT_BF16 ? 2 * n : format == FORMAT_INT8 ? n + sizeof(float) : 4 * n;
}

// Back again: what one is worth.
static inline float narrow_wide(uint16_t bf16)
{
    union {
        uint32_t bits;
        float value;
    } wide = {.bits = (uint32_t)bf16 << 16};
    return wide.value;
}

// A row of totals of int8 products to a row of results.
struct narrow_layer {
    const float *scales, *biases; // [width] of outputs
    const int32_t *sums;          // [width] of weights, times NARROW_ZERO
    uint32_t width;
    enum network_activation activation;
    bool adds; // to what is there, before the activation
};
void narrow_results(const struct narrow_layer *layer, float *out, const int32_t *totals,
                    float scale);

#endif
