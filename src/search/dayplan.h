// SPDX-License-Identifier: Apache-2.0
// dayplan: from the servers needed in each interval of a day to those that are on.
//
// Peak provisioning keeps on, all day, what the worst interval of each type needs. Following the
// load switches servers:
//
//   a server is powered start-up time before its interval begins, without serving
//   it is switched off when it has not been needed for the minimum on-time, counted from the
//   beginning of the last interval that needed it and rounded up to whole intervals; so it stays on
//   for at least that
//   it is not switched off for so short a gap that it would have to start again at once: one no
//   longer than the start-up time
//
// Both times as long as a day or more: nothing is switched off. The day repeats: the interval after
// the last is the first. Numbers of servers, seconds; energy and money are the caller's, who knows
// what a server costs.
#ifndef SEARCH_DAYPLAN_H
#define SEARCH_DAYPLAN_H

#include <stdint.h>

enum dayplan_strategy { DAYPLAN_PEAK, DAYPLAN_FOLLOW, N_DAYPLAN_STRATEGIES };
extern const char *const dayplan_strategy_names[]; // "peak" "follow" NULL

struct dayplan_config {
    uint32_t n_intervals, n_types;
    double interval_s;          // > 0
    double startup_s, min_on_s; // >= 0
};

// needed[interval][type] -> on[interval][type] >= needed, and started[interval][type]: how many are
// switched on for the interval, the rise since the one before it. Peak starts none. Caller owns the
// arrays, which do not overlap.
void dayplan_fill(const struct dayplan_config *config, enum dayplan_strategy strategy,
                  const uint32_t *needed, uint32_t *on, uint32_t *started);

// Server-seconds of a type over the day: on, and starting up before that.
struct dayplan_time {
    double on_s, starting_s;
};
struct dayplan_time dayplan_time(const struct dayplan_config *config, const uint32_t *on,
                                 const uint32_t *started, uint32_t type);

#endif
