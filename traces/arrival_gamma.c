// SPDX-License-Identifier: Apache-2.0
// gamma: independent gamma-distributed gaps with a given coefficient of variation, shape 1 / cv^2.
#include "traces/arrival.h"

#include "traces/gamma_gap.h"
#include "traces/ticks.h"

struct gamma {
    struct arrival_place place;
    struct gamma_gap gap;
    double gap_ticks;
};

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
    const struct rng_stream stream =
        rng_stream(setup->seed, RNG_ARRIVAL, RNG_ENTITY(setup->cell, setup->service));
    g->gap = gamma_gap_of(&stream, setup->config->cv);
    g->gap_ticks = arrival_gap_ticks(setup);
    return 0;
}

static void gamma_fill(void *state, size_t n, int64_t *arrive_ns, uint32_t *size_items)
{
    (void)size_items;
    struct gamma *g = state;
    int64_t gaps_ticks[ARRIVAL_BLOCK];
    for (size_t i = 0; i < n; i++)
        gaps_ticks[i] = ticks_round(gamma_gap_draw(&g->gap, g->place.index + i) * g->gap_ticks);
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
