// SPDX-License-Identifier: Apache-2.0
// layout: which rank simulates which balancer and which servers.
//
// Pure arithmetic, the same on every rank. A layout never changes a result, only the speed.
#ifndef CLUSTER_LAYOUT_H
#define CLUSTER_LAYOUT_H

enum layout_mode {
    LAYOUT_AUTO,   // whole cells while there are enough, else split them by measured weight
    LAYOUT_SPREAD, // every cell's servers over all ranks, balancers dealt round
    LAYOUT_APART,  // balancers on ranks of their own where there is more than one rank
    N_LAYOUT_MODES
};
extern const char *const layout_mode_names[]; // "auto" "spread" "apart" NULL

#endif
