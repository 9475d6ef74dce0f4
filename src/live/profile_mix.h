// SPDX-License-Identifier: Apache-2.0
// profile_mix: what requests in a mix of sizes say, compared with a table of single sizes.
//
// A table measured one size at a time misleads: in a mix, caches hold what the request before left,
// not what this one wants. So every request of the mix is divided by the table's time for its size
// (linear between the sizes, as the simulator has it), and these ratios are looked at:
//
//     at a size of the table   mean ratio of the requests near it, weighted 1 at the size itself
//     and
//                              less, down to 0, towards its neighbours
//     of a whole mix           mean, spread, correlation of a request with the next few
//
// Intervals take a visit (all threads of it together) as one batch, of which each has another
// weight: a ratio of sums, with the spread of what is left over (Cochran, Sampling Techniques, 3rd
// ed., section 6.4). So what drifts from visit to visit is in them.
#ifndef LIVE_PROFILE_MIX_H
#define LIVE_PROFILE_MIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "live/history_fit.h"
#include "live/profile_crew.h"
#include "results/ci.h"

// Times by size and busy cores; arrays borrowed. Sizes rise.
struct profile_grid {
    size_t n_items, n_busy;
    const uint32_t *items, *busy;
    const double *time_s; // [n_busy][n_items]
};

// Between the sizes linear, outside the nearest. `busy`: index.
double profile_grid_s(const struct profile_grid *grid, size_t busy, double items);

struct profile_mix; // the samples of every visit of a mix

struct profile_mix *profile_mix_create(void);
void profile_mix_destroy(struct profile_mix *mix); // NULL: no effect
// Adds a thread's samples of a visit, copied; threads of one visit come one after the other, with
// the same `visit` number. Queries were cut at cut_items. False: there is room for no more.
bool profile_mix_add(struct profile_mix *mix, uint64_t visit, uint32_t cut_items, size_t busy,
                     const struct profile_sample *samples, size_t n);

// From now on all ratios are of what requests would have taken with a history of base_items: the
// grid's times are of that, and fits[n_busy] say what another history adds. A request's time counts
// as much less or more as the grid and the fit say.
void profile_mix_rebase(struct profile_mix *mix, const struct profile_grid *grid,
                        const struct history_fit *fits, uint32_t base_items);

// Requests near one size of the grid.
struct profile_mix_near {
    double weight;   // requests, each counted by its weight
    struct ci ratio; // to the grid
    double cv;       // of the ratios
};
// All sizes of the grid at once, to[n_items]; of mixes cut at one size, 0: of all.
void profile_mix_near(const struct profile_mix *mix, const struct profile_grid *grid,
                      uint32_t cut_items, size_t busy, struct profile_mix_near *to);

#define PROFILE_MIX_LAGS 10

// All requests of the mix that was cut at one size.
struct profile_mix_sum {
    uint64_t n;
    struct ci mean_s;   // of a request, as it was
    struct ci ratio;    // time over the grid's, sums over sums
    double work_item_s; // time per item of the queries
    double drift_cv;    // of the ratios of whole visits
    // What requests take more or less than the grid says at the speed that their core had in that
    // visit: root of the mean square over that of the grid's times, so that it is the spread of
    // time spent and not of many small requests; and its correlation with the 1st, 2nd .. after it,
    // NaN where fewer than 30 pairs say so.
    double cv;
    double lag[PROFILE_MIX_LAGS];
};
struct profile_mix_sum profile_mix_sum(const struct profile_mix *mix,
                                       const struct profile_grid *grid, uint32_t cut_items,
                                       size_t busy);

// The noise of a study (`correlation_time`, `correlated_frac`) that has these correlations:
// frac e^(-k gap / time) is the straight line through their logarithms, each with the weight that
// its own uncertainty leaves, of the first ones that differ from 0 by twice their standard error.
// False: fewer than two do, or they do not fall.
bool profile_mix_correlation(const struct profile_mix_sum *sum, double gap_s, double *time_s,
                             double *frac);

#endif
