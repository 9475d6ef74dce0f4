// SPDX-License-Identifier: Apache-2.0
// hyperexponential: independent gaps, each from one of two exponentials, with balanced means.
//
// Branch 1 has probability p = (1 + r) / 2 and mean 1 / (2 p), branch 2 the rest and mean
// 1 / (2 (1 - p)), with r^2 = (cv^2 - 1) / (cv^2 + 1): each branch carries half of the time
// (Whitt, Operations Research 30, 1982). Block i of the stream makes gap i.
#include "traces/arrival.h"

#include <math.h>

#include "traces/ticks.h"

struct hyperexponential {
    struct arrival_place place;
    struct rng_stream stream;
    double p1;            // probability of branch 1
    double mean_ticks[2]; // of the gaps of each branch
};

static int hyperexponential_check(const struct arrival_config *config, struct err *err)
{
    if (!(config->cv > 1))
        return err_set(err, ERR_STUDY, "cv: expected more than 1 for hyperexponential, got %g",
                       config->cv);
    return 0;
}

static int hyperexponential_start(void *state, const struct arrival_setup *setup, struct err *err)
{
    (void)err;
    struct hyperexponential *h = state;
    double square = setup->config->cv * setup->config->cv;
    double r = sqrt((square - 1) / (square + 1));
    double p2 = 1 / ((square + 1) * (1 + r)); // (1 - r) / 2 without cancellation
    h->stream = rng_stream(setup->seed, RNG_ARRIVAL, RNG_ENTITY(setup->cell, setup->service));
    h->p1 = (1 + r) / 2;
    h->mean_ticks[0] = arrival_gap_ticks(setup) / (2 * h->p1);
    h->mean_ticks[1] = arrival_gap_ticks(setup) / (2 * p2);
    return 0;
}

static void hyperexponential_fill(void *state, size_t n, int64_t *arrive_ns, uint32_t *size_items)
{
    (void)size_items;
    struct hyperexponential *h = state;
    uint64_t words[2 * ARRIVAL_BLOCK], lengths[ARRIVAL_BLOCK];
    double unit_gaps[ARRIVAL_BLOCK];
    int64_t gaps_ticks[ARRIVAL_BLOCK];
    rng_fill(&h->stream, h->place.index, n, words);
    for (size_t i = 0; i < n; i++)
        lengths[i] = words[2 * i];
    rng_exponential(lengths, n, unit_gaps);
    for (size_t i = 0; i < n; i++) {
        int branch = rng_u01(words[2 * i + 1]) >= h->p1;
        gaps_ticks[i] = ticks_round(unit_gaps[i] * h->mean_ticks[branch]);
    }
    arrival_accumulate(&h->place, gaps_ticks, n, arrive_ns);
}

static const struct field hyperexponential_fields[] = {
    FIELD(arrival_config, "cv", FIELD_REAL, UNIT_NONE, cv, 1, 1000, NULL,
          "coefficient of variation of the gaps, more than 1"),
    FIELD_END,
};

const struct arrival_type arrival_hyperexponential = {
    .name = "hyperexponential",
    .help = "independent gaps from two exponentials of balanced means: bursts",
    .fields = hyperexponential_fields,
    .state_bytes = sizeof(struct hyperexponential),
    .place_bytes = sizeof(struct arrival_place),
    .check = hyperexponential_check,
    .start = hyperexponential_start,
    .fill = hyperexponential_fill,
    .place_fits = arrival_place_fits,
};
