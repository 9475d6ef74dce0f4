// SPDX-License-Identifier: Apache-2.0
// deterministic: equal gaps. The first arrival lies at a random point of the first gap, so that the
// streams of several services or cells do not tick in step.
#include "traces/arrival.h"

#include "traces/ticks.h"

struct deterministic {
    struct deterministic_place {
        uint64_t index; // of the next arrival
    } place;
    double gap_ticks;
    double phase; // of the first gap, in (0, 1)
};

static int deterministic_start(void *state, const struct arrival_setup *setup, struct err *err)
{
    (void)err;
    struct deterministic *d = state;
    struct rng_stream stream =
        rng_stream(setup->seed, RNG_ARRIVAL, RNG_ENTITY(setup->cell, setup->service));
    uint64_t words[2];
    rng_block(&stream, 0, words);
    d->gap_ticks = arrival_gap_ticks(setup);
    d->phase = rng_u01(words[0]);
    return 0;
}

// Each time is computed from its index, not summed: no rounding adds up.
static void deterministic_fill(void *state, size_t n, int64_t *arrive_ns, uint32_t *size_items)
{
    (void)size_items;
    struct deterministic *d = state;
    for (size_t i = 0; i < n; i++) {
        double ticks = ((double)(d->place.index + i) + d->phase) * d->gap_ticks;
        arrive_ns[i] = ticks_to_ns(ticks_round(ticks));
    }
    d->place.index += n;
}

static const struct field deterministic_fields[] = {FIELD_END};

const struct arrival_type arrival_deterministic = {
    .name = "deterministic",
    .help = "equal gaps, from a random point of the first one",
    .fields = deterministic_fields,
    .state_bytes = sizeof(struct deterministic),
    .place_bytes = sizeof(struct deterministic_place),
    .start = deterministic_start,
    .fill = deterministic_fill,
};
