// SPDX-License-Identifier: Apache-2.0
// modulate: the hidden state that makes a rate jump, as bursts do.
//
// States are visited in turn, each for an exponential time. The first one is drawn in proportion to
// the time spent in each, so a stream is stationary from its start. Rates are relative, scaled so
// that their mean over time is 1: whoever multiplies a rate by them keeps its mean. Every (cell,
// service) has states of its own, keyed by RNG_MODULATE.
//
// Where a stream is among its visits is plain bytes, part of an arrival process's place
// (arrival.h).
#ifndef TRACES_MODULATE_H
#define TRACES_MODULATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "traces/arrival.h"

// A shorter visit would be cheaper to model by its mean rate.
#define MODULATE_SHORTEST_S 1e-6

struct modulate {
    struct rng_stream visits;
    size_t n_states;
    double *rate_frac;  // owned: [n_states] relative rate, of mean 1
    double *hold_ticks; // owned: [n_states] mean visit
};

struct modulate_place {
    uint64_t n_visits;   // drawn so far
    int64_t leave_ticks; // end of this visit
    uint64_t state;
};

// Whether the states and visits of the config make such a thing; the text begins with the key.
int modulate_check(const struct arrival_config *config, struct err *err);
// Of a checked config, at time 0 in its first visit. modulate_stop() releases what it owns.
void modulate_start(struct modulate *modulate, struct modulate_place *place,
                    const struct arrival_setup *setup);
void modulate_stop(struct modulate *modulate); // all zero: no effect
// At the end of this visit, into the next.
void modulate_leave(const struct modulate *modulate, struct modulate_place *place);
// Whether it can be one of this stream: it may come from a damaged file.
bool modulate_place_fits(const struct modulate *modulate, const struct modulate_place *place);

// The rows of the states, for the `fields` of the processes that have them; dflt NULL: required.
#define MODULATE_FIELDS(dflt)                                                                      \
    FIELD(arrival_config, "states", FIELD_REALS, UNIT_NONE, state_rate_frac, 0, 1e9, dflt,         \
          "relative rate in each state, at least two, visited in turn: [1, 5]"),                   \
        FIELD(arrival_config, "hold", FIELD_REALS, UNIT_TIME, state_hold_s, MODULATE_SHORTEST_S,   \
              1e9, dflt, "mean time per visit of each state: [900ms, 100ms]")

#endif
