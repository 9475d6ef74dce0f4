// SPDX-License-Identifier: Apache-2.0
#include "traces/modulate.h"

#include "base/mem.h"
#include "traces/ticks.h"

int modulate_check(const struct arrival_config *config, struct err *err)
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
        if (!(holds->v[i] >= MODULATE_SHORTEST_S) || holds->v[i] > 1e9)
            return err_set(err, ERR_STUDY, "hold: expected times of 1us to 1e9s, got %gs",
                           holds->v[i]);
        top = rates->v[i] > top ? rates->v[i] : top;
    }
    if (!(top > 0))
        return err_set(err, ERR_STUDY, "states: expected a relative rate above 0, all are 0");
    return 0;
}

// A visit of the state that begins at from_ticks.
static void begin_visit(const struct modulate *m, struct modulate_place *place, int64_t from_ticks)
{
    uint64_t words[2];
    double unit;
    rng_block(&m->visits, place->n_visits++, words);
    rng_exponential(words, 1, &unit);
    place->leave_ticks = ticks_add(from_ticks, ticks_round(unit * m->hold_ticks[place->state]));
}

// The state at time 0: in proportion to the mean visits.
static size_t first_state(const struct modulate *m, struct modulate_place *place,
                          double cycle_ticks)
{
    uint64_t words[2];
    rng_block(&m->visits, place->n_visits++, words);
    double point = rng_u01(words[0]) * cycle_ticks;
    size_t state = 0;
    while (state + 1 < m->n_states && point >= m->hold_ticks[state])
        point -= m->hold_ticks[state++];
    return state;
}

void modulate_start(struct modulate *modulate, struct modulate_place *place,
                    const struct arrival_setup *setup)
{
    const struct reals *rates = &setup->config->state_rate_frac;
    double cycle_ticks = 0, per_cycle = 0;
    modulate->visits =
        rng_stream(setup->seed, RNG_MODULATE, RNG_ENTITY(setup->cell, setup->service));
    modulate->n_states = rates->n;
    modulate->rate_frac = mem_alloc(rates->n * sizeof *modulate->rate_frac);
    modulate->hold_ticks = mem_alloc(rates->n * sizeof *modulate->hold_ticks);
    for (size_t i = 0; i < rates->n; i++) {
        modulate->hold_ticks[i] = setup->config->state_hold_s.v[i] * TICKS_PER_S;
        cycle_ticks += modulate->hold_ticks[i];
        per_cycle += modulate->hold_ticks[i] * rates->v[i];
    }
    for (size_t i = 0; i < rates->n; i++)
        modulate->rate_frac[i] = rates->v[i] / (per_cycle / cycle_ticks);
    place->state = first_state(modulate, place, cycle_ticks);
    begin_visit(modulate, place, 0);
}

void modulate_stop(struct modulate *modulate)
{
    mem_free(modulate->rate_frac);
    mem_free(modulate->hold_ticks);
}

void modulate_leave(const struct modulate *modulate, struct modulate_place *place)
{
    place->state = place->state + 1 == modulate->n_states ? 0 : place->state + 1;
    begin_visit(modulate, place, place->leave_ticks);
}

bool modulate_place_fits(const struct modulate *modulate, const struct modulate_place *place)
{
    return place->state < modulate->n_states && ticks_in_range(place->leave_ticks);
}
