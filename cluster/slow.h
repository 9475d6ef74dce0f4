// SPDX-License-Identifier: Apache-2.0
// slow: which servers of a group take longer than the others, for everything.
//
// Servers bought as equal are not: some run hot, have a neighbour, or an older stepping. Of a
// group's n servers round(frac n) are slow: all their service times, on cores and accelerator, are
// `factor` times those of the others. No balancer knows, unless it sees their queues.
//
// Cells get their part of the slow servers as evenly as whole numbers allow; which of a cell's
// servers they are is drawn by (seed, RNG_SLOW, cell and group) with equal chances (selection
// sampling: Knuth, TAOCP 2, algorithm 3.4.2 S). So a group's numbers hold for every part of it that
// is simulated, and where a server is simulated has no say in it.
#ifndef CLUSTER_SLOW_H
#define CLUSTER_SLOW_H

#include <stdint.h>

#include "cluster/config.h"

// How many of servers [first, first + n) of a group are slow, given that those before `first` have
// had theirs.
uint32_t slow_count(const struct slow_config *slow, uint32_t first, uint32_t n);

// is_slow[i] becomes 1 or 0 for the i-th server of the group in the cell; room for all of those
// (layout_servers()).
void slow_mark(const struct fleet_config *config, uint32_t group, uint32_t cell, uint8_t *is_slow);

// The same for n servers of the group in the cell from first_in_cell on, counted in the cell;
// caller mem_free()s.
uint8_t *slow_marks(const struct fleet_config *config, uint32_t group, uint32_t cell,
                    uint32_t first_in_cell, uint32_t n);

// How many times longer the slowest server of such a group takes: 1 where none is slow.
double slow_worst(const struct slow_config *slow);

#endif
