// SPDX-License-Identifier: Apache-2.0
#include "base/rng.h"

#include <string.h>

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
    for (size_t i = 0; i < n_blocks; i++)
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
    uint64_t shifted = bits - UINT64_C(0x3fe6a09e667f3bcd);
    int64_t exponent = (int64_t)shifted >> 52;
    uint64_t mantissa_bits = bits - ((uint64_t)exponent << 52);
    double m;
    memcpy(&m, &mantissa_bits, sizeof m);
    double s = (m - 1.0) / (m + 1.0), z = s * s, e = (double)(int32_t)exponent;
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

void rng_exponential(const uint64_t *words, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = -log_series(rng_u01(words[i]));
}
