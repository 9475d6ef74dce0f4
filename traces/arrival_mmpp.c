// SPDX-License-Identifier: Apache-2.0
// mmpp: Markov-modulated Poisson process. The rate follows a hidden state; the states are visited
// in turn, each for an exponential time.
//
// A gap is drawn by using up a unit exponential at the current rate, state after state, which is
// exact; modulate.h has the states.
#include "traces/arrival.h"

#include "base/mem.h"
#include "traces/draw.h"
#include "traces/modulate.h"
#include "traces/ticks.h"

struct mmpp {
    struct mmpp_place {
        uint64_t index; // of the next gap
        int64_t now_ticks;
        struct modulate_place visit;
    } place;
    struct rng_stream gaps;
    struct modulate modulate;
    int64_t end_ticks; // nobody asks for what comes after it
    double *per_tick;  // owned: arrivals per tick, by state
};

static int mmpp_start(void *state, const struct arrival_setup *setup, struct err *err)
{
    (void)err;
    struct mmpp *m = state;
    modulate_start(&m->modulate, &m->place.visit, setup);
    m->gaps = rng_stream(setup->seed, RNG_ARRIVAL, RNG_ENTITY(setup->cell, setup->service));
    m->per_tick = mem_alloc(m->modulate.n_states * sizeof *m->per_tick);
    for (size_t i = 0; i < m->modulate.n_states; i++)
        m->per_tick[i] = m->modulate.rate_frac[i] / arrival_gap_ticks(setup);
    bool endless = setup->end_ns == 0 || setup->end_ns >= SIMTIME_LONGEST;
    m->end_ticks = endless ? TICKS_TOP : setup->end_ns * TICKS_PER_NS;
    return 0;
}

static void mmpp_stop(void *state)
{
    struct mmpp *m = state;
    mem_free(m->per_tick);
    modulate_stop(&m->modulate);
}

// Moves now_ticks on until the integral of the rate has grown by `unit`.
static void use_up(struct mmpp *m, double unit)
{
    while (m->place.now_ticks < m->end_ticks) {
        double rate = m->per_tick[m->place.visit.state],
               left_ticks = (double)(m->place.visit.leave_ticks - m->place.now_ticks);
        if (unit < rate * left_ticks) {
            m->place.now_ticks = ticks_add(m->place.now_ticks, ticks_round(unit / rate));
            return;
        }
        unit -= rate * left_ticks;
        m->place.now_ticks = m->place.visit.leave_ticks;
        modulate_leave(&m->modulate, &m->place.visit);
    }
    m->place.now_ticks = TICKS_TOP;
}

static void mmpp_fill(void *state, size_t n, int64_t *arrive_ns, uint32_t *size_items)
{
    (void)size_items;
    struct mmpp *m = state;
    uint64_t words[DRAW_BUFFER];
    double unit_gaps[ARRIVAL_BLOCK];
    rng_exponential(draw_words(&m->gaps, m->place.index, n, words), n, unit_gaps);
    for (size_t i = 0; i < n; i++) {
        use_up(m, unit_gaps[i]);
        arrive_ns[i] = ticks_to_ns(m->place.now_ticks);
    }
    m->place.index += n;
}

static bool mmpp_place_fits(const void *state)
{
    const struct mmpp *m = state;
    return ticks_in_range(m->place.now_ticks) && modulate_place_fits(&m->modulate, &m->place.visit);
}

static const struct field mmpp_fields[] = {
    MODULATE_FIELDS(NULL),
    FIELD_END,
};

const struct arrival_type arrival_mmpp = {
    .name = "mmpp",
    .help = "Markov-modulated Poisson: the rate jumps between states",
    .fields = mmpp_fields,
    .state_bytes = sizeof(struct mmpp),
    .place_bytes = sizeof(struct mmpp_place),
    .check = modulate_check,
    .start = mmpp_start,
    .fill = mmpp_fill,
    .stop = mmpp_stop,
    .place_fits = mmpp_place_fits,
};
