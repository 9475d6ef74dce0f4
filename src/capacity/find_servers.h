// SPDX-License-Identifier: Apache-2.0
// find_servers: how few servers of a type, or cores of a server, hold the traffic. [M]
//
// One search (search/sizing.h) per scheduler, type and number of cells down, on slices of the
// traffic at its peak (peak_load.h). A fleet with k of its C cells down is the other C - k with all
// of the traffic. The answer counts the servers of the whole fleet, those of the lost cells among
// them: dealt evenly, n servers leave find_servers_left(n) when the k fullest cells are gone. Fewer
// than one per cell is not a fleet.
//
// No search looks below what the offered work alone would saturate; it begins at what the
// efficiency tuples promise.
#ifndef CAPACITY_FIND_SERVERS_H
#define CAPACITY_FIND_SERVERS_H

#include <stdint.h>

#include "capacity/capacity_context.h"

// Collective (context->eval->comm). Fills context->answer->sizes: rows by scheduler, then type,
// then number of cells down. Needs the choices of all schedulers (efficiency.h).
int find_servers_run(struct capacity_context *context, struct err *err);

// Not collective. How many rows there will be for that many schedulers.
uint32_t find_servers_n_rows(const struct study *study, uint32_t n_schedulers);

// Not collective. Of n servers dealt over n_cells, those that are left when the n_down fullest
// cells are gone; and the least n that leaves `left` (>= n_cells - n_down).
uint32_t find_servers_left(uint32_t n, uint32_t n_cells, uint32_t n_down);
uint32_t find_servers_whole(uint32_t left, uint32_t n_cells, uint32_t n_down);

#endif
