// SPDX-License-Identifier: Apache-2.0
// noise: how one service time is spread round its mean.
//
// A factor with mean 1 multiplies the table's nanoseconds: exponential, gamma or lognormal with a
// given coefficient of variation. The factor of request r of query q depends on (seed, RNG_NOISE,
// cell, q, r) alone: it goes with the query, whichever server it lands on, so two policies that are
// compared see the same luck. Computed by IEEE basic operations only (see rng.h).
#ifndef CLUSTER_NOISE_H
#define CLUSTER_NOISE_H

#include <stdint.h>

#include "base/rng.h"
#include "cluster/config.h"

struct noise {
    int64_t spread; // enum cost_spread
    double shape;   // gamma: 1 / cv^2
    double sigma;   // lognormal: sqrt(log(1 + cv^2))
    struct rng_stream draws;
};

void noise_init(struct noise *noise, const struct noise_config *config, uint64_t seed,
                uint32_t cell);

// `ns` times the factor of (query seq, request r < 65536), to the nearest nanosecond, but no longer
// than SIMTIME_LONGEST.
int64_t noise_apply(const struct noise *noise, int64_t ns, uint64_t seq, uint32_t request);

// The factor itself, for tests.
double noise_factor(const struct noise *noise, uint64_t seq, uint32_t request);

#endif
