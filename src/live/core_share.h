// SPDX-License-Identifier: Apache-2.0
// core_share: which process of a machine takes which of its cores.
//
// Processes that mpirun starts on one machine may each use all of its cores, or some that they are
// bound to; their workers must not meet on one. So everybody learns what everybody may use, and all
// work out the same division: claims are served in turn, each with the first cores of its own list
// that nobody has, or, where these are too few, with none.
//
//     struct core_claim claims[] = {{cpus_of_1, n_1, 2, taken_1}, {cpus_of_2, n_2, 2, taken_2}};
//     core_share_give(claims, 2);
#ifndef LIVE_CORE_SHARE_H
#define LIVE_CORE_SHARE_H

#include <stddef.h>

struct core_claim {
    const int *cpus; // [n_cpus] that it may use, one thread of each core
    size_t n_cpus;
    size_t n_wanted;
    int *taken; // [n_wanted] filled: what it gets; -1: none
};

// Returns how many different ones the claims name together.
size_t core_share_give(const struct core_claim *claims, size_t n_claims);

#endif
