// SPDX-License-Identifier: Apache-2.0
// mmpp: Markov-modulated Poisson process. The rate follows a hidden state; the states are visited
// in turn, each for an exponential time.
//
// A gap is drawn by using up a unit exponential at the current rate, state after state, which is
// exact. The first state is drawn in proportion to the time spent in each, so the process is
// stationary from the start. Rates are scaled so that their mean over time is the stream's. Every
// (cell, service) has states of its own.
#include "traces/arrival.h"

#include "base/mem.h"
#include "traces/draw.h"
#include "traces/ticks.h"

struct mmpp {
    struct mmpp_place {
        uint64_t index;                 // of the next gap
        uint64_t n_visits;              // drawn so far
        int64_t now_ticks, leave_ticks; // leave: end of this visit
        uint64_t state;
    } place;
    struct rng_stream gaps, visits;
    int64_t end_ticks; // nobody asks for what comes after it
    size_t n_states;
    double *per_tick;   // owned: arrivals per tick, by state
    double *hold_ticks; // owned: mean visit, by state
};

// A shorter visit would be cheaper to model by its mean rate.
#define SHORTEST_HOLD_S 1e-6

static int mmpp_check(const struct arrival_config *config, struct err *err)
{
    const struct reals *rates = &config->state_rate_frac, *holds = &config->state_hold_s;
    double top = 0;
    if (rates->n < 2)
        return err_set(err, ERR_STUDY, "states: expected at least 2 relative rates, got %zu",
                       rates->n);
    if (holds->n != rates->n)
        return err_set(err, ERR_STUDY, "hold: expected %zu times, one per state, got %zu", rates->n,
                       holds->n);
    for (size_t i = 0; i < rates->n; i++) {
        if (!(rates->v[i] >= 0) || rates->v[i] > 1e9)
            return err_set(err, ERR_STUDY, "states: expected relative rates of 0 to 1e9, got %g",
                           rates->v[i]);
        if (!(holds->v[i] >= SHORTEST_HOLD_S) || holds->v[i] > 1e9)
            return err_set(err, ERR_STUDY, "hold: expected times of 1us to 1e9s, got %gs",
                           holds->v[i]);
        top = rates->v[i] > top ? rates->v[i] : top;
    }
    if (!(top > 0))
        return err_set(err, ERR_STUDY, "states: expected a relative rate above 0, all are 0");
    return 0;
}

static void next_visit(struct mmpp *m)
{
    uint64_t words[2];
    double unit;
    rng_block(&m->visits, m->place.n_visits++, words);
    rng_exponential(words, 1, &unit);
    m->place.leave_ticks =
        ticks_add(m->place.now_ticks, ticks_round(unit * m->hold_ticks[m->place.state]));
}

// The state at time 0: in proportion to the mean visits.
static size_t first_state(struct mmpp *m, double cycle_ticks)
{
    uint64_t words[2];
    rng_block(&m->visits, m->place.n_visits++, words);
    double point = rng_u01(words[0]) * cycle_ticks;
    size_t state = 0;
    while (state + 1 < m->n_states && point >= m->hold_ticks[state])
        point -= m->hold_ticks[state++];
    return state;
}

static int mmpp_start(void *state, const struct arrival_setup *setup, struct err *err)
{
    (void)err;
    struct mmpp *m = state;
    const struct reals *rates = &setup->config->state_rate_frac;
    uint64_t entity = RNG_ENTITY(setup->cell, setup->service);
    double cycle_ticks = 0, per_cycle = 0;
    m->gaps = rng_stream(setup->seed, RNG_ARRIVAL, entity);
    m->visits = rng_stream(setup->seed, RNG_MODULATE, entity);
    m->n_states = rates->n;
    m->per_tick = mem_alloc(rates->n * sizeof *m->per_tick);
    m->hold_ticks = mem_alloc(rates->n * sizeof *m->hold_ticks);
    for (size_t i = 0; i < rates->n; i++) {
        m->hold_ticks[i] = setup->config->state_hold_s.v[i] * TICKS_PER_S;
        cycle_ticks += m->hold_ticks[i];
        per_cycle += m->hold_ticks[i] * rates->v[i];
    }
    double mean_frac = per_cycle / cycle_ticks;
    for (size_t i = 0; i < rates->n; i++)
        m->per_tick[i] = rates->v[i] / mean_frac / arrival_gap_ticks(setup);
    bool endless = setup->end_ns == 0 || setup->end_ns >= SIMTIME_LONGEST;
    m->end_ticks = endless ? TICKS_TOP : setup->end_ns * TICKS_PER_NS;
    m->place.state = first_state(m, cycle_ticks);
    next_visit(m);
    return 0;
}

static void mmpp_stop(void *state)
{
    struct mmpp *m = state;
    mem_free(m->per_tick);
    mem_free(m->hold_ticks);
}

// Moves now_ticks on until the integral of the rate has grown by `unit`.
static void use_up(struct mmpp *m, double unit)
{
    while (m->place.now_ticks < m->end_ticks) {
        double rate = m->per_tick[m->place.state],
               left_ticks = (double)(m->place.leave_ticks - m->place.now_ticks);
        if (unit < rate * left_ticks) {
            m->place.now_ticks = ticks_add(m->place.now_ticks, ticks_round(unit / rate));
            return;
        }
        unit -= rate * left_ticks;
        m->place.now_ticks = m->place.leave_ticks;
        m->place.state = m->place.state + 1 == m->n_states ? 0 : m->place.state + 1;
        next_visit(m);
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
    const struct mmpp_place *place = &m->place;
    return place->state < m->n_states && ticks_in_range(place->now_ticks) &&
           ticks_in_range(place->leave_ticks);
}

static const struct field mmpp_fields[] = {
    FIELD(arrival_config, "states", FIELD_REALS, UNIT_NONE, state_rate_frac, 0, 1e9, NULL,
          "relative rate in each state, at least two, visited in turn: [1, 5]"),
    FIELD(arrival_config, "hold", FIELD_REALS, UNIT_TIME, state_hold_s, SHORTEST_HOLD_S, 1e9, NULL,
          "mean time per visit of each state: [900ms, 100ms]"),
    FIELD_END,
};

const struct arrival_type arrival_mmpp = {
    .name = "mmpp",
    .help = "Markov-modulated Poisson: the rate jumps between states",
    .fields = mmpp_fields,
    .state_bytes = sizeof(struct mmpp),
    .place_bytes = sizeof(struct mmpp_place),
    .check = mmpp_check,
    .start = mmpp_start,
    .fill = mmpp_fill,
    .stop = mmpp_stop,
    .place_fits = mmpp_place_fits,
};
