// SPDX-License-Identifier: Apache-2.0
// poisson: independent exponential gaps.
#include "traces/arrival.h"

#include <string.h>

#include "base/simd.h"
#include "traces/draw.h"
#include "traces/ticks.h"

struct poisson {
    struct arrival_place place;
    struct rng_stream stream;
    double gap_ticks;
};

// No exponential of rng_exponential is longer: -log(2^-53) = 36.7.
#define LONGEST_UNIT_GAP 64.0

// Below 2^51 a double plus 1.5 * 2^52 has its nearest integer in the low bits, which any vector
// width can take out; a conversion to int64 exists from AVX-512DQ on only.
#define MAGIC 0x1.8p52
#define MAGIC_BITS INT64_C(0x4338000000000000)

SIMD_CLONES
static void round_short_gaps(double gap_ticks, const double *unit_gaps, size_t n, int64_t *ticks)
{
    for (size_t i = 0; i < n; i++) {
        double sum = unit_gaps[i] * gap_ticks + MAGIC;
        int64_t bits;
        memcpy(&bits, &sum, sizeof bits);
        ticks[i] = bits - MAGIC_BITS;
    }
}

static int poisson_start(void *state, const struct arrival_setup *setup, struct err *err)
{
    (void)err;
    struct poisson *p = state;
    p->stream = rng_stream(setup->seed, RNG_ARRIVAL, RNG_ENTITY(setup->cell, setup->service));
    p->gap_ticks = arrival_gap_ticks(setup);
    return 0;
}

static void poisson_fill(void *state, size_t n, int64_t *arrive_ns, uint32_t *size_items)
{
    (void)size_items;
    struct poisson *p = state;
    uint64_t words[DRAW_BUFFER];
    double unit_gaps[ARRIVAL_BLOCK];
    int64_t gaps_ticks[ARRIVAL_BLOCK];
    rng_exponential(draw_words(&p->stream, p->place.index, n, words), n, unit_gaps);
    if (p->gap_ticks * LONGEST_UNIT_GAP < 0x1p51) {
        round_short_gaps(p->gap_ticks, unit_gaps, n, gaps_ticks);
    } else {
        for (size_t i = 0; i < n; i++)
            gaps_ticks[i] = ticks_round(unit_gaps[i] * p->gap_ticks);
    }
    arrival_accumulate(&p->place, gaps_ticks, n, arrive_ns);
}

static const struct field poisson_fields[] = {FIELD_END};

const struct arrival_type arrival_poisson = {
    .name = "poisson",
    .help = "independent exponential gaps",
    .fields = poisson_fields,
    .state_bytes = sizeof(struct poisson),
    .place_bytes = sizeof(struct arrival_place),
    .start = poisson_start,
    .fill = poisson_fill,
    .place_fits = arrival_place_fits,
};
