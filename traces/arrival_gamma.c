// SPDX-License-Identifier: Apache-2.0
// gamma: independent gamma-distributed gaps with a given coefficient of variation, shape 1 / cv^2.
//
// Marsaglia and Tsang (ACM TOMS 26, 2000); shapes below 1 by their boost U^(1/shape). The normal
// comes from the polar method. Gap i owns the blocks i * 256 + 0 .. 255, two per proposal.
#include "traces/arrival.h"

#include <math.h>

#include "traces/ticks.h"

struct gamma {
    struct arrival_place place;
    struct rng_stream stream;
    double gap_ticks, shape;
    double d, c; // of Marsaglia and Tsang, for shape or shape + 1
};

#define N_PROPOSALS 128
// Below it the gaps are equal for all purposes, and the shape would leave what a double holds.
#define LEAST_CV 1e-6

static int gamma_check(const struct arrival_config *config, struct err *err)
{
    if (!(config->cv > 0))
        return err_set(err, ERR_STUDY, "cv: expected more than 0 for gamma, got %g", config->cv);
    return 0;
}

static int gamma_start(void *state, const struct arrival_setup *setup, struct err *err)
{
    (void)err;
    struct gamma *g = state;
    g->stream = rng_stream(setup->seed, RNG_ARRIVAL, RNG_ENTITY(setup->cell, setup->service));
    g->gap_ticks = arrival_gap_ticks(setup);
    double cv = fmax(setup->config->cv, LEAST_CV);
    g->shape = 1 / (cv * cv);
    g->d = (g->shape < 1 ? g->shape + 1 : g->shape) - 1.0 / 3;
    g->c = 1 / sqrt(9 * g->d);
    return 0;
}

// One proposal from four uniforms' worth of words: true and *value when it is accepted.
static bool propose(const struct gamma *g, const uint64_t words[4], double *value)
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

// A gap of mean 1. At least three proposals in four are taken, so running out of them has a
// probability below 1e-70; the gap is then the mean.
static double unit_gap(const struct gamma *g, uint64_t index)
{
    for (uint64_t k = 0; k < N_PROPOSALS; k++) {
        uint64_t words[4];
        double value;
        rng_fill(&g->stream, index * 2 * N_PROPOSALS + 2 * k, 2, words);
        if (propose(g, words, &value))
            return value / g->shape;
    }
    return 1;
}

static void gamma_fill(void *state, size_t n, int64_t *arrive_ns, uint32_t *size_items)
{
    (void)size_items;
    struct gamma *g = state;
    int64_t gaps_ticks[ARRIVAL_BLOCK];
    for (size_t i = 0; i < n; i++)
        gaps_ticks[i] = ticks_round(unit_gap(g, g->place.index + i) * g->gap_ticks);
    arrival_accumulate(&g->place, gaps_ticks, n, arrive_ns);
}

static const struct field gamma_fields[] = {
    FIELD(arrival_config, "cv", FIELD_REAL, UNIT_NONE, cv, 0, 100, NULL,
          "coefficient of variation of the gaps, more than 0; 1 is poisson"),
    FIELD_END,
};

const struct arrival_type arrival_gamma = {
    .name = "gamma",
    .help = "independent gamma-distributed gaps of given variation",
    .fields = gamma_fields,
    .state_bytes = sizeof(struct gamma),
    .place_bytes = sizeof(struct arrival_place),
    .check = gamma_check,
    .start = gamma_start,
    .fill = gamma_fill,
    .place_fits = arrival_place_fits,
};
