// SPDX-License-Identifier: Apache-2.0
#include "cluster/noise.h"

#include <math.h>

#include "base/simtime.h"
#include "traces/gamma_gap.h"

void noise_init(struct noise *noise, const struct noise_config *config, uint64_t seed,
                uint32_t cell)
{
    noise->spread = config->spread;
    noise->draws = rng_stream(seed, RNG_NOISE, cell);
    double cv = fmax(config->cv, GAMMA_GAP_LEAST_CV);
    noise->shape = config->cv > 0 ? 1 / (cv * cv) : 1;
    noise->sigma = sqrt(rng_log(1 + config->cv * config->cv));
}

// Where the draws of one request lie: room for 256 attempts of a rejection method.
static uint64_t address(uint64_t seq, uint32_t request)
{
    return (seq << 24) | ((uint64_t)(request & 0xffff) << 8);
}

// A standard normal by Marsaglia's polar method, from blocks *index, *index + 1, ...
static double normal(const struct rng_stream *draws, uint64_t *index)
{
    for (;;) {
        uint64_t w[2];
        rng_block(draws, (*index)++, w);
        double x = 2 * rng_u01(w[0]) - 1, y = 2 * rng_u01(w[1]) - 1, s = x * x + y * y;
        if (s < 1 && s > 0)
            return x * sqrt(-2 * rng_log(s) / s);
    }
}

// Gamma with mean 1: Marsaglia and Tsang (2000); for shape < 1 a power of a uniform is folded in.
static double gamma_factor(const struct rng_stream *draws, uint64_t index, double shape)
{
    double a = shape < 1 ? shape + 1 : shape, d = a - 1.0 / 3, c = 1 / sqrt(9 * d);
    uint64_t w[2];
    for (;;) {
        double x = normal(draws, &index), t = 1 + c * x;
        rng_block(draws, index++, w);
        if (t <= 0)
            continue;
        double v = t * t * t;
        if (rng_log(rng_u01(w[0])) < 0.5 * x * x + d - d * v + d * rng_log(v)) {
            // A large cv makes most factors smaller than any double: 0.
            double log_boost = shape < 1 ? rng_log(rng_u01(w[1])) / shape : 0;
            return log_boost > -700 ? d * v * rng_exp(log_boost) / shape : 0;
        }
    }
}

double noise_factor(const struct noise *noise, uint64_t seq, uint32_t request)
{
    uint64_t index = address(seq, request), w[2];
    switch (noise->spread) {
    case SPREAD_EXPONENTIAL:
        rng_block(&noise->draws, index, w);
        return -rng_log(rng_u01(w[0]));
    case SPREAD_GAMMA:
        return gamma_factor(&noise->draws, index, noise->shape);
    case SPREAD_LOGNORMAL:
        return rng_exp(noise->sigma * normal(&noise->draws, &index) -
                       0.5 * noise->sigma * noise->sigma);
    default:
        return 1;
    }
}

int64_t noise_apply(const struct noise *noise, int64_t ns, uint64_t seq, uint32_t request)
{
    double noisy_ns = (double)ns * noise_factor(noise, seq, request) + 0.5;
    return noisy_ns < (double)SIMTIME_LONGEST ? (int64_t)noisy_ns : SIMTIME_LONGEST;
}
