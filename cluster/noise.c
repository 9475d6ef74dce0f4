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
    bool has_states = config->spread != SPREAD_NONE && config->correlated_frac > 0;
    noise->tau_ns = has_states ? config->correlation_ns : 0;
    noise->state_prob = sqrt(config->correlated_frac);
    noise->first_server = 0;
}

// Where the draws of one factor lie: room for 255 attempts of a rejection method, and for one thing
// more, which is drawn from the last block.
enum { DRAWS_BITS = 8, DRAWS_LAST = (1 << DRAWS_BITS) - 1 };

static uint64_t address(uint64_t seq, uint32_t request)
{
    return (seq << 24) | ((uint64_t)(request & 0xffff) << DRAWS_BITS);
}

// Of change number `change` < 256 in a slot.
static uint64_t state_address(int64_t slot, uint32_t change)
{
    return ((uint64_t)slot << 16) | ((uint64_t)change << DRAWS_BITS);
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

// A factor from the blocks of `draws` that begin at index.
static double draw_factor(const struct noise *noise, const struct rng_stream *draws, uint64_t index)
{
    uint64_t w[2];
    switch (noise->spread) {
    case SPREAD_EXPONENTIAL:
        rng_block(draws, index, w);
        return -rng_log(rng_u01(w[0]));
    case SPREAD_GAMMA:
        return gamma_factor(draws, index, noise->shape);
    case SPREAD_LOGNORMAL:
        return rng_exp(noise->sigma * normal(draws, &index) - 0.5 * noise->sigma * noise->sigma);
    default:
        return 1;
    }
}

// How many changes a slot has in its first `part` (0..1) of tau: gaps are exponential of mean 1. A
// Poisson number of mean 1 comes to no end of the addresses.
static uint32_t count_changes(const struct rng_stream *draws, int64_t slot, double part)
{
    uint32_t n = 0;
    for (double at = 0; n < DRAWS_LAST; n++) {
        uint64_t w[2];
        rng_block(draws, state_address(slot, n) | DRAWS_LAST, w);
        at -= rng_log(rng_u01(w[0]));
        if (at > part)
            break;
    }
    return n;
}

double noise_state(const struct noise *noise, uint32_t server, int64_t t_ns)
{
    if (noise->tau_ns == 0)
        return NOISE_NO_STATE;
    const struct rng_stream draws =
        rng_stream(noise->draws.seed, RNG_STATE, (uint64_t)noise->first_server + server);
    int64_t slot = t_ns / noise->tau_ns;
    double part = (double)(t_ns % noise->tau_ns) / (double)noise->tau_ns;
    uint32_t n = count_changes(&draws, slot, part);
    while (n == 0 && slot-- > 0)
        n = count_changes(&draws, slot, 1);
    // What has not changed since time 0 is as a change would have left it before that.
    return draw_factor(noise, &draws,
                       n ? state_address(slot, n - 1) : state_address(0, DRAWS_LAST));
}

double noise_factor(const struct noise *noise, double state, uint64_t seq, uint32_t request)
{
    uint64_t index = address(seq, request), w[2];
    if (state >= 0) {
        rng_block(&noise->draws, index | DRAWS_LAST, w);
        if (rng_u01(w[0]) < noise->state_prob)
            return state;
    }
    return draw_factor(noise, &noise->draws, index);
}

int64_t noise_apply(const struct noise *noise, int64_t ns, double state, uint64_t seq,
                    uint32_t request)
{
    double noisy_ns = (double)ns * noise_factor(noise, state, seq, request) + 0.5;
    return noisy_ns < (double)SIMTIME_LONGEST ? (int64_t)noisy_ns : SIMTIME_LONGEST;
}
