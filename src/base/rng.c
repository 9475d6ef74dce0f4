// SPDX-License-Identifier: Apache-2.0
#include "base/rng.h"

#include <string.h>

#include "base/rng_avx512.h"
#include "base/simd.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#include <Random123/philox.h>
#pragma GCC diagnostic pop

static inline void philox(const struct rng_stream *stream, uint64_t index, uint64_t words[2])
{
    philox2x64_ctr_t counter = {{index, stream->high}};
    philox2x64_key_t key = {{stream->seed}};
    philox2x64_ctr_t out = philox2x64(counter, key);
    words[0] = out.v[0];
    words[1] = out.v[1];
}

void rng_block(const struct rng_stream *stream, uint64_t index, uint64_t words[2])
{
    philox(stream, index, words);
}

void rng_fill(const struct rng_stream *stream, uint64_t first, size_t n_blocks, uint64_t *words)
{
    const struct rng_stream s = *stream;
    size_t i = 0;
    if (n_blocks >= 8 && rng_avx512_supported()) {
        i = n_blocks / 8 * 8;
        rng_avx512_fill(s.seed, s.high, first, i, words);
    }
    for (; i < n_blocks; i++)
        philox(&s, first + i, words + 2 * i);
}

// log x = e log 2 + 2 artanh((m - 1) / (m + 1)) with x = m 2^e and m in [sqrt(1/2), sqrt 2). The
// argument of the series is at most 0.1716, its square z at most 0.02944, so the first term left
// out, z^11 / 23, is below 2^-60 of the result.
static inline double log_series(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    // Shifting the exponent split from 1 to sqrt(1/2): 0x3fe6a09e... is the bit pattern of it.
    // The offset of 1024 keeps it positive: vectors lack an arithmetic shift of 64-bit lanes.
    uint64_t biased = (bits + ((UINT64_C(1024) << 52) - UINT64_C(0x3fe6a09e667f3bcd))) >> 52;
    uint64_t mantissa_bits = bits - ((biased - 1024) << 52);
    int32_t exponent = (int32_t)(uint32_t)biased - 1024;
    double m;
    memcpy(&m, &mantissa_bits, sizeof m);
    double s = (m - 1.0) / (m + 1.0), z = s * s, e = (double)exponent;
    double p = 1.0 / 21;
    p = p * z + 1.0 / 19;
    p = p * z + 1.0 / 17;
    p = p * z + 1.0 / 15;
    p = p * z + 1.0 / 13;
    p = p * z + 1.0 / 11;
    p = p * z + 1.0 / 9;
    p = p * z + 1.0 / 7;
    p = p * z + 1.0 / 5;
    p = p * z + 1.0 / 3;
    double tail = s * z * p;
    return e * 0x1.62e42fefa39efp-1 + (e * 0x1.abc9e3b39803fp-56 + 2.0 * (s + tail));
}

double rng_log(double x)
{
    return log_series(x);
}

// e^x = 2^k e^r with |r| <= log 2 / 2; the Taylor series to r^13 leaves less than 2^-58.
double rng_exp(double x)
{
    static const double inverse_factorial[] = {
        1.0 / 6227020800,
        1.0 / 479001600,
        1.0 / 39916800,
        1.0 / 3628800,
        1.0 / 362880,
        1.0 / 40320,
        1.0 / 5040,
        1.0 / 720,
        1.0 / 120,
        1.0 / 24,
        1.0 / 6,
        1.0 / 2,
        1.0,
        1.0,
    };
    double k = x * 0x1.71547652b82fep+0;
    k = (double)(int64_t)(k < 0 ? k - 0.5 : k + 0.5);
    double r = (x - k * 0x1.62e42fefa0000p-1) - k * 0x1.cf79abc9e3b3ap-40;
    double p = inverse_factorial[0];
    for (size_t i = 1; i < sizeof inverse_factorial / sizeof *inverse_factorial; i++)
        p = p * r + inverse_factorial[i];
    // 2^k in two factors: at the ends of the range 2^k itself is no normal number.
    int64_t half = (int64_t)k / 2;
    uint64_t bits[2] = {(uint64_t)(1023 + half) << 52, (uint64_t)(1023 + (int64_t)k - half) << 52};
    double scale[2];
    memcpy(scale, bits, sizeof scale);
    return p * scale[0] * scale[1];
}

// rng_u01 by bits, the same value: k 2^-52 + 1 - (1 - 2^-53) without a conversion from 64-bit
// integers, which few vector units have.
static inline double u01_by_bits(uint64_t word)
{
    uint64_t bits = (word >> 12) | (UINT64_C(1023) << 52);
    double x;
    memcpy(&x, &bits, sizeof x);
    return x - (1.0 - 0x1p-53);
}

SIMD_CLONES
void rng_exponential(const uint64_t *words, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = -log_series(u01_by_bits(words[i]));
}
