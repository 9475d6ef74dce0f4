// SPDX-License-Identifier: Apache-2.0
// replay: a recorded trace as an arrival process.
//
// The trace is the traffic of the whole fleet. Record i of its pass L (0 unless `repeat`) is dealt
// to a cell by one draw keyed (seed, RNG_REPLAY, service, L n + i), uniform over the fleet's
// shares: the cell that owns [share_first, share_first + share_num) of share_den gets it. So every
// record goes to exactly one cell, in proportion to the cells' shares, whatever the rest of the
// study. A cell reads past the records of the others: dealing costs every cell a draw per record.
//
// A pass of a repeated trace lasts its span plus one mean gap, or to the end of the last tick of a
// coarse clock. With `rescale` all times are multiplied so that the trace's mean rate becomes the
// service's.
#ifndef TRACES_REPLAY_H
#define TRACES_REPLAY_H

#include "traces/arrival.h"

// What the trace's times are multiplied by. The config is loaded.
double replay_time_factor(const struct arrival_config *config, double rate_qps);

// The descriptor is arrival_replay. How long one pass lasts, in ns of simulated time; 0 if the
// trace spans no time. The config is loaded.
double replay_period_ns(const struct arrival_config *config, double rate_qps);

#endif
