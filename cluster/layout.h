// SPDX-License-Identifier: Apache-2.0
// layout: which rank simulates which balancer and which servers.
//
// Pure arithmetic, the same on every rank. A layout never changes a result, only the speed: cells
// do not share anything, and inside a cell every server is simulated from the queries sent to it.
//
// Servers are numbered cell by cell; inside a cell group by group. A group's servers are dealt
// evenly to the cells, the odd ones to successive cells over all groups. A part is a run of servers
// of one group in one cell on one rank.
//
// Work is counted in nanoseconds per query, of which only the ratios matter: LAYOUT_BALANCER_NS for
// a balancer and LAYOUT_SERVER_NS for a server, about the shares that a profile of the light
// workload showed on one core (35 and 55 % of the time). LAYOUT_SEND_NS, what a query for another
// rank costs its balancer more, is an estimate and has not been measured.
#ifndef CLUSTER_LAYOUT_H
#define CLUSTER_LAYOUT_H

#include <stdint.h>

#include "cluster/config.h"

enum { LAYOUT_BALANCER_NS = 25, LAYOUT_SERVER_NS = 45, LAYOUT_SEND_NS = 10 };

enum layout_mode {
    LAYOUT_AUTO,   // whole cells while there are enough, else cells split by weight
    LAYOUT_SPREAD, // every cell's servers over all ranks, balancers dealt round
    LAYOUT_APART,  // balancers on ranks of their own where there is more than one rank
    N_LAYOUT_MODES
};
extern const char *const layout_mode_names[]; // "auto" "spread" "apart" NULL

struct layout_part {
    uint32_t cell, group;
    uint32_t first_in_cell, first_in_fleet; // number of the part's first server
    uint32_t n_servers;                     // > 0
    int rank;
};

struct layout {
    uint32_t n_cells, n_parts;
    struct layout_part *parts; // ordered by cell, then first_in_cell
    uint32_t *first_part;      // [n_cells + 1] into parts
    uint32_t *n_servers;       // [n_cells]
    int *balancer_rank;        // [n_cells]
    uint32_t n_fleet_servers;
};

// Plans for n_ranks >= 1 ranks; caller layout_destroy()s.
struct layout *layout_create(const struct fleet_config *config, int n_ranks, enum layout_mode mode);
void layout_destroy(struct layout *layout); // NULL: no effect

// Servers of `group` in `cell`.
uint32_t layout_servers(const struct fleet_config *config, uint32_t group, uint32_t cell);
// Number in its group, over the whole fleet, of the cell's first server of it.
uint32_t layout_first(const struct fleet_config *config, uint32_t group, uint32_t cell);
// When a group's servers are dealt one by one, the cell gets those of number turn, turn + n_cells,
// turn + 2 n_cells, ...; turn < n_cells.
uint32_t layout_turn(const struct fleet_config *config, uint32_t group, uint32_t cell);

#endif
