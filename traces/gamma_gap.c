// SPDX-License-Identifier: Apache-2.0
#include "traces/gamma_gap.h"

#include <math.h>
#include <stdbool.h>

#define N_PROPOSALS 128

struct gamma_gap gamma_gap_of(const struct rng_stream *stream, double cv)
{
    struct gamma_gap g = {.stream = *stream};
    cv = fmax(cv, GAMMA_GAP_LEAST_CV);
    g.shape = 1 / (cv * cv);
    g.d = (g.shape < 1 ? g.shape + 1 : g.shape) - 1.0 / 3;
    g.c = 1 / sqrt(9 * g.d);
    return g;
}

// One proposal from four uniforms' worth of words: true and *value when it is accepted.
static bool propose(const struct gamma_gap *g, const uint64_t words[4], double *value)
{
    double a = 2 * rng_u01(words[0]) - 1, b = 2 * rng_u01(words[1]) - 1, s = a * a + b * b;
    if (s >= 1 || s == 0)
        return false;
    double x = a * sqrt(-2 * rng_log(s) / s), root = 1 + g->c * x;
    if (root <= 0)
        return false;
    double v = root * root * root, u = rng_u01(words[2]), square = x * x;
    // The first test is theirs to spare the logarithms of the second in most cases.
    if (u >= 1 - 0.0331 * square * square &&
        rng_log(u) >= 0.5 * square + g->d - g->d * v + g->d * rng_log(v))
        return false;
    *value = g->d * v;
    if (g->shape < 1) {
        double log_boost = rng_log(rng_u01(words[3])) / g->shape;
        *value *= log_boost > -700 ? rng_exp(log_boost) : 0;
    }
    return true;
}

// At least three proposals in four are taken, so running out of them has a probability below 1e-70;
// the gap is then the mean.
double gamma_gap_draw(const struct gamma_gap *gamma, uint64_t index)
{
    for (uint64_t k = 0; k < N_PROPOSALS; k++) {
        uint64_t words[4];
        double value;
        rng_fill(&gamma->stream, index * 2 * N_PROPOSALS + 2 * k, 2, words);
        if (propose(gamma, words, &value))
            return value / gamma->shape;
    }
    return 1;
}
